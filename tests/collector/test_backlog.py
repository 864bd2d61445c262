"""The backlog: spool files in any state, each either drained whole or named."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from collector.backlog import opened
from collector.drain import Drain
from collector.ledger import Ledger
from collector.spool_file import files
from collector.warehouse import Warehouse
from tests.collector.desk import Desk, expected
from tests.collector.spooling import DAY, Worker, any_hits, hit

Harm = Callable[[Path], object]


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(9000)


def _scramble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * (path.stat().st_size - 4096))


def _make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as base:
        base.execute("create table visits (address)")


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (_truncate, "spool-unreadable"),
        (_scramble, "spool-unreadable"),
        (lambda path: path.write_bytes(b"not a database" * 999), "spool-unreadable"),
        (_make_foreign, "spool-foreign"),
    ],
    ids=["truncated", "scrambled", "not SQLite", "foreign"],
)
def test_a_spoilt_spool_file_is_named_and_the_others_go_on(
    desk: Desk, tmp_path: Path, harm: Harm, code: str
) -> None:
    """One file is spoilt before it was drained: the alarm names it, its colleague's rows arrive,
    and when the file is put back, its own arrive too and the alarm ends."""
    spoilt, whole = Worker(desk.spool), Worker(desk.spool)
    spoilt.commit(any_hits(500))
    whole.commit(any_hits(10, seed=2))
    spoilt.finish()
    shutil.copy(spoilt.path, tmp_path / "copy")
    harm(spoilt.path)
    desk.drain.step()
    assert spoilt.path.name in desk.alarms()[code]
    assert desk.rows() == expected(whole)
    shutil.copy(tmp_path / "copy", spoilt.path)
    desk.drain.step()
    assert not desk.alarms()
    assert desk.rows() == expected(whole, spoilt)


@pytest.mark.parametrize("length", [0, 1])
def test_a_spool_file_that_lost_counted_rows_is_named(desk: Desk, length: int) -> None:
    """A file that ends before rows that were counted isn't the file that was counted from."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(40))
    worker.commit(any_hits(10, seed=2))
    worker.die()
    desk.drain.step()
    if length:
        with closing(sqlite3.connect(worker.path)) as base, base:
            base.execute("delete from groups where first > 40")
    else:
        worker.path.write_bytes(b"")
    desk.restart()
    assert desk.drain.step() == 0
    assert worker.path.name in desk.alarms()["spool-truncated"]
    assert desk.rows() == expected(worker)


def test_a_missing_spool_file_is_named(desk: Desk) -> None:
    """The file of a batch in doubt is gone, so nobody knows what should have arrived."""
    worker, other = Worker(desk.spool), Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.ledger.saw(DAY)
    desk.ledger.form(DAY, worker.writer.run, [(1, 50)])
    worker.path.rename(desk.spool / "elsewhere")
    other.commit(any_hits(5, seed=2))
    assert desk.drain.step() == 5
    assert worker.path.name in desk.alarms()["spool-missing"]
    (desk.spool / "elsewhere").rename(worker.path)
    assert desk.drain.step() == 50
    assert not desk.alarms()


def test_a_killed_worker_loses_nothing_that_it_committed(desk: Desk) -> None:
    """The worker is killed; its rows lie in SQLite's log, its lock is free, nothing says closed."""
    story = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from tests.collector.spooling import Worker, any_hits
        worker = Worker(Path({str(desk.spool)!r}))
        worker.commit(any_hits(500))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", story], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(desk.spool.glob("*/*.sqlite-wal")), "the kill left a log"
    assert desk.drain.step() == 500
    assert sum(desk.rows().values()) == 500


def test_a_finished_file_is_not_opened_again(desk: Desk) -> None:
    """A day of many worker runs costs no more than its live ones."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(5))
    worker.finish()
    desk.drain.step()
    desk.drain.step()
    worker.path.write_bytes(b"never read")
    desk.drain.step()
    assert not desk.alarms()


def test_rows_wait_while_clickhouse_is_away(tmp_path: Path) -> None:
    """Nothing listens at the server's address: the alarm says so, and every row waits."""
    warehouse = Warehouse(tmp_path, "clickhouse://127.0.0.1:9/nothing")
    desk_ledger = Ledger(tmp_path / "ledger.sqlite")
    drain = Drain(tmp_path / "spool", desk_ledger, warehouse, lambda: 0.0)
    worker = Worker(tmp_path / "spool")
    worker.commit(any_hits(5))
    assert drain.step() == 0
    assert drain.waiting() == 5
    assert [alarm.code for alarm in desk_ledger.alarms.sounding()] == ["warehouse-away"]
    assert desk_ledger.days(date.min, date.max) == {DAY: "open"}
    drain.close()
    warehouse.close()
    desk_ledger.close()


def test_a_row_that_clickhouse_refuses_holds_up_its_file_only(desk: Desk) -> None:
    """A spool file with an hour that isn't one, which no worker writes: its batch is refused, the
    alarm names the file and quotes nothing of it; the other file's rows arrive."""
    bad, good = Worker(desk.spool), Worker(desk.spool)
    bad.commit([hit(visitor=123456789012345678), hit(hour=-1)])
    good.commit(any_hits(5))
    assert desk.drain.step() == 5
    sentence = desk.alarms()["batch-refused"]
    assert bad.path.name in sentence
    assert "123456789012345678" not in sentence
    assert desk.rows() == expected(good)


def test_a_reading_drain_leaves_no_transaction_open(desk: Desk) -> None:
    """A reader that holds a snapshot would keep the worker's log from ever being emptied."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(5))
    [file] = files(desk.spool)
    with opened(file) as waiting:
        assert waiting is not None
        waiting.withdraw([])
        worker.commit(any_hits(5, seed=2))
        with closing(sqlite3.connect(worker.path)) as base:
            busy, _, _ = base.execute("pragma wal_checkpoint(truncate)").fetchone()
    assert busy == 0
