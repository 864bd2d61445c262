"""Market: all sellers on one page, for the marketplace's own people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dashboards.catalogue import Catalogue
from dashboards.change import Change, change
from dashboards.figures import Comparison, chosen, compare
from dashboards.parameters import PageAsked
from dashboards.period import DAY, Span
from dashboards.ranges import NAMES, RangeName
from dashboards.snapshot import State
from dashboards.stats import Stats
from dashboards.stretches import Stretches, Windows, windows
from dashboards.totals import Totals, add

ROWS = 100
MOVED_SHOWN = 5
MOVED_LEAST = 5
CLOSES_SHOWN = 14
REFUSALS = ("refused", "gpc", "dnt", "no-consent")
REST = "rest"  # Of the beacons that counted: those that are no view, or not any more.

DayState = Literal["open", "sealed", "lost", "missing"]


@dataclass(frozen=True, slots=True)
class SellerRow:
    """One seller; change is None where the range can't be compared."""

    seller: str
    totals: Totals
    change: Change | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of beacons: by outcome, most first, and the share that people refused."""

    days: int
    beacons: tuple[tuple[str, int], ...]
    by_day: tuple[tuple[date, int, int], ...]  # day, views counted, refused
    refused_share: float | None


@dataclass(frozen=True, slots=True)
class Market:
    """Everything on the page."""

    query: PageAsked
    ranges: tuple[RangeName, ...]
    range_name: RangeName | None
    span: Span
    now: date
    totals: Totals
    kept_from: date | None
    keep_counts_days: int
    comparison: Comparison
    rows: tuple[SellerRow, ...]
    sellers: int
    matching: int
    page: int
    pages: int
    moved: tuple[SellerRow, ...]
    outcomes: Outcomes
    closes: tuple[tuple[date, DayState], ...]


def market(stats: Stats, catalogue: Catalogue, query: PageAsked) -> Market:
    """Return the marketplace's overview for what the reader chose."""
    now = stats.asking.today()
    range_name, span = chosen(stats, query, now)
    sides = compare(stats, span, now)
    nothing = Span(now, now - DAY)
    over, before = (sides.over, sides.before) if sides.possible else (nothing, nothing)
    found = windows(stats.asking, Stretches(span, over, before, nothing))
    rows = _rows(found, catalogue.sellers(), sides)
    matching = sorted(
        (row for row in rows if query.q.casefold() in row.seller.casefold()),
        key=lambda row: _order(row, query.sort),
    )
    pages = max(1, -(-len(matching) // ROWS))
    page = min(query.page, pages)
    return Market(
        query=query,
        ranges=NAMES,
        range_name=range_name,
        span=span,
        now=now,
        totals=add(each.chosen for each in found.values()),
        kept_from=stats.asking.deleted_before(span),
        keep_counts_days=stats.asking.keep_counts_days,
        comparison=sides,
        rows=tuple(matching[(page - 1) * ROWS : page * ROWS]),
        sellers=len(rows),
        matching=len(matching),
        page=page,
        pages=pages,
        moved=_moved(rows),
        outcomes=outcomes(stats.outcomes(span)),
        closes=closes(stats, now),
    )


def _rows(
    found: Mapping[str, Windows], listed: Sequence[str], sides: Comparison
) -> list[SellerRow]:
    """Return who has a listing, and who had a visitor in the range or before it."""
    seen = {seller for seller, w in found.items() if w.chosen.views or w.before}
    nobody = Windows(0, 0, 0, 0, 0)

    def row(seller: str) -> SellerRow:
        had = found.get(seller, nobody)
        changed = change(had.over, had.before) if sides.possible else None
        return SellerRow(seller, had.chosen, changed)

    return [row(seller) for seller in {*listed, *seen}]


def _order(row: SellerRow, sort: str) -> tuple[int, str]:
    match sort:
        case "title":
            place = 0
        case "views":
            place = -row.totals.views
        case "change":
            place = -abs(row.change.difference) if row.change else 0
        case _:
            place = -row.totals.visitors
    return (place, row.seller.casefold())


def _moved(rows: Sequence[SellerRow]) -> tuple[SellerRow, ...]:
    moved = [row for row in rows if row.change and abs(row.change.difference) >= MOVED_LEAST]
    return tuple(sorted(moved, key=lambda row: _order(row, "change"))[:MOVED_SHOWN])


def outcomes(by_day: Mapping[date, Mapping[str, int]]) -> Outcomes:
    """Return outcomes added up over days, and the share of people who refused.

    A share compares views: a visitor who agrees sends times on page as well, and would count twice.
    Bots, prefetches and broken beacons are nobody's choice and count in no share.

    by_day  beacons by outcome, and the views among those that counted where they are known
    """
    sums: Counter[str] = Counter()
    days = []
    for day, of in sorted(by_day.items(), reverse=True):
        counted = of.get("yes", 0)
        views = min(counted, of.get("views", counted))
        sums.update({name: n for name, n in of.items() if name not in ("yes", "views")})
        sums.update({"yes": views, REST: counted - views})
        days.append((day, views, sum(of.get(outcome, 0) for outcome in REFUSALS)))
    refused = sum(sums[outcome] for outcome in REFUSALS)
    chose = sums["yes"] + refused
    return Outcomes(
        days=len(days),
        beacons=tuple(sorted((+sums).items(), key=lambda item: (-item[1], item[0]))),
        by_day=tuple(days),
        refused_share=refused / chose if chose else None,
    )


def closes(stats: Stats, now: date) -> tuple[tuple[date, DayState], ...]:
    """Return the state of the last days' closes, newest first; today has none yet."""
    span = Span(now - CLOSES_SHOWN * DAY, now - DAY)
    states: Mapping[date, State] = stats.asking.states(span)
    return tuple((day, states.get(day, "missing")) for day in reversed(list(span)))
