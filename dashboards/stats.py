"""Stats: the questions, each asked of counts for sealed days and of hits for days still open.

Every answer is bound to one seller, and every number of an open day to the current snapshot.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError

from dashboards.breakdown import Breakdown, By, Cell, compose
from dashboards.kept import Kept
from dashboards.period import DAY, Span, intervals, month_of
from dashboards.pool import Pool, Row
from dashboards.refused import unavailable
from dashboards.shelf import Shelf
from dashboards.snapshot import Calendar, Snapshot, State
from dashboards.totals import NOBODY, Totals, add

ATTEMPTS = 3  # A day may be sealed between two looks at the calendar; twice in a row it can't.
SELLERS_KEPT = 64
UPLOADS_FROM = 2**62
OWN = ""  # In place of a product: the seller's own figure.


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


class DayRow(NamedTuple):
    """A product's day; orders is None where the marketplace told none."""

    day: date
    product: str
    totals: Totals
    orders: int | None


class Told(NamedTuple):
    """An uploaded number of a day, and the views counted of the products that it speaks of."""

    what: str
    day: date
    number: int
    views: int


EVERYBODY = Shelf("")  # No seller has an empty name; only the marketplace's questions take it.
OpenDays = Mapping[date, Mapping[str, Totals]]


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
    ) -> None:
        self.snapshot = Snapshot(calendar, now, today_step_minutes)
        self.breakdown_min = breakdown_min
        self.keep_counts_days = keep_counts_days
        self._calendar = calendar
        self._uploading = threading.Lock()
        self._pool = Pool(connect, failures=(ClickHouseError, OSError))
        self._kept: Kept[OpenDays] = Kept(SELLERS_KEPT)

    def today(self) -> date:
        """Return the day that is being counted."""
        return self._calendar.today()

    def kept_from(self) -> date | None:
        """Return the first day whose counts are kept, or None where they are kept for ever."""
        if self.keep_counts_days == 0:
            return None
        return self.today() - self.keep_counts_days * DAY

    def states(self, span: Span) -> dict[date, State]:
        """Return the state of each day on which something ran, lost ones too."""
        return dict(self._calendar.days(span.first, span.last))

    def days(self, span: Span) -> dict[date, State]:
        """Return the state of each day that has numbers; lost and deleted days have none."""
        kept_from = self.kept_from()
        first = span.first if kept_from is None else max(span.first, kept_from)
        states = self._calendar.days(first, span.last) if first <= span.last else {}
        return {day: state for day, state in states.items() if state != "lost"}

    def by_day(self, shelf: Shelf, span: Span) -> dict[date, Totals | None]:
        """Return every day's totals, oldest first; None for a day without data."""
        question = "seller_days" if shelf.products is None else "product_days"
        days, rows, opened = self._ask(question, shelf, span)
        found = {day: Totals(int(views), int(visitors)) for day, views, visitors in rows}
        for day, products in opened.items():
            found[day] = (
                products.get(OWN, NOBODY)
                if shelf.products is None
                else add(n for name, n in products.items() if name != OWN and shelf.has(name))
            )
        return {day: found.get(day, NOBODY) if day in days else None for day in span}

    def products(self, shelf: Shelf, span: Span) -> dict[str, Totals]:
        """Return the totals of every product that was looked at."""
        _, rows, opened = self._ask("products", shelf, span)
        found = {product: Totals(int(views), int(visitors)) for product, views, visitors in rows}
        for products in opened.values():
            for product, totals in products.items():
                if product != OWN and shelf.has(product):
                    found[product] = add((found.get(product), totals))
        return found

    def rows(self, shelf: Shelf, span: Span) -> Iterator[tuple[date, str, Totals]]:
        """Yield day, product, totals where it was looked at; the sealed days come first."""
        _, rows, opened = self._ask("products_by_day", shelf, span)
        for day, product, views, visitors in rows:
            yield day, product, Totals(int(views), int(visitors))
        for day in sorted(opened):
            for product, totals in sorted(opened[day].items()):
                if product != OWN and shelf.has(product):
                    yield day, product, totals

    def day_rows(self, shelf: Shelf, span: Span) -> Iterator[DayRow]:
        """Yield a row for every product and day with a visit or an uploaded order, by day.

        Of a span of any length, a month at a time is held.
        """
        for month in intervals(span, "month"):
            seen = {(day, product): totals for day, product, totals in self.rows(shelf, month)}
            _, rows, _ = self._ask("orders", shelf, month, always=True)
            orders = {(day, product): int(n) for day, product, n in rows}
            for day, product in sorted(seen.keys() | orders.keys()):
                key = (day, product)
                yield DayRow(day, product, seen.get(key, NOBODY), orders.get(key))

    def breakdown(self, shelf: Shelf, span: Span, by: By) -> Breakdown:
        """Return what the closes have published of one dimension for days in the range.

        What is published is final. Days that are not sealed wait as a whole: listing even one of
        their values before the close would be a second, independent sum.
        """
        whole = Span(month_of(span.first).first, month_of(span.last).last)
        days, rows, _ = self._ask("breakdown_cells", shelf, whole, by=by)
        cells = [Cell(value, int(n), period, start) for period, start, value, n, _ in rows]
        unsealed = frozenset(day for day, state in days.items() if state == "open")
        return compose(by, span, cells, self._units(shelf, span), unsealed, self.today())

    def time_on_page(self, shelf: Shelf, span: Span) -> tuple[int, int]:
        """Return visitor-days that told their time and the sum of their seconds, as published."""
        _, rows, _ = self._ask("breakdown_cells", shelf, span, by="seconds")
        cells = [
            (Cell(value, int(n), period, start), int(s)) for period, start, value, n, s in rows
        ]
        inside = [(cell.visitors, seconds) for cell, seconds in cells if span.holds(cell.span)]
        return sum(n for n, _ in inside), sum(seconds for _, seconds in inside)

    def _units(self, shelf: Shelf, span: Span) -> dict[date, int]:
        """Return the visitor-days of a shelf's products, by day."""
        _, rows, opened = self._ask("product_days", shelf, span)
        units = {day: int(visitors) for day, _, visitors in rows}
        for day, products in opened.items():
            names = (name for name in products if name != OWN and shelf.has(name))
            units[day] = sum(products[name].visitors for name in names)
        return units

    def _ask(
        self, question: str, shelf: Shelf, span: Span, *, always: bool = False, **more: object
    ) -> tuple[Mapping[date, State], Sequence[Row], OpenDays]:
        """Return the days with numbers, the rows of the sealed ones and the totals of the others.

        Asks again if a day was sealed meanwhile, so that it is neither missed nor counted twice.

        always   asks though no day is sealed
        """
        for _ in range(ATTEMPTS):
            days = self.days(span)
            if not days:
                return {}, (), {}
            opened = tuple(sorted(day for day, state in days.items() if state == "open"))
            rows: Sequence[Row] = ()
            if len(opened) < len(days) or always:
                ends = {"first": min(days), "last": span.last, "open": list(opened)}
                rows = self._pool.ask(question, shelf.parameters | ends | more)
            totals = self._open_days(shelf, opened) if opened else {}
            if self.days(span) == days:
                return days, rows, totals
        raise unavailable()

    def _open_days(self, shelf: Shelf, days: tuple[date, ...]) -> OpenDays:
        """Return open days' totals: of a seller and each product, or of each seller."""
        mark = self.snapshot.mark()
        # With a step of nothing the mark never moves, but what is stored does.
        moved = (mark, self._calendar.drained(), self._calendar.erasures())
        version = moved if self.snapshot.step_minutes == 0 else (mark, 0, moved[2])
        return self._kept.get(
            (shelf.seller, days), version, lambda: self._read_open(shelf, days, mark)
        )

    def _read_open(self, shelf: Shelf, days: tuple[date, ...], mark: int) -> OpenDays:
        question = "open_sellers" if shelf == EVERYBODY else "open_days"
        found: dict[date, dict[str, Totals]] = {day: {} for day in days}
        asked = {"seller": shelf.seller, "open": list(days), "mark": mark}
        for day, product, views, visitors in self._pool.ask(question, asked):
            found[day][product] = Totals(int(views), int(visitors))
        return found

    def upload(self, counts: Sequence[Uploaded]) -> None:
        """Store what the marketplace counted itself. The last upload of a count holds."""
        with self._uploading:
            # In the place of a seal's number, and beyond any of those: readers take the highest.
            number = 1 + max(UPLOADS_FROM, int(self._pool.ask("last_upload", {})[0][0]))
            rows = [
                (c.day, "day", c.seller, c.product, c.what, "", 0, c.number, 0, c.day, number)
                for c in counts
            ]
            self._pool.insert("counts", COUNTS, rows)

    def uploaded(self, shelf: Shelf, span: Span) -> list[Told]:
        """Return what was uploaded for sealed days."""
        _, rows, _ = self._ask("uploaded", shelf, span)
        return [Told(what, day, int(n), int(views)) for what, day, n, views in rows]

    def sellers(self, span: Span) -> dict[str, Totals]:
        """Return the totals of every seller who had visitors."""
        _, rows, opened = self._ask("sellers", EVERYBODY, span)
        found = {seller: Totals(int(views), int(visitors)) for seller, views, visitors in rows}
        for sellers in opened.values():
            for seller, totals in sellers.items():
                found[seller] = add((found.get(seller), totals))
        return found

    def outcomes(self, span: Span) -> dict[date, dict[str, int]]:
        """Return what became of the beacons of each sealed day, by outcome."""
        found: dict[date, dict[str, int]] = {}
        _, rows, _ = self._ask("outcomes", EVERYBODY, span)
        for day, outcome, beacons in rows:
            found.setdefault(day, {})[outcome] = int(beacons)
        return found

    def close(self) -> None:
        """Close the database clients."""
        self._pool.close()
