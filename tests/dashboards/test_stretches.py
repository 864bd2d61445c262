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
MANY = 100


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


def test_an_end_waits_for_what_was_begun_and_for_nothing_else(connect: Connect, book: Book) -> None:
    """The marketplace's ten years are many questions; whoever stops the server doesn't wait for
    those that nobody has asked yet, nor does their reader."""
    pool = Pool(connect, failures=())
    opened = Asking(pool, book, noon, today_step_minutes=0, keep_counts_days=0, changed=lambda: 0)
    begun, may_go, ended = threading.Semaphore(0), threading.Event(), threading.Event()
    asked: list[int] = []

    def ask(part: int) -> None:
        asked.append(part)
        begun.release()
        may_go.wait(20)

    def read() -> None:
        with pytest.raises(CancelledError):
            opened.at_once(ask, range(MANY))
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(CLIENTS):
        assert begun.acquire(timeout=20)
    waiting = opened._threads._work_queue
    assert comes(lambda: waiting.qsize() == MANY - CLIENTS)
    closing = threading.Thread(target=opened.close)
    closing.start()
    dropped = comes(lambda: waiting.qsize() <= 1)  # What is left wakes a thread to its end.
    may_go.set()
    closing.join(20)
    reader.join(20)
    assert dropped
    assert len(asked) == CLIENTS
    assert ended.is_set()
    pool.close()
