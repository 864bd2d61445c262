"""A spool that works, a day that a test can end, and what is on disk."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from collector.spool import Spool
from collector.spool_file import files
from collector.spool_reader import reading
from tests.collector.spooling import DAY

NEXT_DAY = date(2026, 1, 3)
WAIT_SECONDS = 20


class Day:
    """The day as the test's clock tells it."""

    def __init__(self) -> None:
        self.now = DAY

    def __call__(self) -> date:
        return self.now


@asynccontextmanager
async def running(directory: Path, today: Day, queue_max: int = 1000) -> AsyncIterator[Spool]:
    """Run a spool until the block ends."""
    spool = Spool(directory, queue_max=queue_max, today=today)
    spool.start()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield spool
    finally:
        await spool.close()


def kept(directory: Path, day: date = DAY) -> list[int]:
    """Return the visitors of the day's hits, of all files."""
    found = []
    for file in files(directory):
        if file.day == day:
            with reading(file.path) as connection:
                found += [row[0] for row in connection.execute("select visitor from hits")]
    return sorted(found)


def outcomes(directory: Path, day: date = DAY) -> Counter[str]:
    """Return the day's outcomes, of all files."""
    total: Counter[str] = Counter()
    for file in files(directory):
        if file.day == day:
            with reading(file.path) as connection:
                total.update(dict(connection.execute("select outcome, beacons from outcomes")))
    return total


def notices(directory: Path, day: date = DAY) -> dict[str, str]:
    """Return the sentences that another process would find."""
    found: dict[str, str] = {}
    for file in files(directory):
        if file.day == day:
            with reading(file.path) as connection:
                found.update(connection.execute("select code, sentence from notices"))
    return found


async def until(look: Callable[[], bool]) -> None:
    """Let the spool work until something is so; a time-out ends what never comes."""
    while not look():  # noqa: ASYNC110  # nobody sends an event for what lies on disk
        await asyncio.sleep(0.01)
