"""Stats: what the questions answer over long ranges, beside sums by hand."""

import random
from collections.abc import Iterator
from datetime import date

import pytest

from dashboards.period import DAY, Span
from dashboards.shelf import Shelf
from dashboards.stats import UPLOADED_DAYS, UPLOADS_FROM, Stats, Told
from dashboards.totals import Totals, add
from tests.dashboards.conftest import Connect
from tests.dashboards.running import TODAY, Book, Visits, noon

DAYS = 2 * UPLOADED_DAYS + 50
LATE, LOST = TODAY - 3 * DAY, TODAY - 9 * DAY
PRODUCTS = ["cup", "mug", "rug"]
LARGE = 2**53  # As much as a number may be.

Counted = dict[tuple[str, date], int]
Numbers = dict[tuple[str, str, date], int]


@pytest.fixture
def stats(connect: Connect, book: Book) -> Iterator[Stats]:
    """Answers from the run's engine; days are sealed but today, one that is late, one lost."""
    past = Span(TODAY - DAYS * DAY, TODAY - DAY)
    book.states.update((day, "sealed") for day in past)
    book.states |= {LATE: "open", LOST: "lost"}
    opened = Stats(connect, book, noon, today_step_minutes=0, keep_counts_days=0, breakdown_min=5)
    yield opened
    opened.close()


def told_at_random(visits: Visits, chance: random.Random) -> tuple[Counted, Numbers]:
    """Count and tell something for some products and days, some of it again; return what holds."""
    counted: Counted = {}
    numbers: Numbers = {}
    rows: list[list[object]] = []
    for day in Span(TODAY - DAYS * DAY, TODAY):
        rows.append([day, "day", visits.seller, "", "", "", 500, 900, 0, day, 1])
        for product in PRODUCTS:
            if day != LOST and chance.random() < 0.7:
                views = chance.randrange(1, 1000)
                counted[product, day] = views
                rows.append([day, "day", visits.seller, product, "", "", 1, views, 0, day, 1])
            for what in ("orders", "page_views"):
                for upload in range(chance.choice([0, 1, 1, 1, 3])):
                    number = chance.choice([0, chance.randrange(5000), LARGE - upload])
                    numbers[what, product, day] = number
                    said = [product, what, "", 0, number, 0, day, UPLOADS_FROM + 1 + upload]
                    rows.append([day, "day", visits.seller, *said])
    chance.shuffle(rows)
    visits.counts(rows)
    return counted, numbers


@pytest.mark.parametrize("about", [3, 40_000, 1_000_000])
@pytest.mark.parametrize("products", [None, frozenset({"cup", "rug"})])
def test_each_day_has_the_last_numbers_and_the_views_of_their_products(
    stats: Stats, visits: Visits, products: frozenset[str] | None, about: int
) -> None:
    """A number told again is told once, whichever arrived first; views of products for which
    nothing was told stay away, zero is a number, and days that are not sealed have none. Asked for
    in pieces, which are smaller the more products there are, or day by day as when the days move
    on, it is the same."""
    counted, numbers = told_at_random(visits, random.Random(11))
    on_shelf = products or frozenset(PRODUCTS)
    not_sealed = {TODAY, LATE, LOST}
    wanted: dict[tuple[str, date], Told] = {}
    for what, product, day in sorted(numbers):
        if product in on_shelf and day not in not_sealed:
            had = wanted.get((what, day), Told(what, day, 0, 0))
            wanted[what, day] = Told(
                what,
                day,
                had.number + numbers[what, product, day],
                had.views + counted.get((product, day), 0),
            )
    shelf = Shelf(visits.seller, products)
    for last in (20, 1, 0):
        whole = Span(TODAY - (DAYS - last) * DAY, TODAY - last * DAY)
        found = stats.uploaded(shelf, whole, about)()
        assert sorted(found) == sorted(told for told in wanted.values() if told.day in whole)


def test_products_of_a_long_range_are_the_sums_of_its_days(stats: Stats, visits: Visits) -> None:
    """Asked for in two halves, each day is in one of them; a day that is still open is read from
    its hits, whatever a close is just loading."""
    counted, _ = told_at_random(visits, random.Random(12))
    visits.add("mug", 3, day=LATE, views=2)
    whole = Span(TODAY - (DAYS - 9) * DAY, TODAY - DAY)
    sealed = [day for day in whole if day != LATE]
    wanted = {
        product: Totals(
            sum(counted.get((product, day), 0) for day in sealed),
            sum((product, day) in counted for day in sealed),
        )
        for product in PRODUCTS
    }
    wanted["mug"] = add([wanted["mug"], Totals(6, 3)])
    assert stats.products(Shelf(visits.seller), whole) == wanted
