"""Stretches: what is asked for in parts is the same as day by day."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from dashboards.asking import Asking
from dashboards.period import DAY, Span, intervals
from dashboards.pool import CLIENTS, Pool
from dashboards.shelf import Shelf
from dashboards.stretches import LONG_DAYS, Windows, sparks, windows
from dashboards.totals import Totals
from tests.dashboards.conftest import Connect
from tests.dashboards.running import TODAY, Book, Visits, noon

YEAR = range(1, 366)
MANY = 40


@pytest.fixture
def asking(connect: Connect, book: Book) -> Iterator[Asking]:
    """Asks the run's engine; every day of the last year is sealed, and today is open."""
    book.states.update((TODAY - n * DAY, "sealed") for n in YEAR)
    pool = Pool(connect, failures=())
    opened = Asking(pool, book, noon, today_step_minutes=0, keep_counts_days=0, changed=lambda: 0)
    yield opened
    opened.close()
    pool.close()


def until(first: int, last: int) -> Span:
    """Return the days from so many days ago until so many."""
    return Span(TODAY - first * DAY, TODAY - last * DAY)


def comes(condition: Callable[[], bool]) -> bool:
    """Return whether something comes true within two seconds."""
    until = time.monotonic() + 2
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("days", [7, LONG_DAYS, LONG_DAYS + 1, 364])
def test_products_over_long_stretches_are_the_sums_of_their_days(
    asking: Asking, visits: Visits, days: int
) -> None:
    """No day is lost or counted twice where a stretch is cut, nor one that isn't over yet; a
    product that only one of the parts knows is there."""
    visits.counts(
        [
            [TODAY - n * DAY, "day", visits.seller, product, "", "", n, 2 * n, 0, TODAY, 1]
            for n in YEAR
            for product in ["cup", "old" if n > days // 2 else "new"]
        ]
    )
    visits.add("cup", 3)
    chosen, over, before, long = until(days, 0), until(days, 1), until(365, days + 1), until(90, 0)
    found = windows(asking, Shelf(visits.seller), chosen, over, before, long)
    past = sum(range(1, days + 1))
    earlier = sum(range(days + 1, 366))
    assert found["cup"] == Windows(Totals(2 * past + 3, past + 3), past, earlier, 4095 + 3)
    half = sum(range(1, days // 2 + 1))
    assert found["new"].over == half
    assert found["old"].over == past - half


@pytest.mark.parametrize("days", [50, 364])
def test_sparks_over_long_stretches_have_every_step_in_its_place(
    asking: Asking, visits: Visits, days: int
) -> None:
    """The parts' steps stand one behind the other, with zeros where a product had nobody."""
    visits.counts(
        [
            [TODAY - n * DAY, "day", visits.seller, product, "", "", n, n, 0, TODAY, 1]
            for n in YEAR
            for product in ["cup", "old" if n > days // 2 else "new"]
        ]
    )
    visits.add("cup", 3)
    parts = intervals(until(days, 0), "week")
    found = sparks(asking, Shelf(visits.seller), parts)

    def expected(least: int, most: int, today: int) -> list[int]:
        back = [[(TODAY - day).days for day in part] for part in parts]
        steps = [sum(n for n in each if least <= n <= most) for each in back]
        steps[-1] += today
        return steps

    assert found == {
        "cup": expected(1, days, 3),
        "new": expected(1, days // 2, 0),
        "old": expected(days // 2 + 1, days, 0),
    }


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
    assert line.asked.index(MANY) == CLIENTS
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
