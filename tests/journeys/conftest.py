"""What the journeys share: one Collector a module, for all of its tests that don't break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clickhouse_server import engine_of
from tests.journeys.running import Collector, new_seller, running


@pytest.fixture(scope="module", params=["embedded", "server"])
def collector(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """`collector serve`, set up as the module's SETTINGS say, on either engine."""
    settings: dict[str, str] = getattr(request.module, "SETTINGS", {})
    folder = tmp_path_factory.mktemp("collector")
    with (
        engine_of(folder, request.param) as dsn,
        running(folder / "collector", CLICKHOUSE_DSN=dsn, **settings) as started,
    ):
        yield started


@pytest.fixture
def seller() -> str:
    """A seller of the test's own."""
    return new_seller()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a test's own Collector may keep everything."""
    return tmp_path / "collector"
