"""docker-compose.yml: by the specification, and by what our commands, settings and files are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from collector.__main__ import main
from collector.settings import read
from tests.packaging.compose import FILE, filled, pairs
from tests.packaging.image import variables
from tests.tree import ROOT

GIVEN = {"SHOP": "shop.example"}
PROFILES = {"single": {"collector"}, "split": {"beacons", "reports", "clickhouse", "caddy"}}
OURS = ("collector", "beacons", "reports")


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    content, _ = filled(GIVEN)
    found: dict[str, dict[str, Any]] = content["services"]
    return found


def is_valid(path: Path) -> bool:
    """Ask the Compose specification's own schema."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.slow
def test_the_file_is_by_the_specification(tmp_path: Path) -> None:
    """By the schema that it publishes; a misspelt key would be found."""
    assert is_valid(FILE)
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace("stop_grace_period", "stop_grace_time"))
    assert not is_valid(broken)


def test_there_are_two_ways_to_run_it_and_one_thing_to_say() -> None:
    """Two profiles, and only the shop's name has no default."""
    found = {
        profile: {name for name, each in services().items() if profile in each["profiles"]}
        for profile in {profile for each in services().values() for profile in each["profiles"]}
    }
    assert found == PROFILES
    assert filled({})[1] == {"SHOP"}
    assert filled(GIVEN)[1] == set()


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_a_command_that_there_is(name: str) -> None:
    """Parsed by the real command line, options and their values too."""
    command, *options = services()[name]["command"]
    known = main.commands[command]
    known.make_context(command, list(options))
    with pytest.raises(click.UsageError):
        known.make_context(command, [*options, "--no-such-option"])
    assert command == ("serve" if name == "collector" else name)


@pytest.mark.parametrize("name", OURS)
def test_a_services_environment_is_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the image sets, each is known and each value can be used; the proxies that are
    trusted are the ones of the file's network, and what is mounted is where the data is."""
    environment = variables() | services()[name]["environment"]
    ours = {key: value for key, value in environment.items() if key != "PATH"}
    own = {key: value for key, value in ours.items() if key.startswith("COLLECTOR_")}
    assert set(ours) - set(own) <= set(variables())
    for key, value in own.items():
        monkeypatch.setenv(key, value)
    settings, warnings = read(own)
    assert not warnings
    assert settings.secret is None, "it is made in the volume, and not in a file of the repository"
    content, _ = filled(GIVEN)
    subnet = content["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert [str(network) for network in settings.trusted_proxies or ()] == [subnet]
    assert settings.beacons_url == settings.reports_url == "https://shop.example"
    mounts = pairs(services()[name]["volumes"])
    assert mounts == [("data", str(settings.data_dir))]
    assert str(settings.salts).startswith(str(settings.data_dir))


@pytest.mark.parametrize("name", OURS)
def test_a_service_can_do_little_else(name: str) -> None:
    """A read-only root, no capability, no way to gain one, no core; and time to end well."""
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"]["core"] == 0
    assert "user" not in service, "the image's own has no rights"
    assert "restart" in service
    assert service["stop_grace_period"] == "60s"


def test_beacons_and_reports_share_their_data_and_their_settings() -> None:
    """Spool, salts and secret lie between them; only reports knows the ClickHouse server."""
    beacons, reports = services()["beacons"], services()["reports"]
    assert beacons["volumes"] == reports["volumes"]
    more = reports["environment"].items() - beacons["environment"].items()
    assert {name for name, _ in more} == {"COLLECTOR_CLICKHOUSE_DSN"}
    assert not beacons["environment"].items() - reports["environment"].items()


def test_what_listens_outside_is_a_proxy() -> None:
    """One container alone is reached from this machine only; of the four only Caddy is, and it
    knows the two by their names and the image's ports."""
    found = {name: each.get("ports", []) for name, each in services().items()}
    assert all(port.startswith("127.0.0.1:") for port in found["collector"])
    assert {name for name, ports in found.items() if ports} == {"collector", "caddy"}
    caddy = services()["caddy"]["environment"]
    asked = set(re.findall(r"\{\$(\w+)", (ROOT / "deploy" / "caddy" / "Caddyfile").read_text()))
    assert asked == set(caddy)
    for name in ("BEACONS", "REPORTS"):
        port = variables()[f"COLLECTOR_{name}_BIND"].rpartition(":")[2]
        assert caddy[name] == f"{name.lower()}:{port}"


def test_every_image_is_pinned_and_every_mount_is_there() -> None:
    """A version to read and a digest that no later push changes, but for our own image, which is
    built here; files of this repository, read-only; volumes that are declared."""
    content, _ = filled(GIVEN)
    pinned = r":\d+\.\d+(\.\d+)?(-\w+)?@sha256:[0-9a-f]{64}"
    for service in services().values():
        foreign = "build" not in service
        assert re.search(pinned if foreign else r":\d+\.\d+\.\d+$", service["image"])
        for mount in service["volumes"]:
            source, _ = pairs([mount])[0]
            if source.startswith("./"):
                assert mount.endswith(":ro")
                assert (ROOT / source).is_file(), source
            else:
                assert source in content["volumes"]


def test_the_health_checks_are_programs_that_there_are() -> None:
    """Ours ask the process that the service runs; ClickHouse is asked with its own password."""
    for name in ("beacons", "reports"):
        assert services()[name]["healthcheck"]["test"] == [
            "CMD", "python", "-m", "collector.health", name,
        ]  # fmt: skip
    clickhouse = services()["clickhouse"]
    password = clickhouse["environment"]["CLICKHOUSE_PASSWORD"]
    assert password in clickhouse["healthcheck"]["test"]
    dsn = services()["reports"]["environment"]["COLLECTOR_CLICKHOUSE_DSN"]
    assert dsn == f"clickhouse://collector:{password}@clickhouse:8123/collector"
