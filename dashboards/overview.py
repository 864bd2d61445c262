"""Overview: a seller's numbers for a range, put together for one page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from dashboards.api import add
from dashboards.catalogue import Catalogue, Listing
from dashboards.change import Change, change
from dashboards.chart import Chart, draw, pace
from dashboards.parameters import PageAsked, Sort
from dashboards.period import Interval, Span, intervals
from dashboards.ranges import NAMES, RANGES, RangeName, compared
from dashboards.stats import NOBODY, Shelf, Stats, Totals

ROWS = 50
SPARKS_MAX = 60


@dataclass(frozen=True, slots=True)
class Comparison:
    """The days that are over against as many before them.

    missing   days without data on either side; with any, nothing is compared
    """

    over: Span
    before: Span
    missing: int
    views: Change | None
    visitors: Change | None


@dataclass(frozen=True, slots=True)
class Row:
    """One product; change is None where the range can't be compared."""

    product: str
    listing: Listing | None
    totals: Totals
    change: Change | None
    spark: tuple[int | None, ...] = ()

    @property
    def title(self) -> str:
        """What it is called: its id where the catalogue has no title."""
        return self.listing.title if self.listing else self.product


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page.

    today      so far; None where nothing runs today
    kept_from  the first day whose counts are kept, if the range reaches behind it
    """

    shelf: Shelf
    query: PageAsked
    ranges: tuple[RangeName, ...]
    range_name: RangeName | None
    span: Span
    now: date
    today: Totals | None
    totals: Totals
    has_data: bool
    missing: int
    kept_from: date | None
    comparison: Comparison
    chart: Chart
    days: dict[date, Totals | None]
    rows: tuple[Row, ...]
    matching: int
    products: int
    pages: int
    step_minutes: int


def overview(stats: Stats, catalogue: Catalogue, shelf: Shelf, query: PageAsked) -> Overview:
    """Return the overview of a shelf for what the reader chose."""
    now = stats.today()
    range_name, span = chosen(stats, shelf, query, now)
    days = stats.by_day(shelf, span)
    over, before = compared(span, now)
    earlier = stats.by_day(shelf, before) if over.days else {}
    rows = _rows(stats, catalogue, shelf, span, over, before, comparable(days, earlier, over))
    matching = [row for row in rows if _matches(row, query.q)]
    matching.sort(key=lambda row: _order(row, query.sort))
    kept_from = stats.kept_from()
    pages = max(1, -(-len(matching) // ROWS))
    first = (min(query.page, pages) - 1) * ROWS
    return Overview(
        shelf=shelf,
        query=query,
        ranges=NAMES,
        range_name=range_name,
        span=span,
        now=now,
        today=stats.by_day(shelf, Span(now, now))[now],
        totals=add(days.values()),
        has_data=any(t is not None for t in days.values()),
        missing=sum(t is None for day, t in days.items() if day <= now),
        kept_from=kept_from if kept_from and span.first < kept_from else None,
        comparison=_comparison(days, earlier, over, before),
        chart=draw(days, span, now),
        days=days,
        rows=_with_sparks(stats, shelf, span, matching[first : first + ROWS]),
        matching=len(matching),
        products=len(rows),
        pages=pages,
        step_minutes=stats.snapshot.step_minutes,
    )


def chosen(
    stats: Stats, shelf: Shelf, query: PageAsked, now: date
) -> tuple[RangeName | None, Span]:
    """Return the range that the reader chose.

    Nobody chose: thirty days, or seven as long as thirty have nothing to be compared with.
    """
    if query.span is not None:
        return None, query.span
    if query.range is not None:
        return query.range, RANGES[query.range](now)
    thirty = RANGES["30-days"](now)
    over, before = compared(thirty, now)
    known = stats.days(Span(before.first, over.last))
    name: RangeName = "30-days" if len(known) == before.days + over.days else "7-days"
    return name, RANGES[name](now)


Days = dict[date, Totals | None]


def comparable(days: Days, earlier: Days, over: Span) -> bool:
    """Return whether every day of both sides has data."""
    return bool(over.days) and _missing(days, earlier, over) == 0


def _missing(days: Days, earlier: Days, over: Span) -> int:
    return sum(days[day] is None for day in over) + sum(t is None for t in earlier.values())


def _comparison(days: Days, earlier: Days, over: Span, before: Span) -> Comparison:
    missing = _missing(days, earlier, over)
    if not over.days or missing:
        return Comparison(over, before, missing, None, None)
    now, then = add(days[day] for day in over), add(earlier.values())
    return Comparison(
        over, before, 0, change(now.views, then.views), change(now.visitors, then.visitors)
    )


def _rows(
    stats: Stats,
    catalogue: Catalogue,
    shelf: Shelf,
    span: Span,
    over: Span,
    before: Span,
    compare: bool,
) -> list[Row]:
    listed = catalogue.products(shelf.seller, shelf.products)
    found = stats.products(shelf, span)
    now = found if over == span or not compare else stats.products(shelf, over)
    then = stats.products(shelf, before) if compare else {}
    return [
        Row(
            product,
            listed.get(product),
            found.get(product, NOBODY),
            change(now.get(product, NOBODY).visitors, then.get(product, NOBODY).visitors)
            if compare
            else None,
        )
        for product in listed.keys() | found.keys() | then.keys()
    ]


def _matches(row: Row, words: str) -> bool:
    text = f"{row.title} {row.product}".casefold()
    return all(word in text for word in words.casefold().split())


def _order(row: Row, sort: Sort) -> tuple[float, str, str]:
    """Return a row's place: as chosen, then by title."""
    title = row.title.casefold()
    match sort:
        case "title":
            place = 0
        case "views":
            place = -row.totals.views
        case "change":
            place = -abs(row.change.difference) if row.change else 0
        case _:
            place = -row.totals.visitors
    return (place, title, row.product)


def _with_sparks(stats: Stats, shelf: Shelf, span: Span, rows: list[Row]) -> tuple[Row, ...]:
    """Add to the rows that are shown how their visitors went, in at most SPARKS_MAX steps."""
    shown = Shelf(shelf.seller, frozenset(row.product for row in rows))
    days = stats.days(span)
    by_day = stats.products_by_day(shown, span) if rows else {}
    parts = intervals(span, _spark_pace(span))
    return tuple(
        Row(
            row.product,
            row.listing,
            row.totals,
            row.change,
            tuple(_sum(by_day.get(row.product, {}), part, days) for part in parts),
        )
        for row in rows
    )


def _sum(of: dict[date, Totals], part: Span, days: Collection[date]) -> int | None:
    if not any(day in days for day in part):
        return None
    return sum(of[day].visitors for day in part if day in of)


def _spark_pace(span: Span) -> Interval:
    return "day" if span.days <= SPARKS_MAX else max(pace(span), "week", key=len)
