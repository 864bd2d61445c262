"""The spool over midnight, on days without a beacon, and what it tells the other process."""

import asyncio
from pathlib import Path

import pytest

from collector.spool import SENTENCES_MAX, Unavailable
from collector.spool_file import files, is_finished
from tests.collector.spool_at_work import (
    NEXT_DAY,
    Day,
    kept,
    notices,
    outcomes,
    running,
    until,
)
from tests.collector.spooling import DAY, append, hit


def test_midnight_closes_one_file_and_opens_another(tmp_path: Path) -> None:
    """The first hit of the new day finishes yesterday's file, whose lock is free from then on."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            await append(spool, DAY, hit(visitor=1))
            today.now = NEXT_DAY
            await append(spool, NEXT_DAY, hit(visitor=2))
            yesterday, this_day = files(tmp_path)
            assert (is_finished(yesterday), is_finished(this_day)) == (True, False)

    asyncio.run(story())
    assert (kept(tmp_path, DAY), kept(tmp_path, NEXT_DAY)) == ([1], [2])


def test_a_day_without_a_beacon_is_a_day_of_zeros(tmp_path: Path) -> None:
    """A process that runs makes a file for the day, also when nobody comes: a day of zeros is not
    a day on which nothing ran."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today):
            await until(lambda: len(files(tmp_path)) == 1)
            today.now = NEXT_DAY
            await until(lambda: [file.day for file in files(tmp_path)] == [DAY, NEXT_DAY])

    asyncio.run(story())
    assert kept(tmp_path) == []


def test_an_outcome_that_comes_after_midnight_breaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A beacon that began before midnight was refused after the next day's first one: it is
    counted there, and the hits around it are kept."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            await append(spool, DAY, hit(visitor=1))
            today.now = NEXT_DAY
            await append(spool, NEXT_DAY, hit(visitor=2))
            spool.keep_outcome(DAY, "unavailable")
            await append(spool, NEXT_DAY, hit(visitor=3))
            assert not spool.is_failing

    asyncio.run(story())
    assert (kept(tmp_path, DAY), kept(tmp_path, NEXT_DAY)) == ([1], [2, 3])
    assert outcomes(tmp_path, NEXT_DAY) == {"yes": 2, "unavailable": 1}
    assert len(files(tmp_path)) == 2
    assert caplog.records == []


def test_a_hit_of_a_closed_day_is_refused_and_stops_nobody_else(tmp_path: Path) -> None:
    """It would never be counted, so its sender isn't told that it was; today's file goes on."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            today.now = NEXT_DAY
            await append(spool, NEXT_DAY, hit(visitor=1))
            with pytest.raises(Unavailable):
                await append(spool, DAY, hit(visitor=2))
            assert not spool.is_failing
            await append(spool, NEXT_DAY, hit(visitor=3))

    asyncio.run(story())
    assert kept(tmp_path, NEXT_DAY) == [1, 3]
    assert len([file for file in files(tmp_path) if file.day == NEXT_DAY]) == 1


def test_a_notice_reaches_the_other_process_today_and_tomorrow(tmp_path: Path) -> None:
    """The reports process reads today's files only, so what an operator should know is written
    into each day's, also when it came up while a commit was running."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            appending = asyncio.create_task(append(spool, DAY, hit()))
            await until(lambda: spool.waiting == 0 and spool._writer is not None)
            spool.notice("one", "first sentence")  # its commit runs in the other thread now
            await appending
            spool.notice("two", "second sentence")
            await append(spool, DAY, hit())
            await append(spool, DAY, hit())
            assert notices(tmp_path) == {"one": "first sentence", "two": "second sentence"}
            today.now = NEXT_DAY
            await append(spool, NEXT_DAY, hit())
            assert notices(tmp_path, NEXT_DAY) == notices(tmp_path)
            assert spool.notices == ("first sentence", "second sentence")

    asyncio.run(story())


def test_notices_are_bounded(tmp_path: Path) -> None:
    """Whoever can cause notices can't fill the memory or the disk with them."""

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            for number in range(3 * SENTENCES_MAX):
                spool.notice(f"code {number}", "a sentence")
            assert len(spool.notices) == SENTENCES_MAX

    asyncio.run(story())
