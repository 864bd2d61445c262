"""What the journeys share: one Collector a module, for all of its tests that don't break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.running import Collector, new_seller, running


@pytest.fixture(scope="module")
def collector(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """`collector serve`, set up as the module's SETTINGS say."""
    settings: dict[str, str] = getattr(request.module, "SETTINGS", {})
    with running(tmp_path_factory.mktemp("collector"), **settings) as started:
        yield started


@pytest.fixture
def seller() -> str:
    """A seller of the test's own."""
    return new_seller()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a test's own Collector may keep everything."""
    return tmp_path / "collector"
