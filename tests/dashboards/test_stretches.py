"""Stretches: what is asked for in one pass and in parts is the same as day by day."""

import random
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.asking import Asking
from dashboards.period import DAY, Interval, Span, intervals
from dashboards.shelf import Shelf
from dashboards.snapshot import State
from dashboards.stretches import LONG_DAYS, Courses, Stretches, Windows, courses, pieces
from dashboards.totals import Totals
from tests.dashboards.conftest import Connect
from tests.dashboards.running import TODAY, Book, Visits, asks

YEAR = range(1, 366)
HISTORY_DAYS = 800
KEPT_DAYS = 500
STATES: list[State | None] = ["sealed", "lost", None]
PRODUCTS = ["cup", "mug", "rug", "vase"]

Known = dict[tuple[str, date], Totals]


@pytest.fixture
def asking(connect: Connect, book: Book) -> Iterator[Asking]:
    """Asks the run's engine; every day of the last year is sealed, and today is open."""
    book.states.update((TODAY - n * DAY, "sealed") for n in YEAR)
    opened = asks(connect, book)
    yield opened
    opened.close()
    opened.pool.close()


def until(first: int, last: int) -> Span:
    """Return the days from so many days ago until so many."""
    return Span(TODAY - first * DAY, TODAY - last * DAY)


def looked_at_for_a_year(visits: Visits, days: int) -> None:
    """Sell a cup all year, something old in its first half and something new in its second."""
    visits.counts(
        [
            [TODAY - n * DAY, "day", visits.seller, product, "", "", n, 2 * n, 0, TODAY, 1]
            for n in YEAR
            for product in ["cup", "old" if n > days // 2 else "new"]
        ]
    )
    visits.add("cup", 3)


@pytest.mark.parametrize("days", [7, LONG_DAYS, LONG_DAYS + 1, 364])
def test_products_over_long_stretches_are_the_sums_of_their_days(
    asking: Asking, visits: Visits, days: int
) -> None:
    """No day is lost or counted twice where a stretch is cut, nor one that isn't over yet; a
    product that only one of the parts knows is there."""
    looked_at_for_a_year(visits, days)
    stretches = Stretches(until(days, 0), until(days, 1), until(365, days + 1), until(90, 0))
    found = courses(asking, Shelf(visits.seller), stretches, [])().products
    past = sum(range(1, days + 1))
    earlier = sum(range(days + 1, 366))
    assert found["cup"] == Windows(2 * past + 3, past + 3, past, earlier, 4095 + 3)
    half = sum(range(1, days // 2 + 1))
    assert found["new"].over == half
    assert found["old"].over == past - half


@pytest.mark.parametrize("days", [50, 364])
def test_courses_over_long_stretches_have_every_step_in_its_place(
    asking: Asking, visits: Visits, days: int
) -> None:
    """The parts' steps stand one behind the other, with zeros where a product had nobody."""
    looked_at_for_a_year(visits, days)
    span, nothing = until(days, 0), until(0, 1)
    parts = intervals(span, "week")
    found = courses(asking, Shelf(visits.seller), Stretches(span, span, nothing, nothing), parts)()

    def expected(least: int, most: int, today: int) -> list[int]:
        back = [[(TODAY - day).days for day in part] for part in parts]
        steps = [sum(n for n in each if least <= n <= most) for each in back]
        steps[-1] += today
        return steps

    assert {product: found.of(product) for product in found.products} == {
        "cup": expected(1, days, 3),
        "new": expected(1, days // 2, 0),
        "old": expected(days // 2 + 1, days, 0),
    }


def lived(visits: Visits, book: Book) -> Known:
    """Fill two years with sealed, open and lost days and days without us; return every total.

    Beside them stand what nobody asks for: breakdowns, the seller's own figures, another seller.
    """
    chance = random.Random(7)
    known: Known = {}
    rows: list[list[object]] = []
    book.states.clear()
    for day in until(HISTORY_DAYS, 0):
        state: State | None = chance.choices(STATES, [30, 1, 1])[0]
        if day >= TODAY - 2 * DAY or day == TODAY - 5 * DAY:
            state = "open"
        if state is not None:
            book.states[day] = state
        for product in PRODUCTS:
            visitors, views = chance.randrange(1, 70_000), chance.randrange(1, 90_000)
            if state == "open":
                visitors, views = visitors % 3 + 1, 2 * (visitors % 3 + 1)
                visits.add(product, visitors, day=day, views=2)
            elif state != "sealed" or chance.random() < 0.4:
                continue
            else:
                for seller, cell in (
                    (visits.seller, ""),
                    (visits.seller, "os"),
                    (f"not {visits.seller}", ""),
                ):
                    said = [product, cell, cell, visitors, views, 0, day, 1]
                    rows.append([day, "day", seller, *said])
            known[product, day] = Totals(views, visitors)
        rows.append([day, "day", visits.seller, "", "", "", 7, 9, 0, day, 1])
    visits.counts(rows)
    return known


spans = st.builds(
    lambda first, days: Span(TODAY - first * DAY, TODAY - max(0, first - days) * DAY),
    st.integers(0, HISTORY_DAYS),
    st.sampled_from([0, 1, 6, 29, 61, 62, 89, 364, 500]) | st.integers(0, HISTORY_DAYS),
)
nothing = st.just(until(0, 1))


@pytest.mark.parametrize("keep_counts_days", [0, KEPT_DAYS])
def test_every_stretch_and_step_is_the_sum_of_its_days(
    connect: Connect, book: Book, visits: Visits, keep_counts_days: int
) -> None:
    """Any four stretches, some empty, apart or one over the other, and any steps: each number is
    what adding up the days by hand gives. Days that were lost, that were deleted and on which
    nothing ran add nothing, days that are still open what was counted so far."""
    known = lived(visits, book)
    kept_from = TODAY - (keep_counts_days or HISTORY_DAYS) * DAY

    asking = asks(connect, book, keep_counts_days)

    def summed(product: str, span: Span) -> Totals:
        days = [known.get((product, day), Totals(0, 0)) for day in span if day >= kept_from]
        return Totals(sum(t.views for t in days), sum(t.visitors for t in days))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        spans,
        st.lists(spans | nothing, min_size=3, max_size=3),
        st.sampled_from(["day", "week", "month"]),
        st.none() | st.frozensets(st.sampled_from(PRODUCTS), min_size=1),
        st.integers(0, 1),
    )
    def check(
        chosen: Span,
        others: list[Span],
        interval: Interval,
        products: frozenset[str] | None,
        cut: int,
    ) -> None:
        steps = intervals(chosen, interval)[cut:]
        stretches = Stretches(chosen, *others)
        found: Courses = courses(asking, Shelf(visits.seller, products), stretches, steps)()
        for product in PRODUCTS:
            on_shelf = products is None or product in products
            totals = [summed(product, span) for span in stretches] if on_shelf else []
            visitors = [each.visitors for each in totals]
            wanted = Windows(totals[0].views, *visitors) if totals else None
            had = found.products.get(product, Windows(0, 0, 0, 0, 0) if on_shelf else None)
            assert had == wanted
            assert found.of(product) == [
                summed(product, step).visitors if on_shelf else 0 for step in steps
            ]
        assert found.products.keys() <= set(PRODUCTS)

    check()
    asking.close()
    asking.pool.close()


@given(spans, st.integers(1, 20))
def test_pieces_are_the_whole_and_end_with_a_month(span: Span, number: int) -> None:
    """Each day is in one piece; where two meet, a month begins."""
    found = pieces(span, number)
    assert [day for piece in found for day in piece] == list(span)
    assert all(piece.first.day == 1 for piece in found[1:])
    assert len(found) <= number
