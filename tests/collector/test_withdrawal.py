"""Withdrawal, on the reports side: gone from every number at the next step, and only that."""

from collections import Counter
from datetime import date

import pytest

from tests.collector.desk import Desk, expected, visitors
from tests.collector.spooling import DAY, Worker, any_hits, hit

EVE = 0xF1E2D3C4B5A69788
MALLORY = 77


def test_what_was_drained_before_stops_counting(desk: Desk) -> None:
    """Eve's two views are in ClickHouse when she withdraws: one step later no number has them, and
    everybody else's stand. Readers are told that something changed."""
    worker = Worker(desk.spool)
    worker.commit([hit("s", visitor=EVE), hit("s", "q", EVE), hit("s", visitor=MALLORY)])
    desk.drain.step()
    assert visitors(desk) == {("s", EVE): 2, ("s", MALLORY): 1}
    before = desk.ledger.erasures()
    worker.erase("s", EVE)
    desk.drain.step()
    assert visitors(desk) == {("s", MALLORY): 1}
    assert desk.ledger.erasures() > before


def test_what_waits_in_the_spool_is_never_sent(desk: Desk) -> None:
    """Eve withdraws before the drain came by: her rows don't reach ClickHouse at all."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE), hit(visitor=MALLORY)])
    worker.erase("s", EVE)
    assert desk.drain.step() == 1
    assert [row[4] for row in desk.rows("hits")] == [MALLORY]


def test_another_workers_file_is_covered_too(desk: Desk) -> None:
    """Eve's views went through two workers and her withdrawal through a third."""
    workers = [Worker(desk.spool) for _ in range(3)]
    workers[0].commit([hit(visitor=EVE)])
    desk.drain.step()
    workers[1].commit([hit(visitor=EVE), hit(visitor=MALLORY)])
    workers[1].finish()
    workers[2].commit([hit(visitor=MALLORY)])
    marks = f'{{"{workers[0].writer.run}": 1, "{workers[1].writer.run}": 2}}'
    workers[2].erase("s", EVE, marks)
    desk.drain.step()
    assert visitors(desk) == {("s", MALLORY): 2}


def test_consent_given_again_counts_from_then_on(desk: Desk) -> None:
    """Eve withdraws, consents again and looks twice more, before and after a step: the later views
    count, the earlier don't, also when all of it is drained at once."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE, hour=1)])
    desk.drain.step()
    worker.commit([hit(visitor=EVE, hour=2)])
    worker.erase("s", EVE)
    worker.commit([hit(visitor=EVE, hour=3)])
    desk.drain.step()
    worker.commit([hit(visitor=EVE, hour=4)])
    desk.drain.step()
    assert sorted(row[1] for row in desk.rows()) == [3, 4]
    desk.restart()
    desk.drain.step()
    assert sorted(row[1] for row in desk.rows()) == [3, 4]


def test_withdrawing_twice_erases_both_times(desk: Desk) -> None:
    """Consent, refusal, consent, refusal, consent on one day: the last stretch counts."""
    worker = Worker(desk.spool)
    for hour in range(3):
        if hour:
            worker.erase("s", EVE)
        worker.commit([hit(visitor=EVE, hour=hour), hit(visitor=MALLORY, hour=hour)])
        desk.drain.step()
    assert visitors(desk) == {("s", EVE): 1, ("s", MALLORY): 3}


def test_a_run_that_began_later_is_not_touched(desk: Desk) -> None:
    """A file that isn't named in the marks began after the withdrawal."""
    early = Worker(desk.spool)
    early.commit([hit(visitor=EVE)])
    early.erase("s", EVE)
    late = Worker(desk.spool)
    late.commit([hit(visitor=EVE, hour=23)])
    desk.drain.step()
    assert [row[1] for row in desk.rows()] == [23]


@pytest.mark.parametrize("drained_before", [True, False])
def test_only_that_seller_and_that_day(desk: Desk, drained_before: bool) -> None:
    """An equal number with another seller or on another day is somebody else."""
    today, tomorrow = Worker(desk.spool), Worker(desk.spool, date(2026, 1, 3))
    today.commit([hit("a", visitor=EVE), hit("b", visitor=EVE)])
    tomorrow.commit([hit("a", visitor=EVE)])
    if drained_before:
        desk.drain.step()
    today.erase("a", EVE)
    desk.drain.step()
    assert sorted((row[0], row[2]) for row in desk.rows()) == [
        (DAY, "b"),
        (date(2026, 1, 3), "a"),
    ]


def test_a_withdrawal_before_a_restart_is_applied_before_anything_is_sent(desk: Desk) -> None:
    """We die after a batch with Eve's row was noted, whether or not it arrived; she withdraws while
    nothing runs. At the next start the erasure goes first, and the batch is settled without her."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE), hit(visitor=MALLORY)])
    desk.ledger.saw(DAY)
    desk.ledger.form(DAY, worker.writer.run, [(1, 2)])
    worker.erase("s", EVE)
    desk.restart()
    assert desk.drain.step() == 1
    assert visitors(desk) == {("s", MALLORY): 1}

    worker.commit([hit(visitor=EVE), hit(visitor=5)])
    desk.drain.step()
    desk.change_ledger("update batches set state = 'pending' where number = 2")
    worker.erase("s", EVE)
    desk.restart()
    assert desk.drain.step() == 0
    assert not desk.alarms()
    assert visitors(desk) == {("s", MALLORY): 1, ("s", 5): 1}


def test_an_erasure_noted_and_not_told_is_told_at_the_next_start(desk: Desk) -> None:
    """We die between the ledger's note and ClickHouse's: the note keeps its batch, and what came
    after it counts."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE, hour=1)])
    desk.drain.step()
    worker.erase("s", EVE)
    desk.ledger.mark_erasures([(DAY, worker.writer.run, 1)])
    desk.restart()
    worker.commit([hit(visitor=EVE, hour=2)])
    desk.drain.step()
    assert [row[1] for row in desk.rows()] == [2]
    [mark] = desk.ledger.marks(DAY)
    assert (mark.before_batch, mark.applied) == (2, True)


def test_rows_between_the_marks_and_the_erasures_commit_raise_no_alarm(desk: Desk) -> None:
    """A worker reads the marks, Eve's row is committed and drained, and only then the erasure is:
    nobody can say which came first, so either answer will do, but the drain must not stop."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE, hour=1)])
    marks = f'{{"{worker.writer.run}": 1}}'
    worker.commit([hit(visitor=EVE, hour=2), hit(visitor=MALLORY)])
    desk.drain.step()
    worker.erase("s", EVE, marks)
    desk.change_ledger("update batches set state = 'pending'")
    desk.restart()
    desk.drain.step()
    assert not desk.alarms()
    assert visitors(desk) == {("s", MALLORY): 1}


def test_a_day_of_withdrawals_among_many_leaves_the_others_whole(desk: Desk) -> None:
    """A hundred of a thousand visitors withdraw here and there while the drain goes on; a reference
    in Python says what must be left."""
    worker = Worker(desk.spool)
    left: Counter[int] = Counter()
    for turn in range(20):
        group = [hit(visitor=(turn * 37 + each) % 200) for each in range(50)]
        worker.commit(group)
        left.update(each.visitor for each in group)
        if turn % 3:
            desk.drain.step()
        for visitor in range(turn, 200, 41):
            worker.erase("s", visitor)
            left.pop(visitor, None)
    desk.drain.step()
    assert Counter({visitor: count for (_, visitor), count in visitors(desk).items()}) == left
    assert not desk.alarms()


def test_what_clickhouse_forgot_of_a_withdrawal_is_told_again(desk: Desk) -> None:
    """A part of `erased` broke and the engine set it aside at its start: nobody may count Eve
    again, although the ledger calls her erasure applied."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=MALLORY)])
    desk.drain.step()
    worker.commit([hit(visitor=EVE)])
    desk.drain.step()
    worker.erase("s", EVE)
    desk.now = 1.0  # too early to delete
    desk.drain.step()
    desk.client.command("truncate table erased")
    desk.restart()
    desk.drain.step()
    assert visitors(desk) == {("s", MALLORY): 1}


def test_the_ledger_holds_no_hash(desk: Desk) -> None:
    """What the ledger notes of an erasure is where it stands, never whose it is. The same search
    finds the hash in the spool."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE), *any_hits(5)])
    desk.drain.step()
    worker.erase("s", EVE)
    desk.drain.step()
    packed = EVE.to_bytes(8, "big")
    found = b"".join(path.read_bytes() for path in worker.path.parent.glob("*"))
    assert packed in found
    kept = b"".join(path.read_bytes() for path in desk.ledger_path.parent.glob("ledger.sqlite*"))
    assert desk.ledger.marks(DAY)
    assert packed not in kept
    assert packed[::-1] not in kept
    assert str(EVE).encode() not in kept
    assert str(EVE - 2**64).encode() not in kept


def test_everything_withdrawn_is_nothing_sent(desk: Desk) -> None:
    """A batch whose rows were all withdrawn is done without being sent, also after a restart."""
    worker = Worker(desk.spool)
    worker.commit([hit(visitor=EVE)] * 3)
    worker.erase("s", EVE)
    assert desk.drain.step() == 0
    desk.restart()
    assert desk.drain.step() == 0
    assert not desk.ledger.in_doubt()
    assert desk.rows("hits") == Counter()
    assert expected(worker) != Counter()
