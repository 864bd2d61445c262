"""The wheel: whoever installs it with pip has everything, and needs no checkout."""

import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest

from tests.journeys import backend
from tests.journeys.asking import ask, eventually
from tests.journeys.processes import descendants, held_port, is_over
from tests.journeys.running import FIREFOX, GRANTED
from tests.packaging.wheel import Installed
from tests.tree import PACKAGES, ROOT

SECRET = "an-invented-secret-of-enough-bytes"
BROWSER = {"User-Agent": FIREFOX, "Cookie": GRANTED}


def ours() -> set[str]:
    """Return every file of the packages, as names in the wheel."""
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"geoip/data/country.mmdb", "collector/migrations/0001_hits.sql"} < found
    return found


@pytest.mark.slow
def test_the_wheel_carries_the_packages_whole_and_nothing_else(installed: Installed) -> None:
    """Templates, scripts, texts, SQL, the country database with its attribution, the licence; no
    tests, no documents, no data of a demo that ran here."""
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = set(wheel.namelist())
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == ours()
    assert any(name.endswith("/licenses/LICENSE") for name in about)


@contextmanager
def serving(installed: Installed, settings: Mapping[str, str]) -> Iterator[None]:
    """Run `collector serve` in the empty home until the block ends."""
    with (installed.folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            [str(installed.bin / "collector"), "serve"],
            env=installed.environment(settings),
            cwd=installed.folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        below = descendants(process.pid)
        process.terminate()
        assert process.wait(60) == 0
        for pid in below:
            eventually(partial(is_over, pid), f"the end of {pid}")


def ready(port: int) -> bool:
    """Return whether a port says so."""
    try:
        return ask(port, "GET", "/readyz").status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_an_installed_collector_serves_outside_of_the_checkout(installed: Installed) -> None:
    """In an empty directory, with an empty home: a visit counts, the scripts, pages and the
    country are there, and nothing but the data directory is written."""
    with held_port() as one, held_port() as other:
        beacons, reports = one.getsockname()[1], other.getsockname()[1]
        settings = {
            "COLLECTOR_SECRET": SECRET,
            "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{beacons}",
            "COLLECTOR_REPORTS_BIND": f"127.0.0.1:{reports}",
        }
        with serving(installed, settings):
            output = (installed.folder / "output.txt").read_text
            for port in (beacons, reports):
                eventually(partial(ready, port), f"{port}: {output()}")
            signature = backend.page_tag(SECRET, "anna", "teapot")
            path = f"/pixel.gif?seller=anna&product=teapot&sig={signature}"
            assert ask(beacons, "GET", path, BROWSER).counted == "yes"
            for script in ("/beacon.js", "/consent.js"):
                assert ask(beacons, "GET", script).status == 200
            assert ask(beacons, "GET", "/consent", {"Accept": "text/html"}).status == 200
            assert ask(reports, "GET", "/dashboard/static/dashboard.css").status == 200
            assert b"<html" in ask(reports, "GET", "/dashboard/").content
            token = installed.run("token", "--scope", "location", own=settings).strip()
            bearer = {"Authorization": f"Bearer {token}"}
            found = ask(beacons, "POST", "/location", bearer, b'{"ip": "147.102.1.1"}')
            assert found.json["country"] == "GR"
            assert "Counting." in installed.run("status", own=settings)
    assert {path.name for path in installed.folder.iterdir()} == {"data", "output.txt"}
