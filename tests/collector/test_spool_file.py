"""The spool file: durable, locked, one worker's and one day's."""

import contextlib
import errno
import os
import sqlite3
import threading
from datetime import date
from pathlib import Path

import pytest

from collector.spool_file import (
    GROUP_HITS_MAX,
    DayIsClosed,
    SpoolFile,
    SpoolWriter,
    closed_mark,
    files,
    is_finished,
    signed,
)
from collector.spool_reader import reading
from tests.collector.spooling import DAY, Worker, any_hits, hit


def rows(path: Path, question: str = "select * from hits order by row") -> list[tuple[object, ...]]:
    """Ask a spool file as another process would."""
    with reading(path) as connection:
        return connection.execute(question).fetchall()


def found(spool: Path) -> SpoolFile:
    """Return the only spool file."""
    (file,) = files(spool)
    return file


def test_what_was_committed_is_read_back_whole(tmp_path: Path) -> None:
    """Every field of a hit comes back, hashes above 2^63 as SQLite's signed integers; rows are
    numbered from 1 without a gap, however many are committed together."""
    worker = Worker(tmp_path)
    for size in (1, 50, GROUP_HITS_MAX, GROUP_HITS_MAX + 1, 3 * GROUP_HITS_MAX, 2):
        worker.commit(any_hits(size, seed=size))
    expected = [
        (number, *each[:3], signed(each.visitor), *each[4:])
        for number, each in enumerate(worker.rows, 1)
    ]
    assert rows(worker.path) == expected
    worker.finish()
    assert rows(worker.path) == expected


@pytest.mark.parametrize("visitor", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_pseudonym_survives_its_sign(visitor: int) -> None:
    """SQLite's integers are signed; the same 64 bits come back from what it keeps."""
    assert -(2**63) <= signed(visitor) < 2**63
    assert signed(visitor) % 2**64 == visitor


def test_a_commit_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    """A power cut keeps what was fsynced only, so the log is synchronised at every commit, and
    deleted content is overwritten."""
    worker = Worker(tmp_path)
    settings = {
        name: worker.writer._connection.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "user_version")
    }
    worker.die()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1} | {
        "user_version": 2
    }


def test_a_file_is_finished_once_its_worker_let_go(tmp_path: Path) -> None:
    """The drain may close a day only when nobody can write to it: the lock says so, whether the
    worker closed the day or died."""
    closing_worker, dying_worker = Worker(tmp_path, DAY), Worker(tmp_path, date(2026, 1, 3))
    one, other = files(tmp_path)
    assert not is_finished(one)
    assert not is_finished(other)
    closing_worker.finish()
    assert (is_finished(one), is_finished(other)) == (True, False)
    assert rows(one.path, "select count(*) from closed") == [(1,)]
    dying_worker.die()
    assert is_finished(other)
    assert rows(other.path, "select count(*) from closed") == [(0,)]


def test_a_reader_does_not_take_the_lock_away(tmp_path: Path) -> None:
    """Another process looks whether the file is finished, reads it and closes it; the worker
    still holds its lock and still writes."""
    worker = Worker(tmp_path)
    file = found(tmp_path)
    for _ in range(3):
        assert not is_finished(file)
        rows(file.path)
    worker.commit([hit()])
    assert not is_finished(file)
    assert len(rows(file.path)) == 1
    worker.die()


def test_what_was_not_committed_is_not_there(tmp_path: Path) -> None:
    """A worker that dies between insert and commit leaves nothing of the group behind."""
    worker = Worker(tmp_path)
    worker.commit([hit(visitor=1)])
    worker.writer.insert([hit(visitor=2)], {"yes": 1})
    worker.die()
    assert [row[4] for row in rows(worker.path)] == [1]
    assert rows(worker.path, "select outcome, beacons from outcomes") == [("yes", 1)]


def test_outcomes_add_up(tmp_path: Path) -> None:
    """Each group adds its outcomes to the day's."""
    worker = Worker(tmp_path)
    for outcomes in ({"bot": 2, "yes": 1}, {"bot": 3}, {}):
        worker.writer.insert([], outcomes)
        worker.writer.commit()
    worker.die()
    found = rows(worker.path, "select outcome, beacons from outcomes order by 1")
    assert found == [("bot", 5), ("yes", 1)]


def test_the_sellers_of_a_day_are_listed_once(tmp_path: Path) -> None:
    """A withdrawal asks whose pages a visitor may have seen without looking at every hit."""
    worker = Worker(tmp_path)
    worker.commit([hit("a"), hit("b"), hit("a")])
    worker.commit([hit("b"), hit("c")])
    worker.die()
    assert rows(worker.path, "select seller from sellers order by 1") == [("a",), ("b",), ("c",)]


def test_only_the_owner_may_open_what_was_spooled(tmp_path: Path) -> None:
    """Hits are personal data until the day is sealed: no other user of the machine reads them."""
    worker = Worker(tmp_path / "spool")
    worker.commit([hit()])
    made = [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]
    assert len(made) >= 5
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in made} == dict.fromkeys(
        (path.name for path in made), "0o0"
    )
    worker.die()


def test_no_file_is_made_for_a_day_that_is_closed(tmp_path: Path) -> None:
    """A worker with a late clock can't add a hit behind the day's close; it leaves no trace."""
    closed_mark(tmp_path, DAY).touch()
    with pytest.raises(DayIsClosed, match="2026-01-02 is closed already"):
        SpoolWriter(tmp_path, DAY)
    assert files(tmp_path) == []


@pytest.mark.parametrize("step", ["tables", "directory"])
def test_a_failed_beginning_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A full disk refuses the tables or the directory's entry. The worker tries again every
    second: it must not fill the directory with empty files that later stop a withdrawal."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "tables":
        monkeypatch.setattr("collector.spool_file.SCHEMA", "create table hits; nonsense")
    else:
        Worker(tmp_path).die()  # so that the directories are there
        monkeypatch.setattr("collector.spool_file.sync_directory", fail)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((OSError, sqlite3.Error)):
        SpoolWriter(tmp_path, DAY)
    left = sorted(path for path in tmp_path.rglob("*") if path not in before and path.is_file())
    assert left == []
    assert open_files_below(tmp_path) == []


def open_files_below(directory: Path) -> list[str]:
    """Return what this process holds open there."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(str(entry.readlink()))
    return [link for link in links if link.startswith(str(directory))]


def test_strangers_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    """A copy, a note or a folder of another name is no spool file."""
    worker = Worker(tmp_path)
    worker.die()
    (tmp_path / "not-a-day").mkdir()
    (tmp_path / "not-a-day" / "x.sqlite").touch()
    (worker.path.parent / "notes.txt").touch()
    assert [file.path for file in files(tmp_path)] == [worker.path]
    assert found(tmp_path).name == f"2026-01-02/{worker.writer.run}.sqlite"


def test_a_day_that_is_shredded_meanwhile_disturbs_nobody_who_lists_files(tmp_path: Path) -> None:
    """The close renames a day's directory away. Whoever lists files at that moment, such as status
    or a withdrawal, finds the other days' all the same: one in seventy failed where both did
    nothing else."""
    for day in range(1, 8):
        (tmp_path / f"2026-01-0{day}").mkdir()
        (tmp_path / f"2026-01-0{day}" / "run.sqlite").touch()
    shredded, going = tmp_path / "2026-01-03", tmp_path / "2026-01-03.going"
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            shredded.rename(going)
            going.rename(shredded)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(1500):
            days = [file.day.day for file in files(tmp_path)]
            assert days in ([1, 2, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7])
    finally:
        is_over.set()
        thread.join()


def test_a_reader_replays_what_a_killed_worker_left(tmp_path: Path) -> None:
    """After SIGKILL the last commits are in the log only; whoever opens the file next sees them."""
    pid = os.fork()
    if pid == 0:  # the worker: commits and is gone, without closing anything
        worker = Worker(tmp_path)
        worker.commit([hit(visitor=7), hit(visitor=8)])
        os._exit(0)
    os.waitpid(pid, 0)
    file = found(tmp_path)
    assert file.path.with_name(f"{file.path.name}-wal").stat().st_size > 0
    assert is_finished(file)
    assert [row[4] for row in rows(file.path)] == [7, 8]
    with contextlib.closing(sqlite3.connect(file.path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
