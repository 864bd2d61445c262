"""The command line: what it prints, and how it says that something is wrong."""

import base64
import html
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.journeys import backend
from tests.journeys.asking import ask, eventually
from tests.journeys.running import ROOT, Collector, prepared

BAD_SETTINGS, FAILED, USAGE = 78, 1, 2


@pytest.fixture
def collector(directory: Path) -> Iterator[Collector]:
    """A data directory of the test's own, in which nothing runs."""
    with prepared(directory) as collector:
        yield collector


# Settings, the command, and the line that ends it.
BAD: list[tuple[dict[str, str], str, str]] = [
    ({"TRUSTED_PROXIES": "*"}, "beacons", "COLLECTOR_TRUSTED_PROXIES: everybody's network would"),
    ({"TIMEZONE": "Mars"}, "serve", "COLLECTOR_TIMEZONE: must be an IANA time zone such as Europe"),
    ({"SECRET": "hunter2"}, "reports", "COLLECTOR_SECRET: shorter than 32 bytes; `openssl rand "),
    ({"ORIGINS": "*"}, "beacons", "COLLECTOR_ORIGINS: must list origins such as https://shop.exa"),
    ({"DATA_DIR": "/dev/null"}, "beacons", "COLLECTOR_DATA_DIR: can't be used (File exists)"),
    ({"DATA_DIR": "/dev/null"}, "reports", "COLLECTOR_DATA_DIR: can't be used (File exists)"),
    ({"DATA_DIR": "/dev/null"}, "serve", "COLLECTOR_DATA_DIR: can't be used (File exists)"),
    ({"BEACONS_BIND": "192.0.2.1:80"}, "beacons", "COLLECTOR_BEACONS_BIND: can't listen on 192.0."),
    (
        {"REPORTS_BIND": "no.invalid:80"},
        "reports",
        "COLLECTOR_REPORTS_BIND: can't listen on no.inv",
    ),
    ({"CONSENT_FORMAT": "plain"}, "beacons", "COLLECTOR_CONSENT_FORMAT: plain needs the cookie's"),
    ({"ZONES_FILE": "/missing"}, "beacons", "COLLECTOR_ZONES_FILE: /missing: can't be read: No su"),
    ({"BRAND_LOGO": "/missing"}, "reports", "COLLECTOR_BRAND_LOGO: must name a picture on this ma"),
    ({"CLICKHOUSE_DSN": "db:8123"}, "reports", "COLLECTOR_CLICKHOUSE_DSN: must be clickhouse://us"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "command", "line"),
    BAD,
    ids=[f"{command} {next(iter(settings))}" for settings, command, _ in BAD],
)
def test_a_bad_setting_ends_a_start_with_its_name(
    collector: Collector, settings: dict[str, str], command: str, line: str
) -> None:
    """No traceback, no half-started server: the variable, what would do, and the exit status by
    which a service manager knows not to try again."""
    collector.settings |= settings
    said = collector.cli(command, expect=BAD_SETTINGS)
    assert any(each.startswith(line) for each in said.splitlines()), said
    assert "Traceback" not in said
    assert "hunter2" not in said


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_no_bad_setting(collector: Collector) -> None:
    """It may be back in a minute, so the exit status asks to be started again."""
    collector.settings["CLICKHOUSE_DSN"] = "clickhouse://user:hunter2@127.0.0.1:9/collector"
    said = collector.cli("reports", expect=FAILED)
    assert "ERROR collector.reports: reports: ClickHouse did not answer" in said
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_a_slip_of_the_pen_is_pointed_out(collector: Collector) -> None:
    """The start goes on, and names the setting that was probably meant."""
    collector.settings |= {"ORIGNS": "https://a.example"}
    collector.start("beacons")
    line = "COLLECTOR_ORIGNS: no such setting; did you mean COLLECTOR_ORIGINS?"
    assert collector.output.splitlines().count(line) == 1


@pytest.mark.parametrize("purpose", ["page-tag", "token", "operator"])
def test_a_key_is_what_a_backend_needs(collector: Collector, purpose: str) -> None:
    """One line of base64url, the same at every call, and nothing of the secret in it."""
    printed = collector.cli("key", purpose)
    assert printed == backend.encoded(backend.key(collector.secret, purpose))
    assert collector.secret not in printed


@pytest.mark.parametrize("purpose", ["visitor", "session", ""])
def test_keys_that_nobody_outside_needs_are_not_given_away(
    collector: Collector, purpose: str
) -> None:
    """With the visitor key and a day's salt somebody could try addresses out."""
    said = collector.cli("key", purpose, expect=USAGE)
    assert "is not one of 'page-tag', 'token', 'operator'" in said


def test_the_first_command_makes_the_secret_for_all(collector: Collector) -> None:
    """Without a secret of their own, commands and servers share a generated one that only their
    user can read."""
    del collector.settings["SECRET"]
    first = collector.cli("key", "page-tag")
    assert collector.cli("key", "page-tag") == first
    path = collector.data / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = path.read_text().strip()
    assert backend.encoded(backend.key(secret, "page-tag")) == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("token --scope stats", "Error: seller: a stats token needs one"),
        ("token --scope stats --seller s --ttl 1week", "Error: ttl: must be a number with s, m, h"),
        ("token --scope stats --seller s --ttl 0s", "Error: ttl: must be longer than nothing, for"),
        ("token --scope stats --seller s --ttl 99999999d", "Error: ttl: at most 20 years"),
        ("token --scope login --seller s --ttl 3m", "Error: ttl: a login token lives at most 120"),
        ("token --scope location --product=", "Error: product: must be 1 to 128 characters with"),
        ("snippet s=", "Usage: "),
        ("status", "Error: The reports process doesn't run in this data directory; start it with"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    collector: Collector, arguments: str, said: str
) -> None:
    """One sentence and a status that a script can read."""
    expected = USAGE if said == "Usage: " else FAILED
    assert collector.cli(*arguments.split(), expect=expected).startswith(said)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("7d", 604_800)])
def test_a_token_lives_as_long_as_was_asked(collector: Collector, text: str, seconds: int) -> None:
    """Seconds, minutes, hours and days."""
    token = collector.cli("token", "--scope", "stats", "--seller", "s", "--ttl", text)
    claims = base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()
    times = {name: int(value) for name, value in re.findall(r'"(iat|exp)":\s*(\d+)', claims)}
    assert times["exp"] - times["iat"] == seconds


def test_a_snippet_counts_as_it_is_printed(collector: Collector) -> None:
    """Names with quotes and signs of markup; the pixel's address, unescaped as a browser does it,
    is counted."""
    seller, product = "Anna's & Söhne", 'A <b>"bold"</b> oil?&x=1'
    printed = collector.cli("snippet", seller, product)
    assert "<b>" not in printed
    address = re.search(r'<img src="([^"]+)"', printed)
    assert address is not None
    path = html.unescape(address[1]).removeprefix(f"http://127.0.0.1:{collector.beacons}")
    collector.start("beacons")
    headers = {"Cookie": "statistics_consent=granted", "User-Agent": "Mozilla/5.0 Firefox/140.0"}
    assert ask(collector.beacons, "GET", path, headers).counted == "yes"


def test_a_directory_of_the_start_cannot_replace_our_code(
    collector: Collector, tmp_path: Path
) -> None:
    """Somebody starts `collector serve` in a directory that others may write, with a secrets.py in
    it. Neither it nor its processes import that."""
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "secrets.py").write_text("raise SystemExit('trapped')")
    (trap / "uvicorn.py").write_text("raise SystemExit('trapped')")
    environment = collector.environment() | {"PYTHONPATH": str(ROOT)}
    code = "import sys; from collector.__main__ import main; sys.argv[1:] = ['serve']; main()"
    with (collector.directory / "output.txt").open("ab") as output:
        collector.process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            env=environment,
            cwd=trap,
            stdout=output,
            stderr=output,
        )
    for port in (collector.beacons, collector.reports):
        eventually(partial(collector.is_ready, port), "both ready", lambda: collector.output)
    assert "trapped" not in collector.output
