"""Figures: what every page begins with, today so far, a range, and how it compares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from dashboards.change import Change, change
from dashboards.chart import Chart, draw
from dashboards.parameters import PageAsked
from dashboards.period import Span
from dashboards.ranges import NAMES, RANGES, RangeName, compared
from dashboards.shelf import Shelf
from dashboards.stats import Stats
from dashboards.totals import Totals, add

Days = Mapping[date, Totals | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The days of a range that are over against as many before them.

    missing   days without data on either side; with any, nothing is compared
    """

    over: Span
    before: Span
    missing: int
    views: Change | None = None
    visitors: Change | None = None

    @property
    def possible(self) -> bool:
        """Whether there are two sides, each with data for every day."""
        return bool(self.over.days) and self.missing == 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The head of a page.

    today            so far; None where nothing runs today
    missing          days of the range that are over and have no data
    kept_from        the first day whose counts are kept, if the range reaches behind it
    step_minutes     how often today moves; 0 at once
    """

    shelf: Shelf
    ranges: tuple[RangeName, ...]
    range_name: RangeName | None
    span: Span
    now: date
    today: Totals | None
    days: Days
    totals: Totals
    has_data: bool
    missing: int
    kept_from: date | None
    keep_counts_days: int
    comparison: Comparison
    chart: Chart
    step_minutes: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose, before any number is read."""

    now: date
    range_name: RangeName | None
    span: Span
    sides: Comparison


def choice(stats: Stats, query: PageAsked) -> Choice:
    """Return the days that a page is about, and what they are compared with."""
    now = stats.asking.today()
    range_name, span = chosen(stats, query, now)
    return Choice(now, range_name, span, compare(stats, span, now))


def figures(stats: Stats, shelf: Shelf, made: Choice) -> Figures:
    """Return the head of a page for what the reader chose."""
    now, range_name, span, sides = made.now, made.range_name, made.span, made.sides
    # One question for both sides, and for today where it lies right behind.
    around = Span(sides.before.first if sides.possible else span.first, span.last)
    known = stats.by_day(shelf, around)
    days = {day: known[day] for day in span}
    return Figures(
        shelf=shelf,
        ranges=NAMES,
        range_name=range_name,
        span=span,
        now=now,
        today=known[now] if now in known else stats.by_day(shelf, Span(now, now))[now],
        days=days,
        totals=add(days.values()),
        has_data=any(t is not None for t in days.values()),
        missing=sum(t is None for day, t in days.items() if day < now),
        kept_from=stats.asking.deleted_before(span),
        keep_counts_days=stats.asking.keep_counts_days,
        comparison=_with_changes(sides, known),
        chart=draw(days, span, now),
        step_minutes=stats.asking.snapshot.step_minutes,
    )


def compare(stats: Stats, span: Span, now: date) -> Comparison:
    """Return what a span can be compared with, without the changes."""
    over, before = compared(span, now)
    if not over.days:
        return Comparison(over, before, 0)
    known = stats.asking.days(Span(before.first, over.last))
    return Comparison(over, before, sum(day not in known for day in (*before, *over)))


def _with_changes(sides: Comparison, known: Days) -> Comparison:
    if not sides.possible:
        return sides
    here = add(known[day] for day in sides.over)
    then = add(known[day] for day in sides.before)
    return replace(
        sides,
        views=change(here.views, then.views),
        visitors=change(here.visitors, then.visitors),
    )


def chosen(stats: Stats, query: PageAsked, now: date) -> tuple[RangeName | None, Span]:
    """Return the range that the reader chose.

    Nobody chose: thirty days, or seven as long as thirty have nothing to be compared with.
    """
    if query.span is not None:
        return None, query.span
    if query.range is not None:
        return query.range, RANGES[query.range](now)
    thirty = RANGES["30-days"](now)
    over, before = compared(thirty, now)
    known = stats.asking.days(Span(before.first, over.last))
    name: RangeName = "30-days" if len(known) == before.days + over.days else "7-days"
    return name, RANGES[name](now)
