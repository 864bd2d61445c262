"""The drain: every spool row arrives once, or an alarm says why not."""

import shutil
from datetime import date

import pytest

from tests.collector.desk import Desk, expected
from tests.collector.spooling import DAY, Worker, any_hits, hit

NEXT_DAY = date(2026, 1, 3)


def test_every_row_arrives_as_it_was_written(desk: Desk) -> None:
    """Names with quotes, line separators and emoji, hashes above 2^63: the rows that ClickHouse
    holds are the ones that two workers committed, each as often as it was."""
    one, two = Worker(desk.spool), Worker(desk.spool, NEXT_DAY)
    one.commit(any_hits(700, seed=1))
    two.commit(any_hits(300, seed=2))
    assert desk.drain.step() == 1000
    assert desk.rows() == expected(one, two)
    assert desk.drain.step() == 0
    assert desk.rows() == expected(one, two)
    assert not desk.alarms()


def test_a_worker_that_goes_on_writing_loses_nothing(desk: Desk) -> None:
    """Steps and commits take turns on one live file, then the worker finishes it and is restarted
    on the same day; every row arrives once."""
    worker = Worker(desk.spool)
    for seed in range(20):
        worker.commit(any_hits(17, seed))
        assert desk.drain.step() == 17
    worker.finish()
    assert desk.drain.step() == 0
    other = Worker(desk.spool)
    other.commit(any_hits(5))
    assert desk.drain.step() == 5
    assert desk.rows() == expected(worker, other)


def test_a_batch_is_one_file_one_day_one_block_of_at_most_10_000_rows(desk: Desk) -> None:
    """25,000 rows of a worker make three batches, a colleague's five rows one of their own; no
    batch is spread over two parts, so it arrives whole or not at all."""
    big, small = Worker(desk.spool), Worker(desk.spool)
    big.commit(any_hits(25_000))
    small.commit(any_hits(5))
    desk.client.command("system stop merges hits")
    try:
        desk.drain.step()
        rows = desk.client.query(
            "select batch, uniqExact(_part), count() from hits group by batch order by batch"
        ).result_rows
    finally:
        desk.client.command("system start merges hits")
    assert {parts for _, parts, _ in rows} == {1}
    assert sorted(count for _, _, count in rows) == [5, 5000, 10_000, 10_000]
    assert desk.rows() == expected(big, small)


def test_a_step_takes_eight_batches_and_says_that_more_waits(desk: Desk) -> None:
    """After hours without ClickHouse the drain catches up in steps short enough to be stopped
    between."""
    worker = Worker(desk.spool)
    worker.commit(hit(visitor=each) for each in range(85_000))
    assert desk.drain.step() == 80_000
    assert (desk.drain.behind, desk.drain.waiting()) == (True, 5000)
    assert desk.drain.step() == 5000
    assert (desk.drain.behind, desk.drain.waiting()) == (False, 0)


def test_the_oldest_day_goes_first(desk: Desk) -> None:
    """Yesterday's leftovers go before today's rows, because a day can't be closed before."""
    today, yesterday = Worker(desk.spool, NEXT_DAY), Worker(desk.spool)
    today.commit([hit()])
    yesterday.commit([hit()])
    desk.drain.step()
    assert [batch.number for batch in desk.ledger.batches(DAY)] == [1]
    assert [batch.number for batch in desk.ledger.batches(NEXT_DAY)] == [2]


def test_a_batch_does_not_tell_who_came_first(desk: Desk) -> None:
    """A batch leaves sorted by seller, product and hash; arrival order stays in the spool."""
    worker = Worker(desk.spool)
    visits = ((5, 1), (3, 20), (2**63 - 1, 0), (4, 3), (1, 10))
    worker.commit(hit(visitor=visitor, hour=hour) for visitor, hour in visits)
    desk.drain.step()
    found = desk.client.query("select visitor from hits").result_columns[0]
    assert list(found) == [1, 3, 4, 5, 2**63 - 1]


def test_a_batch_sent_twice_counts_once(desk: Desk) -> None:
    """We die after ClickHouse stored the batch and before the ledger noted it; on restart it is
    read back, found whole and not sent again."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.drain.step()
    desk.change_ledger("update batches set state = 'pending'")
    desk.restart()
    assert len(desk.ledger.in_doubt()) == 1
    assert desk.drain.step() == 0
    assert desk.rows() == expected(worker)
    assert not desk.ledger.in_doubt()


def test_a_batch_that_never_left_is_sent_with_its_old_bounds(desk: Desk) -> None:
    """We die after the bounds were noted and before anything was sent; on restart that batch is
    sent, and the rows that came since go into the next one."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.ledger.saw(DAY)
    desk.ledger.form(DAY, worker.writer.run, [(1, 20)])
    worker.commit(any_hits(10, seed=2))
    assert desk.drain.step() == 60
    assert desk.rows() == expected(worker)
    bounds = [(each.first_row, each.last_row) for each in desk.ledger.batches(DAY)]
    assert bounds == [(1, 20), (21, 60)]


def test_a_batch_of_which_only_some_rows_are_there_stops_the_drain(desk: Desk) -> None:
    """Nobody can explain half a batch, so nothing is sent, from no file, until somebody has looked;
    when the rows are back, the drain goes on by itself and the alarm ends."""
    worker = Worker(desk.spool)
    worker.commit(hit(visitor=each) for each in range(50))
    desk.drain.step()
    desk.client.command("alter table hits delete where visitor = 7", settings={"mutations_sync": 2})
    desk.change_ledger("update batches set state = 'pending'")
    other = Worker(desk.spool)
    other.commit([hit(visitor=99)])
    desk.restart()
    assert desk.drain.step() == 0
    assert desk.alarms()["batch-differs"].startswith("batch 1 of 2026-01-02: 49 of its 50 rows")
    assert hit(visitor=99) not in {row[1:] for row in desk.rows()}
    desk.client.command(
        "insert into hits select * replace(7 as visitor)"
        " from (select * from hits where visitor = 8)"
    )
    assert desk.drain.step() == 1
    assert not desk.alarms()
    assert desk.rows() == expected(worker, other)


def test_a_batch_that_clickhouse_lost_is_sent_again(desk: Desk) -> None:
    """A part broke, and with it the first batch: the engine set it aside at its start. The ledger
    calls it arrived; the drain finds nothing of it there and sends it again from the spool."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.drain.step()
    worker.commit(any_hits(10, seed=2))
    worker.finish()
    desk.drain.step()
    desk.client.command("alter table hits delete where batch = 1", settings={"mutations_sync": 2})
    assert desk.rows().total() == 10
    desk.restart()
    assert desk.drain.step() == 50
    assert desk.rows() == expected(worker)


def test_a_batch_missed_at_the_close_is_sent_again(desk: Desk) -> None:
    """The day is drained and its close finds that ClickHouse lost a batch meanwhile: put in doubt,
    it is sent again from a file that the drain had finished with, and no new batch is formed."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    worker.finish()
    desk.drain.step()
    desk.drain.step()
    desk.client.command("alter table hits delete where batch = 1", settings={"mutations_sync": 2})
    desk.change_ledger("update days set state = 'drained'")
    desk.ledger.doubt([1])
    assert desk.drain.step() == 50
    assert desk.rows() == expected(worker)
    assert [batch.number for batch in desk.ledger.batches(DAY)] == [1]
    assert not desk.alarms()


def test_a_lost_ledger_stops_the_drain(desk: Desk) -> None:
    """Somebody deletes ledger.sqlite: the rows in ClickHouse would all be sent a second time."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.drain.step()
    desk.stop()
    for path in desk.ledger_path.parent.glob("ledger.sqlite*"):
        path.unlink()
    desk.start()
    for _ in range(3):
        assert desk.drain.step() == 0
    assert "ClickHouse holds batch 1" in desk.alarms()["ledger-lost"]
    assert desk.rows() == expected(worker)


def test_a_new_ledger_drains_again_once_the_tables_were_emptied(desk: Desk) -> None:
    """There is no copy of the ledger, so the operator empties hits and erased, as the alarm's entry
    says: what the spool has counts again, once, withdrawals included; sealed days are known from
    their counts."""
    sealed = date(2025, 12, 31)
    desk.client.command(
        "insert into counts (day, period, seller, product, visitors, views, closed, seal)"
        f" values ('{sealed}', 'day', 's', '', 5, 5, '{sealed}', 1)"
    )
    worker = Worker(desk.spool)
    worker.commit([*any_hits(50), hit(visitor=7)])
    desk.drain.step()
    worker.erase("s", 7)
    worker.commit(any_hits(10, seed=2))
    desk.drain.step()
    before = desk.rows()
    desk.stop()
    for path in desk.ledger_path.parent.glob("ledger.sqlite*"):
        path.unlink()
    for table in ("hits", "erased"):
        desk.client.command(f"truncate table {table}")
    desk.start()
    desk.drain.step()
    assert not desk.alarms()
    assert desk.rows() == before
    assert desk.ledger.days(date.min, date.max) == {sealed: "sealed", DAY: "open"}


def test_an_old_copy_of_the_ledger_stops_the_drain(desk: Desk) -> None:
    """A ledger put back from last night's copy doesn't know this morning's batches."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    desk.drain.step()
    desk.stop()
    shutil.copy(desk.ledger_path, desk.ledger_path.with_suffix(".copy"))
    desk.start()
    worker.commit(any_hits(10, seed=2))
    desk.drain.step()
    desk.stop()
    shutil.copy(desk.ledger_path.with_suffix(".copy"), desk.ledger_path)
    desk.start()
    assert desk.drain.step() == 0
    assert "ledger-lost" in desk.alarms()
    assert desk.rows() == expected(worker)


@pytest.mark.parametrize("state", ["reconciled", "counted", "loaded", "gone", "sealed", "lost"])
def test_a_batch_for_a_counted_day_is_refused(desk: Desk, state: str) -> None:
    """Rows that turn up for a day that was counted for good make an alarm that names the file, and
    no hits; other days go on."""
    worker, other = Worker(desk.spool), Worker(desk.spool, NEXT_DAY)
    worker.commit(any_hits(5))
    desk.drain.step()
    desk.change_ledger(f"update days set state = '{state}' where day = '{DAY}'")
    before = desk.rows()
    worker.commit(any_hits(5, seed=2))
    other.commit(any_hits(5, seed=3))
    assert desk.drain.step() == 5
    assert desk.rows() == before + expected(other)
    assert worker.path.name in desk.alarms()["rows-late"]


def test_a_day_whose_salt_is_destroyed_still_drains(desk: Desk) -> None:
    """Closing a day ends its salt, not its rows: what waits in the spool is still owed."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(5))
    desk.drain.step()
    desk.change_ledger("update days set state = 'closed'")
    worker.commit(any_hits(5, seed=2))
    assert desk.drain.step() == 5
    assert desk.rows() == expected(worker)


def test_a_lost_ledger_does_not_count_a_sealed_day_again(desk: Desk) -> None:
    """The ledger is lost while a sealed day's spool was not removed yet: counts hold the day, so
    its rows stay out."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(5))
    desk.client.command(
        "insert into counts (day, period, seller, product, visitors, views, closed, seal)"
        f" values ('{DAY}', 'day', 's', '', 5, 5, '{DAY}', 1)"
    )
    assert desk.drain.step() == 0
    assert "day-counted" in desk.alarms()
    assert not desk.rows()


def test_days_are_open_as_soon_as_their_directory_is_seen(desk: Desk) -> None:
    """A day on which a worker ran and nobody came is open, with zeros; others are missing."""
    worker = Worker(desk.spool)
    (desk.spool / NEXT_DAY.isoformat()).mkdir()
    (desk.spool / NEXT_DAY.isoformat() / "0123456789ab.lock").touch()
    (desk.spool / "lost+found").mkdir()
    desk.drain.step()
    assert desk.ledger.days(date.min, date.max) == {DAY: "open", NEXT_DAY: "open"}
    assert not desk.alarms()
    worker.finish()
