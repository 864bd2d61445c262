"""The spool: who is told that a hit counts, and when."""

import asyncio
import errno
import logging
import shutil
from collections import Counter
from pathlib import Path

import pytest

from collector.spool import Unavailable
from collector.spool_file import SpoolWriter, files, is_finished
from collector.spool_reader import reading
from tests.collector.spool_at_work import (
    NEXT_DAY,
    Day,
    kept,
    outcomes,
    running,
)
from tests.collector.spooling import DAY, append, hit


def test_a_hit_is_on_disk_before_its_sender_is_told(tmp_path: Path) -> None:
    """`append` returns and at that moment another process, with a connection of its own, finds
    the hit in the file."""

    async def story() -> None:
        async with running(tmp_path, Day()) as spool:
            for visitor in range(1, 6):
                await append(spool, DAY, hit(visitor=visitor))
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
            await asyncio.gather(*(append(spool, DAY, hit(visitor=n)) for n in range(500)))
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
            waiting = [asyncio.create_task(append(spool, DAY, hit(visitor=n))) for n in range(20)]
            await asyncio.sleep(0)
            await spool.close()
            await asyncio.gather(*waiting)
            with pytest.raises(Unavailable):
                await append(spool, DAY, hit())
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
                *(append(spool, DAY, hit(visitor=n)) for n in range(8)), return_exceptions=True
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
            await append(spool, DAY, hit(visitor=1))
            spool.keep_outcome(DAY, "gpc")
            broken.append(OSError(errno.EIO, "Input/output error"))
            results = await asyncio.gather(
                *(append(spool, DAY, hit(visitor=n)) for n in (2, 3)), return_exceptions=True
            )
            assert [type(each) for each in results] == [Unavailable, Unavailable]
            assert spool.is_failing
            await append(spool, DAY, hit(visitor=4))
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
                await append(spool, DAY, hit(product="half a pair: \ud83e"))
            await append(spool, DAY, hit(visitor=2))

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
            await append(spool, DAY, hit(visitor=1))
            today.now = NEXT_DAY
            shutil.rmtree(tmp_path / "mounted")
            (tmp_path / "mounted").touch()
            with pytest.raises(Unavailable):
                await append(spool, NEXT_DAY, hit(visitor=2))
            assert spool.is_failing
            (tmp_path / "mounted").unlink()
            await append(spool, NEXT_DAY, hit(visitor=3))

    asyncio.run(story())
    assert kept(spool_directory, NEXT_DAY) == [3]
