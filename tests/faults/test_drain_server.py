"""The drain and a ClickHouse server: what a network can do to a batch, and it counts once."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.warehouse import Warehouse
from tests.clickhouse_server import Server
from tests.collector.desk import Desk, expected
from tests.collector.spooling import Worker, any_hits, hit

SECONDS_MAX = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An empty one."""
    server = Server(tmp_path / "server")
    yield server
    server.kill()


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Iterator[Desk]:
    """A spool, a ledger and a drain that gives the server its time."""
    dsn = f"clickhouse://default:@127.0.0.1:{server.port}/default"
    warehouse = Warehouse(tmp_path / "unused", dsn, server_seconds=SECONDS_MAX)
    warehouse.migrate()
    desk = Desk(tmp_path, warehouse)
    yield desk
    desk.stop()
    warehouse.close()


def test_a_server_gets_every_row(desk: Desk, tmp_path: Path) -> None:
    """Batches, withdrawals and restarts go the same way to a server, and nothing is embedded."""
    worker = Worker(desk.spool)
    worker.commit([*any_hits(500), hit(visitor=7)])
    worker.erase("s", 7)
    assert desk.drain.step() == 500
    desk.restart()
    worker.rows.pop()
    more = any_hits(10, seed=2)
    worker.commit(more)
    assert desk.drain.step() == 10
    assert desk.rows() == expected(worker)
    assert not (tmp_path / "unused").exists()


def test_an_empty_parameter_is_one(server: Server, tmp_path: Path) -> None:
    """Readers ask about all sellers by an empty name; a server takes it as the embedded engine
    does, and so must who stands in for one."""
    warehouse = Warehouse(tmp_path / "unused", server.dsn)
    client = warehouse.connect()
    asked = {"seller": ""}
    assert client.query("select {seller:String}", parameters=asked).result_rows == [("",)]
    warehouse.close()


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "half", "error"])
def test_a_connection_that_ends_costs_no_row_and_adds_none(
    desk: Desk, server: Server, fault: str
) -> None:
    """The connection ends before or after the insert, or the server refuses: the batch is read back
    and sent again only where nothing arrived."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(500))
    server.arm(fault)
    first = desk.drain.step()
    arrived = fault in ("drop-after", "half")
    assert first == (500 if arrived else 0)
    assert ("batch-refused" in desk.alarms()) == (not arrived)
    assert "12345" not in str(desk.alarms())
    desk.drain.step()
    assert desk.rows() == expected(worker)
    assert not desk.alarms()


def test_the_driver_does_not_send_a_batch_again_by_itself(desk: Desk, server: Server) -> None:
    """The insert ran and the connection ended without an answer. The driver's own retry would have
    inserted it a second time before anybody could look."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(50))
    server.arm("drop-after")
    desk.drain.step()
    assert desk.rows("hits").total() == 50


def test_the_drivers_own_insert_would_be_sent_twice(desk: Desk, server: Server) -> None:
    """The same fault with the driver's raw_insert: this is what the test above would catch."""
    server.arm("drop-after")
    row = b'["2026-01-02", "s", "p", 7]'
    columns = ("day", "seller", "product", "visitor")
    desk.client.raw_insert("hits", columns, row, fmt="JSONCompactEachRow")
    assert desk.rows("hits").total() == 2


def test_an_attempt_that_comes_late_inserts_nothing(desk: Desk, server: Server) -> None:
    """The first attempt got lost in a socket; the batch was read back, found missing and sent
    again; then the lost attempt arrives after all."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(500))
    server.arm("late")
    assert desk.drain.step() == 0
    assert desk.drain.step() == 500
    server.post("/release")
    assert desk.rows() == expected(worker)


def test_an_attempt_that_comes_late_counts_while_nobody_gave_it_up(
    desk: Desk, server: Server
) -> None:
    """The same, but it arrives before the next look: then it is the batch, and nothing is sent.
    This shows that a late attempt of this stand-in does insert."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(500))
    server.arm("late")
    assert desk.drain.step() == 0
    server.post("/release")
    assert desk.rows() == expected(worker)
    assert desk.drain.step() == 0
    assert desk.rows() == expected(worker)
    assert not desk.alarms()


def test_an_attempt_still_at_work_is_waited_for(desk: Desk, server: Server) -> None:
    """The server takes three seconds for the insert and the drain gave it one: while it is at work
    nothing is sent; when it has ended, its rows are found."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(500))
    server.arm("slow")
    desk.warehouse._server_seconds = 1
    desk.restart()
    codes: set[str] = set()
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        desk.drain.step()
        codes |= desk.alarms().keys()
        if not desk.ledger.in_doubt():
            break
    assert "batch-running" in codes
    assert desk.rows("hits") == expected(worker)
    assert not desk.alarms()


def test_a_server_that_was_away_is_looked_over(desk: Desk, server: Server, tmp_path: Path) -> None:
    """The server dies and comes back without the first batch, which its disk had lost: the alarm
    sounds while it is away, and the rows are sent again when it is back."""
    worker = Worker(desk.spool)
    worker.commit(any_hits(500))
    desk.drain.step()
    server.kill()
    worker.commit(any_hits(10, seed=2))
    assert desk.drain.step() == 0
    assert "warehouse-away" in desk.alarms()
    back = Server(tmp_path / "another disk")
    try:
        desk.warehouse._dsn = f"clickhouse://default:@127.0.0.1:{back.port}/default"
        desk.restart()
        assert desk.drain.step() == 510
        desk.client = desk.warehouse.connect()
        assert desk.rows() == expected(worker)
        assert not desk.alarms()
    finally:
        back.kill()
