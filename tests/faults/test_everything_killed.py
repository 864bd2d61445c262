"""SIGKILL of every process at once, under load: what was acknowledged is what sellers see."""

import asyncio
import csv
import io
import os
import signal
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.faults.load import Load
from tests.journeys.asking import eventually
from tests.journeys.processes import descendants, is_over
from tests.journeys.running import Collector, prepared

SELLER = "everything"
KILLS = 3
LOAD_SECONDS = 60.0  # It ends with what it asks.
BEGIN_SECONDS = 30


def kill_everything(collector: Collector) -> None:
    """Kill the supervisor and all that it started, without a word to any of them."""
    process, collector.process = collector.process, None
    assert process is not None
    killed = (process.pid, *descendants(process.pid))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    eventually(lambda: all(map(is_over, killed)), "the end of what was killed")


async def load_and_kill(collector: Collector, load: Load, seconds: float) -> None:
    """Kill everything in the middle of a load."""
    loading = asyncio.create_task(load.run(collector.beacons, LOAD_SECONDS))
    before = len(load.answered)
    async with asyncio.timeout(BEGIN_SECONDS):
        while len(load.answered) == before:  # noqa: ASYNC110  # another process answers
            await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    kill_everything(collector)
    await loading


def views(collector: Collector) -> dict[int, int]:
    """Return the seller's views by hit."""
    today = datetime.now(UTC).date().isoformat()
    answer = collector.api("export.csv", collector.token("stats", SELLER), from_=today, to=today)
    assert answer.status == 200, answer.content
    rows = csv.DictReader(io.StringIO(answer.content.decode()))
    return {int(row["product"].removeprefix("p")): int(row["views"]) for row in rows}


def is_all_there(collector: Collector, load: Load) -> bool:
    """Return whether every acknowledged hit has arrived."""
    return load.answered <= views(collector).keys()


def test_what_was_acknowledged_is_counted_once_whenever_everything_is_killed(
    tmp_path: Path,
) -> None:
    """Two workers and the reports process die in the middle of a load, three times; at the end the
    seller sees every acknowledged hit once, and no hit twice that nobody answered."""
    with prepared(tmp_path / "collector", WORKERS="2") as collector:
        load = Load(partial(collector.signature, SELLER), SELLER)
        for kill in range(KILLS):
            collector.start()
            asyncio.run(load_and_kill(collector, load, 0.7 + 0.4 * kill))
        collector.start()
        asyncio.run(load.run(collector.beacons, 1.0))
        eventually(partial(is_all_there, collector, load), f"all hits: {collector.output}")
        seen = views(collector)
        assert len(load.answered) > 300
        assert load.sent - load.answered, "nothing was under way when everything was killed"
        assert {number for number in load.answered if seen.get(number) != 1} == set()
        assert {number for number, count in seen.items() if count != 1} == set()
        assert seen.keys() <= load.sent
        assert collector.stop() == 0
