"""The spool: who is told that a hit counts, and when."""

import asyncio
import errno
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from collector.spool import SENTENCES_MAX, Spool, Unavailable
from collector.spool_file import SpoolWriter, files, is_finished, reading
from tests.collector.spooling import DAY, hit

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


def test_a_hit_is_on_disk_before_its_sender_is_told(tmp_path: Path) -> None:
    """`append` returns and at that moment another process, with a connection of its own, finds
    the hit in the file."""

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            for visitor in range(1, 6):
                await spool.append(DAY, hit(visitor=visitor))
                assert kept(tmp_path) == list(range(1, visitor + 1))

    asyncio.run(story())


def test_a_crowd_shares_commits_and_nobody_is_lost(tmp_path: Path) -> None:
    """500 beacons at once are all kept, each once, in far fewer commits than beacons."""
    commits = 0

    async def story() -> None:
        nonlocal commits
        async with running(tmp_path, Day()) as spool:
            await spool.settle(DAY)
            assert spool._writer is not None
            commit = spool._writer.commit

            def counting() -> None:
                nonlocal commits
                commits += 1
                commit()

            spool._writer.commit = counting  # type: ignore[method-assign]  # counts, changes nothing
            await asyncio.gather(*(spool.append(DAY, hit(visitor=n)) for n in range(500)))
            assert spool.waiting == 0

    asyncio.run(story())
    assert kept(tmp_path) == list(range(500))
    assert outcomes(tmp_path) == {"yes": 500}
    assert 1 <= commits < 50


def test_stopping_commits_what_waits_and_closes_the_day(tmp_path: Path) -> None:
    """SIGTERM comes while beacons wait for their commit: they are kept and told so, outcomes that
    waited for company are on disk, and the file says that nothing more will come."""

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            spool.keep_outcome(DAY, "bot")
            waiting = [asyncio.create_task(spool.append(DAY, hit(visitor=n))) for n in range(20)]
            await asyncio.sleep(0)
            await spool.close()
            await asyncio.gather(*waiting)
            with pytest.raises(Unavailable):
                await spool.append(DAY, hit())
            with pytest.raises(Unavailable):
                await spool.erase(DAY, [("s", 1, "{}")])

    asyncio.run(story())
    assert kept(tmp_path) == list(range(20))
    assert outcomes(tmp_path) == {"bot": 1, "yes": 20}
    (file,) = files(tmp_path)
    assert is_finished(file)
    with reading(file.path) as connection:
        assert connection.execute("select count(*) from closed").fetchone() == (1,)


def test_a_full_queue_is_unavailable_at_once(tmp_path: Path) -> None:
    """Past QUEUE_MAX a beacon is told to come again instead of waiting in memory."""

    async def story() -> Counter[str]:
        async with running(tmp_path, Day(), queue_max=5) as spool:
            results = await asyncio.gather(
                *(spool.append(DAY, hit(visitor=n)) for n in range(8)), return_exceptions=True
            )
            return Counter("kept" if each is None else type(each).__name__ for each in results)

    assert asyncio.run(story()) == {"kept": 5, "Unavailable": 3}
    assert kept(tmp_path) == [0, 1, 2, 3, 4]


def test_a_failed_commit_answers_its_whole_group_and_the_next_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk fails once. Everybody in that commit is told "unavailable" and none of them is on
    disk; outcomes of the group are not forgotten; the next beacon counts, in a new file."""
    commit = SpoolWriter.commit
    broken: list[OSError] = []

    def failing(writer: SpoolWriter) -> None:
        if broken:
            raise broken.pop()
        commit(writer)

    monkeypatch.setattr(SpoolWriter, "commit", failing)

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            await spool.append(DAY, hit(visitor=1))
            spool.keep_outcome(DAY, "gpc")
            broken.append(OSError(errno.EIO, "Input/output error"))
            results = await asyncio.gather(
                *(spool.append(DAY, hit(visitor=n)) for n in (2, 3)), return_exceptions=True
            )
            assert [type(each) for each in results] == [Unavailable, Unavailable]
            assert spool.is_failing
            await spool.append(DAY, hit(visitor=4))
            assert not spool.is_failing

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert kept(tmp_path) == [1, 4]
    assert outcomes(tmp_path) == {"yes": 2, "gpc": 1}
    assert len(files(tmp_path)) == 2
    assert [record.message for record in caplog.records] == [
        "beacons can't be kept, so they are not counted: [Errno 5] Input/output error"
    ]


def test_a_bug_is_never_answered_with_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A hit that can't be written for a reason nobody thought of must not be acknowledged, must
    not stop the worker, and its text, which may quote the hit, stays out of the log."""

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            with pytest.raises(Unavailable):
                await spool.append(DAY, hit(product="half a pair: \ud83e"))
            await spool.append(DAY, hit(visitor=2))

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert kept(tmp_path) == [2]
    assert "UnicodeEncodeError" in caplog.text
    assert "half a pair" not in caplog.text


def test_a_directory_that_is_gone_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    """Somebody unmounts the disk and mounts it again: in between beacons are told so, afterwards
    they count, and nobody had to restart anything."""
    spool_directory = tmp_path / "mounted" / "spool"

    async def story() -> None:
        today = Day()
        async with running(spool_directory, today) as spool:
            await spool.append(DAY, hit(visitor=1))
            today.now = NEXT_DAY
            shutil.rmtree(tmp_path / "mounted")
            (tmp_path / "mounted").touch()
            with pytest.raises(Unavailable):
                await spool.append(NEXT_DAY, hit(visitor=2))
            assert spool.is_failing
            (tmp_path / "mounted").unlink()
            await spool.append(NEXT_DAY, hit(visitor=3))

    asyncio.run(story())
    assert kept(spool_directory, NEXT_DAY) == [3]


def test_midnight_closes_one_file_and_opens_another(tmp_path: Path) -> None:
    """The first hit of the new day finishes yesterday's file, whose lock is free from then on."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            await spool.append(DAY, hit(visitor=1))
            today.now = NEXT_DAY
            await spool.append(NEXT_DAY, hit(visitor=2))
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
            await spool.append(DAY, hit(visitor=1))
            today.now = NEXT_DAY
            await spool.append(NEXT_DAY, hit(visitor=2))
            spool.keep_outcome(DAY, "unavailable")
            await spool.append(NEXT_DAY, hit(visitor=3))
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
            await spool.append(NEXT_DAY, hit(visitor=1))
            with pytest.raises(Unavailable):
                await spool.append(DAY, hit(visitor=2))
            assert not spool.is_failing
            await spool.append(NEXT_DAY, hit(visitor=3))

    asyncio.run(story())
    assert kept(tmp_path, NEXT_DAY) == [1, 3]
    assert len([file for file in files(tmp_path) if file.day == NEXT_DAY]) == 1


def test_a_notice_reaches_the_other_process_today_and_tomorrow(tmp_path: Path) -> None:
    """The reports process reads today's files only, so what an operator should know is written
    into each day's, also when it came up while a commit was running."""

    async def story() -> None:
        today = Day()
        async with running(tmp_path, today) as spool:
            appending = asyncio.create_task(spool.append(DAY, hit()))
            await until(lambda: spool.waiting == 0 and spool._writer is not None)
            spool.notice("one", "first sentence")  # its commit runs in the other thread now
            await appending
            spool.notice("two", "second sentence")
            await spool.append(DAY, hit())
            await spool.append(DAY, hit())
            assert notices(tmp_path) == {"one": "first sentence", "two": "second sentence"}
            today.now = NEXT_DAY
            await spool.append(NEXT_DAY, hit())
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
