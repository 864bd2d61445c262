"""Asking: clients that are open in time, several parts at a time, and readers in line."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest
from clickhouse_connect.driver.client import Client

from dashboards.asking import Asking
from dashboards.pool import CLIENTS, Pool
from dashboards.refused import Refused
from tests.dashboards.conftest import Connect
from tests.dashboards.running import Book, asks

MANY = 40


@pytest.fixture
def asking(connect: Connect, book: Book) -> Iterator[Asking]:
    """Asks the run's engine."""
    opened = asks(connect, book)
    yield opened
    opened.close()
    opened.pool.close()


def comes(condition: Callable[[], bool]) -> bool:
    """Return whether something comes true within twenty seconds."""
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


class Line:
    """Readers who ask a closed door: what was asked, in order; some fail once it is open."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.asked: list[int] = []
        self.failures: list[type[BaseException]] = []
        self.may_go = threading.Event()
        self._readers: list[threading.Thread] = []

    def read(self, *parts: int) -> None:
        """Let one more reader ask about some parts; the part 0 fails."""

        def read() -> None:
            try:
                assert self.asking.at_once(self._ask, parts) == [2 * part for part in parts]
            except (CancelledError, ZeroDivisionError) as error:
                self.failures.append(type(error))

        self._readers.append(threading.Thread(target=read))
        self._readers[-1].start()

    def waiting(self) -> int:
        """Return how many parts wait for a thread."""
        return self.asking._threads._work_queue.qsize()

    def end(self) -> None:
        """Open the door and see every reader off."""
        self.may_go.set()
        for reader in self._readers:
            reader.join(20)
            assert not reader.is_alive()

    def _ask(self, part: int) -> int:
        self.asked.append(part)
        assert self.may_go.wait(20)
        return part // part * 2 * part


@pytest.fixture
def line(asking: Asking) -> Iterator[Line]:
    """Nobody yet."""
    one = Line(asking)
    yield one
    one.end()


def test_nobody_waits_for_the_whole_of_a_longer_question(line: Line) -> None:
    """The marketplace's ten years are more than a hundred parts; a seller who asks meanwhile comes
    next, not last."""
    line.read(*range(1, MANY))
    assert comes(lambda: len(line.asked) == CLIENTS)
    line.read(MANY)
    assert comes(lambda: line.waiting() > 0)
    line.end()
    assert line.asked.index(MANY) < 2 * CLIENTS  # threads note in any order what they took in turn
    assert sorted(line.asked) == list(range(1, MANY + 1))


def test_after_a_part_that_failed_no_more_is_asked(line: Line) -> None:
    """The reader is told at once; the database may be in trouble already."""
    line.may_go.set()
    line.read(0, *range(1, MANY))
    line.end()
    assert line.failures == [ZeroDivisionError]
    assert len(line.asked) < MANY


def test_an_end_waits_for_what_was_begun_and_for_nothing_else(line: Line) -> None:
    """Whoever stops the server waits for no reader who is still in line, nor do they."""
    for part in range(1, MANY + 1):
        line.read(part)
    assert comes(lambda: line.waiting() == MANY - CLIENTS)
    closing = threading.Thread(target=line.asking.close)
    closing.start()
    dropped = comes(lambda: line.waiting() <= 1)  # What is left wakes a thread to its end.
    line.end()
    closing.join(20)
    assert dropped
    assert len(line.asked) == CLIENTS
    assert line.failures == [CancelledError] * (MANY - CLIENTS)


def test_clients_are_open_before_anybody_asks(connect: Connect) -> None:
    """The first reader after a start finds them, and so does a second opening. A database that
    goes away half-way is asked again by whoever comes next."""
    opened: list[bool] = []

    def counted() -> Client:
        opened.append(len(opened) != 1)
        if not opened[-1]:
            raise OSError
        return connect()

    pool = Pool(counted, failures=(OSError,))
    with pytest.raises(Refused):
        pool.open()
    assert opened == [True, False]
    pool.open()
    assert opened.count(True) == CLIENTS
    assert len(pool.ask("last_upload", {})) == 1
    pool.open()
    assert opened.count(True) == CLIENTS
    pool.close()


def test_an_end_closes_every_client_that_nobody_uses(connect: Connect) -> None:
    """Not only the last one that was used."""
    closed: list[Client] = []

    class Counted:
        def __init__(self) -> None:
            self.client = connect()
            self.query = self.client.query

        def close(self) -> None:
            closed.append(self.client)
            self.client.close()

    pool = Pool(Counted, failures=())
    pool.open()
    pool.close()
    assert len(set(map(id, closed))) == len(closed) == CLIENTS
    assert len(pool.ask("last_upload", {})) == 1
    pool.close()
    assert len(closed) == CLIENTS + 1
