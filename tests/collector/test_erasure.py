"""The erasure: what a withdrawal writes, and what it finds."""

import asyncio
import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from collector.erasure import erase
from collector.spool import Spool, Unavailable
from collector.spool_file import closed_mark, files, is_finished
from collector.spool_reader import reading
from tests.collector.spool_at_work import Day, kept, running
from tests.collector.spooling import DAY, Worker, append, hit

YESTERDAY = date(2026, 1, 1)


def pseudonym(seller: str) -> int:
    """A visitor's pseudonyms: another for every seller, some above 2^63."""
    return 2**63 + len(seller) if seller.startswith("big") else 1000 + ord(seller[0])


def withdraw(directory: Path) -> bool:
    """Withdraw as a worker of its own does that kept nothing itself."""

    async def story() -> bool:
        spool = Spool(directory, queue_max=10, today=lambda: DAY)
        spool.start()
        try:
            return await erase(spool, directory, DAY, pseudonym)
        finally:
            await spool.close()

    return asyncio.run(story())


def erasures(directory: Path) -> list[tuple[str, int, dict[str, int]]]:
    """Return every erasure on disk: seller, unsigned visitor, marks."""
    found = []
    for file in files(directory):
        with reading(file.path) as connection:
            for seller, visitor, marks in connection.execute(
                "select seller, visitor, marks from erasures"
            ):
                found.append((seller, visitor % 2**64, json.loads(marks)))
    return sorted(found, key=lambda each: each[0])


def test_a_row_for_each_seller_whose_pages_the_visitor_saw(tmp_path: Path) -> None:
    """Three sellers have hits today and the visitor saw pages of two: two rows, nothing that
    joins them but the moment's marks, and none for the seller whom the visitor doesn't know."""
    worker = Worker(tmp_path)
    worker.commit([hit("a", visitor=pseudonym("a")), hit("b", visitor=1), hit("big")])
    worker.commit([hit("big", visitor=pseudonym("big")), hit("a", visitor=pseudonym("a"))])
    assert withdraw(tmp_path)
    found = erasures(tmp_path)
    assert [(seller, visitor) for seller, visitor, _ in found] == [
        ("a", pseudonym("a")),
        ("big", pseudonym("big")),
    ]
    assert all(marks[worker.writer.run] == 5 for _, _, marks in found)
    worker.die()


def test_another_sellers_visitor_of_the_same_number_stays(tmp_path: Path) -> None:
    """Pseudonyms of two sellers may happen to be equal; only this seller's one is erased."""
    worker = Worker(tmp_path)
    worker.commit([hit("b", visitor=pseudonym("a")), hit("a", visitor=5)])
    worker.die()
    assert not withdraw(tmp_path)
    assert erasures(tmp_path) == []


def test_marks_name_every_file_of_the_day_and_no_other_day(tmp_path: Path) -> None:
    """What other workers keep later counts again, so each file's end at that moment is noted,
    whichever worker is asked."""
    one, other, old = Worker(tmp_path), Worker(tmp_path), Worker(tmp_path, YESTERDAY)
    one.commit([hit("a", visitor=pseudonym("a"))])
    other.commit([hit("a", visitor=n) for n in range(1, 8)])
    old.commit([hit("a", visitor=pseudonym("a"))])
    assert withdraw(tmp_path)
    ((_, _, marks),) = erasures(tmp_path)
    assert {run: row for run, row in marks.items() if row} == {
        one.writer.run: 1,
        other.writer.run: 7,
    }
    assert old.writer.run not in marks
    for worker in (one, other, old):
        worker.die()


def test_who_was_never_counted_leaves_no_row(tmp_path: Path) -> None:
    """Nothing to erase, nothing written: not even that somebody asked."""
    worker = Worker(tmp_path)
    worker.commit([hit("a", visitor=1)])
    worker.die()
    assert not withdraw(tmp_path)
    assert erasures(tmp_path) == []


def test_an_empty_file_of_a_killed_worker_stops_no_withdrawal(tmp_path: Path) -> None:
    """A worker died between making its file and its tables. The file holds nothing, and whoever
    withdraws on that day must not be told to come again until midnight."""
    worker = Worker(tmp_path)
    worker.commit([hit("a", visitor=pseudonym("a"))])
    (worker.path.parent / "0123456789ab.sqlite").touch()
    assert withdraw(tmp_path)
    (file,) = (each for each in files(tmp_path) if each.run == worker.writer.run)
    with reading(file.path) as connection:
        assert connection.execute("select count(*) from hits").fetchone() == (1,)
    worker.die()


def test_a_file_that_cant_be_read_is_no_success(tmp_path: Path) -> None:
    """When nobody can tell whether hits of the visitor are in a file, nothing is promised."""
    worker = Worker(tmp_path)
    worker.commit([hit("a", visitor=pseudonym("a"))])
    worker.finish()
    worker.path.write_bytes(b"not a database, but longer than its header would be " * 40)
    with pytest.raises(Unavailable):
        withdraw(tmp_path)


def test_a_withdrawal_that_crosses_midnight_still_covers_the_day_it_began_in(
    tmp_path: Path,
) -> None:
    """While the visitor's hits are looked up the day ends, its file is closed and the next day's
    is opened. The erasure is kept in one more file of the day, finished at once, and today's hits
    go on."""
    next_day = DAY + timedelta(days=1)
    today = Day()

    def slow_pseudonym(seller: str) -> int:
        today.now = next_day
        for _ in range(1000):
            if any(file.day == next_day for file in files(tmp_path)):
                break
            time.sleep(0.01)
        return pseudonym(seller)

    async def story() -> None:
        async with running(tmp_path, today) as spool:
            await append(spool, DAY, hit("a", visitor=pseudonym("a")))
            assert await erase(spool, tmp_path, DAY, slow_pseudonym)
            assert not spool.is_failing
            await append(spool, next_day, hit("a", visitor=5))

    asyncio.run(story())
    [(seller, visitor, marks)] = erasures(tmp_path)
    assert (seller, visitor, list(marks.values())) == ("a", pseudonym("a"), [1])
    of_the_day = [file for file in files(tmp_path) if file.day == DAY]
    assert len(of_the_day) == 2
    assert all(is_finished(file) for file in of_the_day)
    assert kept(tmp_path, next_day) == [5]


def test_a_withdrawal_after_its_days_close_began_is_not_promised(tmp_path: Path) -> None:
    """Nobody could apply it any more, so it isn't confirmed; today's hits are kept as ever."""
    next_day = DAY + timedelta(days=1)
    today = Day()
    today.now = next_day

    async def story() -> None:
        async with running(tmp_path, today) as spool:
            await append(spool, next_day, hit("a"))
            closed_mark(tmp_path, DAY).touch()
            with pytest.raises(Unavailable):
                await spool.erase(DAY, [("a", 5, "{}")])
            await spool.settle(DAY)  # nothing of it waits
            await append(spool, next_day, hit("a", visitor=5))
            assert not spool.is_failing

    asyncio.run(story())
    assert kept(tmp_path, next_day) == [1, 5]
