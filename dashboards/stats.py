"""Stats: the questions, each answered for one seller, or for the marketplace about all."""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError

from dashboards.asking import OWN, Asking
from dashboards.breakdown import Breakdown, By, Cell, compose
from dashboards.period import FIRST_DAY, LAST_DAY, Span, intervals, month_of
from dashboards.pool import Pool, Row
from dashboards.shelf import EVERYBODY, Shelf
from dashboards.snapshot import Calendar
from dashboards.stretches import halves, pieces, products_of
from dashboards.totals import NOBODY, Totals, add

UPLOADS_FROM = 2**62
# How much is asked at once about what was uploaded: of each product and day 40 bytes are held.
UPLOADED_DAYS = 61  # Hardly slower than twice as many; a catalogue need not name every product.
UPLOADED_CELLS = 2_500_000
SECONDS = "seconds"
COUNTS = tuple(
    "day period seller product dimension value visitors views seconds closed seal".split()
)


class Uploaded(NamedTuple):
    """A count of the marketplace's own; what is `orders` or `page_views`."""

    day: date
    seller: str
    product: str
    what: str
    number: int


class Told(NamedTuple):
    """An uploaded number of a day, and the views counted of the products that it speaks of."""

    what: str
    day: date
    number: int
    views: int


class DayRow(NamedTuple):
    """A product's day.

    totals   None on a day without data
    orders   None where the marketplace told none
    """

    day: date
    product: str
    totals: Totals | None
    orders: int | None


class Published(NamedTuple):
    """What the closes have published: breakdowns, visitors who told their time, its seconds."""

    breakdowns: dict[By, Breakdown]
    time_visitors: int
    time_seconds: int


class Stats:
    """Asks the questions."""

    def __init__(
        self,
        connect: Callable[[], Any],
        calendar: Calendar,
        now: Callable[[], datetime],
        *,
        today_step_minutes: int,
        keep_counts_days: int,
        breakdown_min: int,
        changed: Callable[[], Hashable] = lambda: 0,
    ) -> None:
        self.breakdown_min = breakdown_min
        self._pool = Pool(connect, failures=(ClickHouseError, OSError))
        self.asking = Asking(
            self._pool,
            calendar,
            now,
            today_step_minutes=today_step_minutes,
            keep_counts_days=keep_counts_days,
            changed=changed,
        )
        self._uploading = threading.Lock()

    def by_day(self, shelf: Shelf, span: Span) -> dict[date, Totals | None]:
        """Return every day's totals, oldest first; None for a day without data."""
        question = "seller_days" if shelf.products is None else "product_days"
        days, rows, opened = self.asking.ask(question, shelf, span)
        found = {day: Totals(int(views), int(visitors)) for day, views, visitors in rows}
        for day, products in opened.items():
            own = shelf.products is None
            found[day] = products.get(OWN, NOBODY) if own else _of_products(products, shelf)
        return {day: found.get(day, NOBODY) if day in days else None for day in span}

    def products(self, shelf: Shelf, span: Span) -> dict[str, Totals]:
        """Return the totals of every product that was looked at."""

        def ask(part: Span) -> list[Row]:
            _, rows, opened = self.asking.ask("products", shelf, part)
            on_shelf = (products_of(shelf, products) for products in opened.values())
            return [*rows, *((product, *t) for products in on_shelf for product, t in products)]

        found: dict[str, Totals] = {}
        for rows in self.asking.at_once(ask, halves(span)):
            for product, views, visitors in rows:
                had = found.get(product, NOBODY)
                found[product] = Totals(had.views + views, had.visitors + visitors)
        return found

    def rows(self, shelf: Shelf, span: Span) -> Iterator[tuple[date, str, Totals]]:
        """Yield day, product, totals where it was looked at; the sealed days come first."""
        _, rows, opened = self.asking.ask("products_by_day", shelf, span)
        for day, product, views, visitors in rows:
            yield day, product, Totals(int(views), int(visitors))
        for day in sorted(opened):
            for product, totals in products_of(shelf, opened[day]):
                yield day, product, totals

    def day_rows(self, shelf: Shelf, span: Span) -> Iterator[DayRow]:
        """Yield a row for every product and day with a visit or an uploaded order, by day.

        Of a span of any length, a month at a time is held.
        """
        for month in intervals(span, "month"):
            seen = {(day, product): totals for day, product, totals in self.rows(shelf, month)}
            days, rows, _ = self.asking.ask("orders", shelf, month, always=True)
            orders = {(day, product): int(n) for day, product, n in rows}
            for day, product in sorted(seen.keys() | orders.keys()):
                key = (day, product)
                nothing = NOBODY if day in days else None
                yield DayRow(day, product, seen.get(key, nothing), orders.get(key))

    def published(
        self,
        shelf: Shelf,
        span: Span,
        dimensions: Sequence[By],
        units: Mapping[date, int] | None = None,
    ) -> Published:
        """Return what the closes have published for days in the range.

        What is published is final. Days that are not sealed wait as a whole: listing even one of
        their values before the close would be a second, independent sum.

        units   the products' visitor-days by day, where the caller has them
        """
        whole = Span(month_of(span.first).first, month_of(span.last).last)
        days, rows, _ = self.asking.ask(
            "breakdown_cells", shelf, whole, dimensions=[*dimensions, SECONDS]
        )
        cells: dict[str, list[Cell]] = {name: [] for name in (*dimensions, SECONDS)}
        seconds = 0
        for dimension, period, start, value, n, told in rows:
            cell = Cell(value, int(n), period, start)
            if dimension != SECONDS or span.holds(cell.span):
                cells[dimension].append(cell)
                seconds += int(told)
        unsealed = frozenset(day for day, state in days.items() if state == "open")
        known = self._units(shelf, span) if units is None else units
        today = self.asking.today()
        return Published(
            {by: compose(by, span, cells[by], known, unsealed, today) for by in dimensions},
            sum(cell.visitors for cell in cells[SECONDS]),
            seconds,
        )

    def _units(self, shelf: Shelf, span: Span) -> dict[date, int]:
        """Return the visitor-days of a shelf's products, by day."""
        _, rows, opened = self.asking.ask("product_days", shelf, span)
        units = {day: int(visitors) for day, _, visitors in rows}
        return units | {
            day: _of_products(products, shelf).visitors for day, products in opened.items()
        }

    def upload(self, counts: Sequence[Uploaded]) -> None:
        """Store what the marketplace counted itself. The last upload of a count holds."""
        with self._uploading:
            # In the place of a seal's number, and beyond any of those: readers take the highest.
            number = 1 + max(UPLOADS_FROM, int(self._pool.ask("last_upload", {})[0][0]))
            rows = [
                (c.day, "day", c.seller, c.product, c.what, "", 0, c.number, 0, c.day, number)
                for c in counts
            ]
            try:
                self._pool.insert("counts", COUNTS, rows)
            finally:
                self.asking.uploaded()

    def uploaded(self, shelf: Shelf, span: Span, products: int) -> Callable[[], list[Told]]:
        """Begin to ask what was uploaded for sealed days; return what waits for it.

        Not for days on which nothing ran: there is nothing to set it against.

        products  about how many there are on the shelf
        """

        def ask(part: Span) -> list[Told]:
            days, rows, _ = self.asking.ask("uploaded", shelf, part)
            return [Told(what, day, n, views) for what, day, n, views in rows if day in days]

        at_once = max(1, min(UPLOADED_DAYS, UPLOADED_CELLS // max(1, products)))
        number = -(-span.days // at_once)
        found = self.asking.begin(ask, pieces(span, number) if number else ())
        return lambda: [told for part in found() for told in part]

    def outcomes(self, span: Span) -> dict[date, dict[str, int]]:
        """Return what became of the beacons of each sealed day, by outcome."""
        found: dict[date, dict[str, int]] = {}
        _, rows, _ = self.asking.ask("outcomes", EVERYBODY, span)
        for day, outcome, beacons in rows:
            found.setdefault(day, {})[outcome] = int(beacons)
        return found

    def open(self) -> None:
        """Open the database clients and have the engine read its indexes.

        Both happen otherwise when they are first needed.
        Errors  Refused (503)
        """
        self._pool.open()
        everywhere = {"seller": "", "first": FIRST_DAY, "last": LAST_DAY, "open": []}
        self._pool.ask("seller_days", everywhere)

    def close(self) -> None:
        """Close the database clients."""
        self.asking.close()
        self._pool.close()


def _of_products(products: Mapping[str, Totals], shelf: Shelf) -> Totals:
    return add(totals for _, totals in products_of(shelf, products))
