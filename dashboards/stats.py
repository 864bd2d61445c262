"""Stats: the questions, each asked of hits for days still open and of counts for sealed ones.

Every answer is bound to one seller, and every number of an open day to the current snapshot.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError

from dashboards.breakdown import Breakdown, By, Cell, compose, publishable
from dashboards.period import DAY, Span, intervals, month_of
from dashboards.pool import Pool, Row
from dashboards.refused import unavailable
from dashboards.snapshot import Calendar, Snapshot, State

ATTEMPTS = 3  # A day may be sealed between two looks at the calendar; twice in a row it can't.


Unit = Literal["seller", "product"]


class Totals(NamedTuple):
    """views, and visitors: distinct per day, added up over days (visitor-days)."""

    views: int
    visitors: int


NOBODY = Totals(0, 0)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Whose numbers: a seller's own figure, or those of some of the seller's products.

    products   None for the seller as a whole: a visitor of three products is one visitor
    """

    seller: str
    products: frozenset[str] | None = None

    @property
    def unit(self) -> Unit:
        """What is distinct: visitors per `seller` and day, or per `product` and day."""
        return "seller" if self.products is None else "product"

    def only(self, product: str | None) -> "Shelf":
        """Return the shelf with one product, which stays empty for one that isn't on it."""
        if product is None:
            return self
        wanted = frozenset({product})
        return Shelf(self.seller, wanted if self.products is None else wanted & self.products)

    @property
    def parameters(self) -> dict[str, Any]:
        """The shelf as query parameters."""
        return {
            "seller": self.seller,
            "limited": int(self.products is not None),
            "products": sorted(self.products or ()),
        }


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
        self._pool = Pool(connect, failures=(ClickHouseError, OSError))

    def today(self) -> date:
        """Return the day that is being counted."""
        return self._calendar.today()

    def kept_from(self) -> date | None:
        """Return the first day whose counts are kept, or None where they are kept for ever."""
        if self.keep_counts_days == 0:
            return None
        return self.today() - self.keep_counts_days * DAY

    def days(self, span: Span) -> dict[date, State]:
        """Return the state of each day that has numbers; lost and deleted days have none."""
        kept_from = self.kept_from()
        first = span.first if kept_from is None else max(span.first, kept_from)
        states = self._calendar.days(first, span.last) if first <= span.last else {}
        return {day: state for day, state in states.items() if state != "lost"}

    def by_day(self, shelf: Shelf, span: Span) -> dict[date, Totals | None]:
        """Return every day's totals, oldest first; None for a day without data."""
        question = "seller_days" if shelf.products is None else "product_days"
        days, rows = self._ask(question, shelf, span)
        found = {row[0]: Totals(int(row[1]), int(row[2])) for row in rows}
        return {day: found.get(day, NOBODY) if day in days else None for day in span}

    def products(self, shelf: Shelf, span: Span) -> dict[str, Totals]:
        """Return the totals of every product that was looked at, most visitors first."""
        _, rows = self._ask("products", shelf, span)
        return {row[0]: Totals(int(row[1]), int(row[2])) for row in rows}

    def products_by_day(self, shelf: Shelf, span: Span) -> dict[str, dict[date, Totals]]:
        """Return the totals of every product and day on which it was looked at."""
        _, rows = self._ask("products_by_day", shelf, span)
        found: dict[str, dict[date, Totals]] = {}
        for product, day, views, visitors in rows:
            found.setdefault(product, {})[day] = Totals(int(views), int(visitors))
        return found

    def rows(self, shelf: Shelf, span: Span) -> Iterator[tuple[date, str, Totals]]:
        """Yield day, product, totals; by day, then product. Read a month at a time."""
        for month in intervals(span, "month"):
            _, rows = self._ask("products_by_day", shelf, month)
            for product, day, views, visitors in rows:
                yield day, product, Totals(int(views), int(visitors))

    def breakdown(self, shelf: Shelf, span: Span, by: By) -> Breakdown:
        """Return what has been published of one dimension for days in the range.

        Nothing of today: it isn't over. What the closes published is final; a day that is over
        and not sealed yet shows the cells that its close will publish.
        """
        today = self.today()
        whole = Span(month_of(span.first).first, month_of(span.last).last)
        days, rows = self._ask("breakdown_cells", shelf, whole, by=by)
        cells = [Cell(value, int(n), period, start) for period, start, _, value, n in rows]
        unsealed = frozenset(day for day, state in days.items() if state == "open")
        waiting = sorted(day for day in unsealed if day < today and day in span)
        if waiting:
            cells += self._open_cells(shelf, waiting, by)
        return compose(by, span, cells, self._units(shelf, span), unsealed, today)

    def _open_cells(self, shelf: Shelf, days: Sequence[date], by: By) -> list[Cell]:
        parameters = shelf.parameters | {"days": days, "by": by, "mark": self.snapshot.mark()}
        pools: dict[tuple[date, str], dict[str, int]] = {}
        for day, product, value, n in self._pool.ask("breakdown_open", parameters):
            pools.setdefault((day, product), {})[value] = int(n)
        return [
            Cell(value, n, "day", day)
            for (day, _), pool in pools.items()
            for value, n in publishable(pool, self.breakdown_min)
        ]

    def _units(self, shelf: Shelf, span: Span) -> dict[date, int]:
        _, rows = self._ask("product_days", shelf, span)
        return {row[0]: int(row[2]) for row in rows}

    def _ask(
        self, question: str, shelf: Shelf, span: Span, **more: object
    ) -> tuple[Mapping[date, State], Sequence[Row]]:
        """Ask about a span; ask again if a day was sealed meanwhile, so that none is missed."""
        for _ in range(ATTEMPTS):
            days = self.days(span)
            if not days:
                return {}, ()
            parameters = shelf.parameters | {
                "first": min(days),
                "last": span.last,
                "open": sorted(day for day, state in days.items() if state == "open"),
                "mark": self.snapshot.mark(),
            }
            rows = self._pool.ask(question, parameters | more)
            if self.days(span) == days:
                return days, rows
        raise unavailable()

    def close(self) -> None:
        """Close the database clients."""
        self._pool.close()
