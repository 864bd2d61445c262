"""What every test shares: one engine, where tools keep what they remember, marks by folder."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

import pytest
from hypothesis import HealthCheck, configuration, settings

from collector.warehouse import Warehouse

HERE = Path(__file__).parent
DAY_SECONDS = 86_400

# Otherwise Hypothesis writes a folder of its own into the tree.
configuration.set_hypothesis_home_dir(HERE.parent / ".cache" / "hypothesis")

# A slow minute of the machine is no fault of ours. The run's first example takes longest: it reads
# every module for values to try.
settings.register_profile(
    "collector",
    deadline=None,
    derandomize=True,  # so that a run says something of a change and not of luck
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("collector")


# Thousands of tests' fsyncs on one disk take minutes in which nothing is computed; in memory they
# take none. No test cuts the power, so none can tell the difference: a killed process's writes
# survive in either. An environment that names a place of its own keeps it.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > 4 * 1024**3:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what lies under tests/browser and tests/faults, and what asks the engine, so that
    nobody forgets to.

    Here and not later: `-m` has chosen by then.
    """
    folder = item.path.relative_to(HERE).parts[0]
    if folder in {"browser", "faults"}:
        item.add_marker(folder)
    if "warehouse" in getattr(item, "fixturenames", ()):
        item.add_marker("engine")


# What counts a visit and then asks about today would ask about tomorrow.
ASKS_ABOUT_TODAY = frozenset({"browser", "faults", "journeys", "packaging", "signing"})
BEFORE_MIDNIGHT_SECONDS = 90


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let nothing that counts under the real clock begin just before midnight, UTC."""
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    folder = item.path.relative_to(HERE).parts[0]
    if folder in ASKS_ABOUT_TODAY and left < BEFORE_MIDNIGHT_SECONDS:
        time.sleep(left + 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the browser's tests come last: Playwright's event loop runs in this thread for as long
    as the browser does, and no other test could run one of its own meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The run's one embedded engine, with its tables: chDB has one path a process, for its life.

    Tests in this process share it, so each uses sellers or days of its own; a test that needs an
    engine for itself starts a process.
    """
    opened = Warehouse(tmp_path_factory.mktemp("engine") / "clickhouse")
    opened.migrate()
    yield opened
    opened.close()
