"""Table: every product of a seller for a range; sorted, searched, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboards.catalogue import Listing
from dashboards.change import Change, change
from dashboards.figures import Figures
from dashboards.parameters import PageAsked, Sort
from dashboards.period import DAY, Interval, Span, intervals
from dashboards.shelf import Shelf
from dashboards.stats import Stats
from dashboards.stretches import Windows, sparks, windows
from dashboards.totals import NOBODY, Totals

ROWS = 50
SPARK_STEPS_MAX = 62
MOVED_SHOWN = 5
MOVED_LEAST = 5  # A product that two people fewer looked at has not moved; it has had a day.
QUIET_DAYS = 90
QUIET_KNOWN_LEAST = 80  # Of these days so many must have data; a few gaps change nothing.
QUIET_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One product.

    change   of its visitors; None where the range can't be compared
    spark    its visitors step by step; None where there is no data
    """

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
class Table:
    """One page of the table and what is said beside it.

    products  how many there are, matching: how many fit the search
    moved     most changed first
    quiet     on sale and not looked at in QUIET_DAYS; quiet_more: so many are not shown.
              None where those days have no data to say it by
    is_new    nobody was counted in the range, in the days before or in QUIET_DAYS, and there is
              no catalogue
    """

    rows: tuple[Row, ...]
    products: int
    matching: int
    page: int
    pages: int
    moved: tuple[Row, ...]
    quiet: tuple[Listing, ...] | None
    quiet_more: int
    is_new: bool


def table(stats: Stats, listed: Mapping[str, Listing], head: Figures, query: PageAsked) -> Table:
    """Return the table of a shelf's products for a range."""
    sides = head.comparison
    long = Span(head.now - QUIET_DAYS * DAY, head.now)
    nothing = Span(head.now, head.now - DAY)
    found = windows(
        stats.asking,
        head.shelf,
        head.span,
        sides.over if sides.possible else nothing,
        sides.before if sides.possible else nothing,
        long,
    )
    rows = _rows(found, listed, compare=sides.possible)
    matching = sorted(
        (row for row in rows if _matches(row, query.q)), key=lambda row: _order(row, query.sort)
    )
    pages = max(1, -(-len(matching) // ROWS))
    page = min(query.page, pages)
    shown = matching[(page - 1) * ROWS : page * ROWS]
    is_known = len(stats.asking.days(long)) >= QUIET_KNOWN_LEAST
    quiet = _quiet(found, listed, long) if is_known else None
    return Table(
        rows=_with_sparks(stats, head, shown),
        products=len(rows),
        matching=len(matching),
        page=page,
        pages=pages,
        moved=_moved(rows),
        quiet=None if quiet is None else tuple(quiet[:QUIET_SHOWN]),
        quiet_more=max(0, len(quiet or ()) - QUIET_SHOWN),
        is_new=not found and not listed and not head.totals.views,
    )


def _rows(
    found: Mapping[str, Windows], listed: Mapping[str, Listing], *, compare: bool
) -> list[Row]:
    """Return what is on sale and what was looked at in the range or in the days before it."""
    on_sale = {product for product, listing in listed.items() if not listing.retired}
    seen = {p for p, w in found.items() if w.chosen.visitors or w.over or w.before}
    return [
        Row(
            product,
            listed.get(product),
            found[product].chosen if product in found else NOBODY,
            _change(found.get(product)) if compare else None,
        )
        for product in on_sale | seen
    ]


def _change(sides: Windows | None) -> Change:
    return change(sides.over, sides.before) if sides else change(0, 0)


def _matches(row: Row, words: str) -> bool:
    text = f"{row.title} {row.product}".casefold()
    return all(word in text for word in words.casefold().split())


def _order(row: Row, sort: Sort) -> tuple[float, str, str]:
    """Return a row's place: as chosen, then by title."""
    place = {
        "title": 0,
        "views": -row.totals.views,
        "change": -abs(row.change.difference) if row.change else 0,
        "visitors": -row.totals.visitors,
    }[sort]
    return (place, row.title.casefold(), row.product)


def _moved(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the products whose visitors changed most, by heads and not by per cent."""
    moved = [row for row in rows if row.change and abs(row.change.difference) >= MOVED_LEAST]
    return tuple(sorted(moved, key=lambda row: _order(row, "change"))[:MOVED_SHOWN])


def _quiet(
    found: Mapping[str, Windows], listed: Mapping[str, Listing], long: Span
) -> list[Listing]:
    """Return what is on sale and nobody looked at for long.

    A product that was listed within these days has not had its chance yet.
    """
    return sorted(
        (
            listing
            for product, listing in listed.items()
            if not (product in found and found[product].long)
            and not listing.retired
            and (listing.listed_on is None or listing.listed_on < long.first.isoformat())
        ),
        key=lambda listing: (listing.listed_on or "", listing.title),
    )


def _with_sparks(stats: Stats, head: Figures, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Add to the rows that are shown how their visitors went, step by step."""
    # Not today: a day that isn't over would look like a fall.
    span = head.span.until(head.now - DAY)
    if not rows or not span.days:
        return tuple(rows)
    parts = _whole(intervals(span, _pace(span)))
    shown = Shelf(head.shelf.seller, frozenset(row.product for row in rows))
    visitors = sparks(stats.asking, shown, parts)
    known = [any(head.days[day] is not None for day in part) for part in parts]
    nothing = [0] * len(parts)

    def spark(product: str) -> tuple[int | None, ...]:
        steps = zip(visitors.get(product, nothing), known, strict=True)
        return tuple(n if has_data else None for n, has_data in steps)

    return tuple(replace(row, spark=spark(row.product)) for row in rows)


def _whole(parts: list[Span]) -> list[Span]:
    """Leave out a first and a last step that are cut short: they would look like a fall."""
    whole = parts[:]
    if len(whole) > 2 and whole[-1].days < min(whole[-2].days, 28):
        whole.pop()
    if len(whole) > 2 and whole[0].days < min(whole[1].days, 28):
        whole.pop(0)
    return whole


def _pace(span: Span) -> Interval:
    if span.days <= SPARK_STEPS_MAX:
        return "day"
    return "week" if span.days <= 7 * SPARK_STEPS_MAX else "month"
