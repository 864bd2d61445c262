"""What was withdrawn is deleted in groups, behind the drain's back, and names nobody."""

import threading
from typing import Any

import pytest

from collector.warehouse import Unanswered
from tests.collector.desk import Desk, visitors
from tests.collector.spooling import Worker, hit

EVE = 0xF1E2D3C4B5A69788


def test_withdrawn_hits_are_deleted_in_groups(desk: Desk) -> None:
    """The first withdrawal is deleted at once, the next ones together ten minutes later, and until
    then they are only hidden. What came after consent was given again stays."""
    worker = Worker(desk.spool)
    worker.commit(hit(visitor=each) for each in range(1, 6))
    desk.drain.step()

    def kept() -> list[int]:
        desk.drain.rest()
        while desk.client.query(
            "select count() from system.mutations where table = 'hits' and not is_done"
        ).result_rows != [(0,)]:
            pass
        return sorted(row[4] for row in desk.rows("hits").elements())

    worker.erase("s", 1)
    desk.drain.step()
    assert kept() == [2, 3, 4, 5]
    worker.erase("s", 2)
    worker.commit([hit(visitor=2)])
    desk.drain.step()
    worker.erase("s", 3)
    desk.now += 599
    desk.drain.step()
    assert kept() == [2, 2, 3, 4, 5]
    assert visitors(desk) == {("s", 2): 1, ("s", 4): 1, ("s", 5): 1}
    desk.now += 1
    desk.drain.step()
    assert kept() == [2, 4, 5]
    desk.restart()
    desk.drain.step()
    assert visitors(desk) == {("s", 2): 1, ("s", 4): 1, ("s", 5): 1}
    assert not desk.alarms()


def test_a_mutation_names_nobody(desk: Desk) -> None:
    """The engine keeps the text of the last hundred; a hash in it would outlive the day."""
    worker = Worker(desk.spool)
    worker.commit([hit("seller whom nobody else has", visitor=EVE)])
    desk.drain.step()
    worker.erase("seller whom nobody else has", EVE)
    desk.drain.step()
    desk.drain.rest()
    rows = desk.client.query(
        "select command from system.mutations where table = 'hits' order by create_time"
    ).result_rows
    assert "first_counted" in rows[-1][0]
    assert str(EVE) not in rows[-1][0]
    assert "seller whom" not in rows[-1][0]


def test_a_deletion_holds_up_no_withdrawal(desk: Desk) -> None:
    """The deletion waits for its turn, as it does behind a large day; a withdrawal that comes
    meanwhile is applied, and goes with the next deletion."""
    worker = Worker(desk.spool)
    worker.commit(hit(visitor=each) for each in range(1, 6))
    desk.drain.step()
    worker.erase("s", 1)
    with desk.warehouse._lock:  # nobody else gets a client
        desk.drain.step()
        assert "delete" in {thread.name for thread in threading.enumerate()}
        worker.erase("s", 2)
        desk.drain.step()
        assert set(visitors(desk)) == {("s", each) for each in (3, 4, 5)}
        assert "delete" in {thread.name for thread in threading.enumerate()}
    desk.drain.rest()
    desk.now += 600
    desk.drain.step()
    desk.drain.rest()
    assert set(visitors(desk)) == {("s", each) for each in (3, 4, 5)}
    assert not desk.alarms()


def test_a_deletion_that_fails_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine ends one that a day's close cuts short; nobody has to withdraw again for it.
    Who runs the server is told when it fails again."""
    worker = Worker(desk.spool)
    worker.commit(hit(visitor=each) for each in range(1, 4))
    desk.drain.step()
    worker.erase("s", 1)
    connect = desk.warehouse.connect

    def refuse(**settings: Any) -> Any:
        if threading.current_thread().name == "delete":
            raise Unanswered("ClickHouse error 341")
        return connect(**settings)

    with monkeypatch.context() as patched:
        patched.setattr(desk.warehouse, "connect", refuse)
        desk.drain.step()
        desk.drain.rest()
        assert "still stored" not in caplog.text
        desk.now += 600
        desk.drain.step()
        desk.drain.rest()
        assert "still stored: ClickHouse error 341" in caplog.text
    assert sorted(row[4] for row in desk.rows("hits").elements()) == [1, 2, 3]
    assert set(visitors(desk)) == {("s", 2), ("s", 3)}
    desk.now += 600
    desk.drain.step()
    desk.drain.rest()
    assert sorted(row[4] for row in desk.rows("hits").elements()) == [2, 3]
    assert not desk.alarms()
