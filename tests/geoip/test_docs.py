"""docs/location.md: its programs run, and it leaves out no field, setting, error or metric."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from geoip import exchange, question, zones
from geoip.metrics import LocationMetrics
from geoip.part import PARTS
from tests.geoip.running import TOKEN, Server

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "location.md").read_text("utf-8")
ATHENS = "147.102.1.1"
PROGRAMS = {"ruby": "ruby", "php": "php", "python": sys.executable, "javascript": "node"}


def block(language: str) -> str:
    """Return the document's program in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{len(found)} programs in {language}"
    return str(found[0])


def run(language: str, url: str, tmp_path: Path) -> str:
    """Run the document's program as a shop would, and return what it printed."""
    program = shutil.which(PROGRAMS[language])
    if program is None:
        pytest.skip(f"{language} is not installed here")
    path = tmp_path / f"cart.{language}"
    path.write_text(block(language), "utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LOCATION_URL": url,
        "LOCATION_TOKEN": TOKEN["authorization"].removeprefix("Bearer "),
    }
    done = subprocess.run(
        [program, str(path), ATHENS],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_cart_in_an_afternoon(server: Server, language: str, tmp_path: Path) -> None:
    """Copied from the document, it asks a real server and prints the country and the zone."""
    assert run(language, str(server.http.base_url).rstrip("/"), tmp_path) == "Greece, eu\n"


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_cart_goes_on_when_the_door_is_shut(language: str, tmp_path: Path) -> None:
    """Nobody listens: the program ends well, without a country."""
    assert "Greece" not in run(language, "http://127.0.0.1:9", tmp_path)


def fields(answer: dict[str, Any], prefix: str = "") -> set[str]:
    """Return the names of an answer's fields, nested ones with a dot."""
    found = set()
    for name, value in answer.items():
        found.add(prefix + name)
        if isinstance(value, dict) and not prefix and name == "vat":
            found |= fields(value, f"{name}.")
    return found


def test_every_field_is_explained(server: Server) -> None:
    """A field added to the answer without a row in the table fails here."""
    rows = re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert fields(server.ask(ip=ATHENS)) - explained - {"vat"} == set()


def test_every_error_is_explained(server: Server) -> None:
    """The codes in the sources are the codes in the table."""
    sources = "".join(
        (ROOT / "geoip" / name).read_text("utf-8") for name in ("app.py", "exchange.py")
    )
    codes = set(re.findall(r'Refused\(\s*(\d{3}),\s*"([\w-]+)"', sources))
    assert {("400", "malformed"), ("413", "too-large")} <= codes
    for status, code in codes:
        assert re.search(rf"^\| {status} \| `{code}` \|", TEXT, re.MULTILINE), code


def test_every_metric_is_listed(server: Server) -> None:
    """As Prometheus names them."""
    registry = CollectorRegistry()
    registry.register(LocationMetrics(server.door))
    for name in re.findall(r"^# TYPE (\w+)", generate_latest(registry).decode(), re.MULTILINE):
        assert f"`{name}`" in TEXT


def test_limits_and_places_are_the_real_ones() -> None:
    """Numbers in prose drift first."""
    assert f"{question.BODY_BYTES_MAX // 1024} KiB" in TEXT
    assert f"1 to {question.LOOKUPS_MAX} lookups" in TEXT
    assert exchange.METHODS.startswith("GET")
    for part in PARTS:
        for word in part.name.split(" (")[0].removeprefix("the ").split(" of ")[0].split(" and "):
            assert word in TEXT, word


def test_the_example_zones_are_zones(tmp_path: Path) -> None:
    """Pasted into a file, they are accepted."""
    path = tmp_path / "zones.toml"
    path.write_text(block("toml"), "utf-8")
    table = zones.read(path, home="GR")
    assert (table.zone("GR"), table.zone("JP")) == ("home", "elsewhere")
    assert set(tomllib.loads(block("toml"))) == {"home", "islands", "union", "elsewhere"}
