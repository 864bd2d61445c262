"""docs/http.md names every endpoint, outcome and error code, and nothing that isn't there."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from collector.beacon_answers import STATUS
from collector.consent import Outcome
from tests.documents import rows, section, text
from tests.tree import PACKAGES, files

CONTENT = text("http.md")
# Whatever is off by default is on here, so that nothing that can be asked goes unexplained.
EVERYTHING = {"COLLECTOR_COMPATIBLE_PATHS": "/p/{product}"}
# One process for both: the engine is opened, and neither listens.
LISTING = """
    import json
    from starlette.routing import Mount, Route
    from collector.serve_beacons import Worker, World
    from collector.serve_reports import Reports
    from collector.settings import Settings
    from geoip.app import PATH
    from geoip.exchange import METHODS

    def endpoints(routes):
        for route in routes:
            if isinstance(route, Mount):
                yield "GET", route.path
            elif route.path != PATH:
                yield from ((method, route.path) for method in route.methods or ())

    settings = Settings()
    worker, reports = Worker(settings, World()), Reports(settings, World())
    door = worker.application
    beacons = {*endpoints(worker._routes()), ("GET", door._pixel_path)}
    beacons |= {(method, door._beacon_path) for method in ("POST", "OPTIONS")}
    beacons |= {(method.strip(), PATH) for method in METHODS.split(",")}
    found = {"8000": sorted(beacons), "8001": sorted(endpoints(reports.application().routes))}
    print(json.dumps(found))
    reports.close()
"""


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[tuple[str, str]]]:
    """Method and path of everything that the two processes answer, by port."""
    folder = tmp_path_factory.mktemp("endpoints")
    kept = {name: value for name, value in os.environ.items() if "COLLECTOR_" not in name}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LISTING)],
        env=kept
        | EVERYTHING
        | {"COLLECTOR_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        port: {(method, path) for method, path in pairs if method != "HEAD"}
        for port, pairs in found.items()
    }


def documented(*titles: str) -> set[tuple[str, str]]:
    """Return the endpoints in the tables under these headings."""
    found = [row for title in titles for row in rows(section(CONTENT, f"## {title}"))]
    return {(row[0], row[1].strip("`")) for row in found if re.fullmatch("[A-Z]+", row[0])}


@pytest.mark.slow
def test_every_endpoint_is_explained_and_no_other(
    endpoints: dict[str, set[tuple[str, str]]],
) -> None:
    """Port by port; what both answer has a table of its own."""
    both = documented("Both ports")
    beacons = documented(
        "Port 8000: product pages", "Port 8000: scripts of others", "Port 8000: the country"
    )
    reports = documented("Port 8001: sellers", "Port 8001: the marketplace")
    assert {("GET", "/pixel.gif"), ("POST", "/api/event")} < endpoints["8000"]
    assert endpoints["8000"] == beacons | both
    assert endpoints["8001"] == reports | both


def test_every_outcome_is_explained_with_its_status() -> None:
    """The twelve, in the order of their checks."""
    found = {row[0].strip("`"): (row[1], row[2]) for row in rows(section(CONTENT, "## Outcomes"))}
    assert list(found) == [outcome.value for outcome in Outcome]
    for outcome in Outcome:
        status = STATUS.get(outcome)
        assert found[outcome] == (str(status or 200), str(status or 204))


def test_every_error_is_explained_with_its_status() -> None:
    """The codes of the doors' own errors, and of the outcomes that are errors."""
    raised = re.compile(r'(?:Refused|_error)\(\s*(\d{3}),\s*"([\w-]+)"')
    sources = [path.read_text("utf-8") for path in files(".py", under=PACKAGES)]
    found = {(code, status) for source in sources for status, code in raised.findall(source)}
    found |= {(outcome.value, str(status)) for outcome, status in STATUS.items()}
    assert ("unauthorised", "401") in found
    explained = {
        (row[0].strip("`"), status)
        for row in rows(section(CONTENT, "## Errors"))
        for status in row[1].split(", ")
    }
    assert explained == found | {("internal", "500")}
