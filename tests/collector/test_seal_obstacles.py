"""The seal and the world: what delays a close, what ends it, and what it must not be misled by."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from collector import salt
from collector.close.seal import LOST_AFTER_SECONDS
from collector.spool_file import DayIsClosed, SpoolWriter
from collector.warehouse import Warehouse
from tests.collector.sealing import DAY, Shop, noon, some_hits, totals_of


@pytest.mark.slow
def test_a_worker_that_still_commits_while_the_day_is_closed_loses_nothing(shop: Shop) -> None:
    """Past midnight a worker holds its file and commits on: the day waits for it. A second one
    that wants to begin a file for that day is refused, so that its caller is told."""
    shop.visit(DAY, some_hits(200, 10), finish=False)
    shop.midnight_after(DAY)
    stop = threading.Event()
    late: list[list[object]] = []

    def commit_on() -> None:
        worker = shop.workers[DAY][0]
        for seed in range(20, 40):
            hits = some_hits(50, seed)
            worker.commit(hits)
            late.append([hits])
            shop.written[DAY] += hits
            stop.wait(0.02)
        worker.finish()

    thread = threading.Thread(target=commit_on)
    thread.start()
    while thread.is_alive():
        shop.drain.step()
        shop.seal.step()
        assert shop.state_of(DAY) in ("open", "closed", "drained")
    thread.join()
    with pytest.raises(DayIsClosed):
        SpoolWriter(shop.spool, DAY)
    shop.drain_all()
    shop.seal_all()
    assert len(late) == 20
    assert shop.totals(DAY) == totals_of(shop.written[DAY])


def test_a_day_is_not_closed_before_its_salt_is_gone(shop: Shop) -> None:
    """Five minutes past midnight a salt is still there, because it can't be destroyed: nothing of
    the day is counted, and after ten minutes an alarm says so."""
    shop.visit(DAY, some_hits(50, 11))
    shop.now = noon(DAY) + 12 * 3600 + 300
    assert not shop.seal.step()
    shop.running += 601
    assert not shop.seal.step()
    assert [alarm.code for alarm in shop.ledger.alarms.sounding()] == ["salt-stays"]
    shop.midnight_after(DAY)
    shop.seal_all()
    assert shop.ledger.alarms.sounding() == []


def test_a_batch_that_differs_stops_the_close(shop: Shop) -> None:
    """Rows of a batch disappear from ClickHouse: the day is not counted, an alarm names the batch,
    and the spool that could cure it stays."""
    shop.visit(DAY, some_hits(300, 12))
    shop.client.command("alter table hits delete where visitor % 7 = 0 settings mutations_sync = 2")
    shop.midnight_after(DAY)
    for _ in range(5):
        shop.seal.step()
    assert shop.state_of(DAY) == "drained"
    assert [alarm.code for alarm in shop.ledger.alarms.sounding()] == ["seal-differs"]
    assert list(shop.spool.rglob("*.sqlite"))


def test_a_batch_that_clickhouse_lost_is_sent_again_and_sealed(shop: Shop) -> None:
    """A disk loses a part after the day was drained: its batches are gone whole, so the close has
    the drain send them again from the spool, and seals what was written."""
    shop.visit(DAY, some_hits(300, 13))
    shop.midnight_after(DAY)
    shop.seal_until("drained")
    shop.client.command("truncate table hits")
    assert not shop.seal.step()
    shop.drain.step()
    shop.seal_all()
    assert shop.state_of(DAY) == "sealed"
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert shop.ledger.alarms.sounding() == []


@pytest.mark.slow
def test_a_day_that_cannot_be_sealed_is_lost_and_shredded(shop: Shop) -> None:
    """For 72 hours of running a batch differs: the day is declared lost. It is missing and not
    zero, its hits, spool and salt are gone, and the next day is sealed as ever."""
    shop.visit(DAY, some_hits(300, 17))
    shop.client.command("alter table hits delete where visitor % 7 = 0 settings mutations_sync = 2")
    shop.midnight_after(DAY)
    next_day = DAY + timedelta(days=1)
    shop.now = noon(next_day)
    shop.visit(next_day, some_hits(100, 18))
    for _ in range(5):
        shop.seal.step()
    for _ in range(LOST_AFTER_SECONDS // 3600):
        shop.running += 3600
        shop.seal.step()
    shop.midnight_after(next_day)
    shop.seal_all()
    assert shop.state_of(DAY) == "lost"
    assert shop.ledger.days(DAY, next_day) == {DAY: "lost", next_day: "sealed"}
    assert not shop.totals(DAY)
    assert shop.totals(next_day) == totals_of(shop.written[next_day])
    assert not (shop.spool / DAY.isoformat()).exists()
    assert shop.client.query("select count() from hits").result_rows == [(0,)]


def test_old_counts_go_also_while_a_day_cannot_be_sealed(shop: Shop) -> None:
    """A batch differs, so the day waits for somebody; counts that are too old are deleted that day
    all the same."""
    old = DAY - timedelta(days=63)
    shop.client.command(
        f"insert into counts values ('{old}', 'day', 's', 'p', '', '', 1, 1, 0, '{old}', 1)"
    )
    shop.keep_counts_days = 62
    shop.restart()
    shop.visit(DAY, some_hits(300, 25))
    shop.client.command("alter table hits delete where visitor % 7 = 0 settings mutations_sync = 2")
    shop.midnight_after(DAY)
    for _ in range(5):
        shop.seal.step()
    assert shop.state_of(DAY) == "drained"
    assert not shop.totals(old)


def test_days_on_which_nothing_ran_are_missing(shop: Shop) -> None:
    """Two days without a process between two with one: no state, no row, and no obstacle."""
    later = DAY + timedelta(days=3)
    shop.visit(DAY, some_hits(50, 19))
    shop.midnight_after(DAY)
    shop.now = noon(later)
    shop.visit(later, some_hits(50, 20))
    shop.midnight_after(later)
    shop.seal_all()
    assert shop.ledger.days(DAY, later) == {DAY: "sealed", later: "sealed"}


def test_an_operator_may_close_a_day_that_is_over_and_no_other(shop: Shop) -> None:
    """One minute past midnight `close-day` destroys the salt and seals at once; today it refuses;
    a day on which nothing ran is said to be missing."""
    shop.visit(DAY, some_hits(50, 21))
    with pytest.raises(ValueError, match="is not over"):
        shop.seal.close_day(DAY)
    shop.now = noon(DAY) + 12 * 3600 + 60
    assert shop.seal.close_day(DAY, pause_seconds=0.05) == f"{DAY}: sealed."
    assert salt.days(shop.salts) == {}
    assert "missing" in shop.seal.close_day(DAY - timedelta(days=1))


@pytest.mark.slow
def test_a_new_minimum_holds_from_the_next_month(tmp_path: Path, warehouse: Warehouse) -> None:
    """In June the setting is raised from 3 to 9: June's closes go on with 3."""
    shop = Shop(tmp_path, warehouse, minimum=3)
    shop.visit(DAY, some_hits(60, 22, sellers=1, products=1))
    shop.midnight_after(DAY)
    shop.seal_all()
    shop.minimum = 9
    shop.restart()
    next_day = DAY + timedelta(days=1)
    shop.visit(next_day, some_hits(60, 23, sellers=1, products=1))
    shop.midnight_after(next_day)
    shop.seal_all()
    small = shop.counts("visitors", f"dimension = 'hour' and day = '{next_day}'")
    assert small
    assert min(small) < (9,)
    shop.stop()


def test_a_damaged_spool_file_holds_the_day_and_is_named(shop: Shop) -> None:
    """A spool file is overwritten with rubbish after it was drained: the day waits, the alarm
    names the file."""
    shop.visit(DAY, some_hits(50, 24))
    path = shop.workers[DAY][0].path
    path.write_bytes(os.urandom(4096))
    shop.midnight_after(DAY)
    shop.seal.step()
    shop.seal.step()
    shop.running += 601
    shop.seal.step()
    alarms = shop.ledger.alarms.sounding()
    assert [alarm.code for alarm in alarms] == ["seal-waits"]
    assert path.name in alarms[0].sentence
