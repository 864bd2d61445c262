"""Breakdown: what has been published of one dimension, what still waits, what stays unsaid.

Pure. The unit is a product's visitor-day; each is in exactly one published cell or in none, so
cells, pending, other and outside always add up to the visitor-days of the range's products.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from dashboards.period import Span, closing_week_of, intervals, month_of

By = Literal["source", "campaign", "device", "browser", "os", "hour"]
DIMENSIONS: tuple[By, ...] = get_args(By)
OTHER = "(other)"
CellPeriod = Literal["day", "week", "month"]
CLOSES: Mapping[CellPeriod, int] = {"month": 0, "week": 1, "day": 2}  # Longest first.


@dataclass(frozen=True, slots=True)
class Cell:
    """One published number: visitors who had this value in the period that begins at start."""

    value: str
    visitors: int
    period: CellPeriod
    start: date

    @property
    def span(self) -> Span:
        """The days that the cell speaks of."""
        match self.period:
            case "day":
                return Span(self.start, self.start)
            case "week":
                return Span(self.start, closing_week_of(self.start).last)
            case "month":
                return month_of(self.start)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One dimension over a range, in visitor-days.

    cells          whose whole period lies in the range
    pending        waits for a close; all of it is decided by the close of pending_until
    other          was still too small to list when its month closed
    outside        belongs to weeks and months that cross the range's ends
    """

    by: By
    cells: tuple[Cell, ...]
    pending: int
    pending_until: date | None
    other: int
    outside: int


def compose(
    by: By,
    span: Span,
    cells: Sequence[Cell],
    units: Mapping[date, int],
    unsealed: frozenset[date],
    today: date,
) -> Breakdown:
    """Return the breakdown of a span.

    cells      published for the months that the span touches
    units      visitor-days of the products, by day
    unsealed   days that have data and whose close has not come
    """
    inside, told = _inside(span, cells)
    published = {(cell.period, cell.start) for cell in cells}

    def closed(period: CellPeriod, whole: Span) -> bool:
        """A period that has published is closed, whatever else is still open."""
        return (period, whole.first) in published or _is_over(whole, unsealed, today)

    pending = other = outside = 0
    pending_until: date | None = None
    for part in intervals(span, "month"):
        month = month_of(part.first)
        if closed("month", month):
            rest = _rest(part, told, units)
            other, outside = (
                (other + rest, outside) if span.holds(month) else (other, outside + rest)
            )
            continue
        for week in _closing_weeks(part):
            rest = _rest(week, told, units)
            whole = closing_week_of(week.first)
            if closed("week", whole) and not span.holds(whole):
                outside += rest
            elif rest:
                pending += rest
                pending_until = month.last
    return Breakdown(by, _merged(inside), pending, pending_until, other, outside)


def _inside(span: Span, cells: Sequence[Cell]) -> tuple[list[Cell], dict[Span, int]]:
    """Return the cells whole within a span, and their visitors by the days that they speak of.

    What a month folded is known from the total; its row says the same and is not a cell.
    """
    inside: list[Cell] = []
    told: dict[Span, int] = {}
    spans: dict[tuple[CellPeriod, date], Span] = {}  # Thousands of cells share some hundred.
    for cell in cells:
        place = (cell.period, cell.start)
        whole = spans.get(place) or spans.setdefault(place, cell.span)
        if span.holds(whole) and not _is_folded(cell):
            inside.append(cell)
            told[whole] = told.get(whole, 0) + cell.visitors
    return inside, told


def _is_folded(cell: Cell) -> bool:
    return cell.period == "month" and cell.value == OTHER


def _closing_weeks(part: Span) -> list[Span]:
    """Cut a part of one month into weeks; the part's ends may cut the first and the last."""
    return intervals(part, "week")


def _is_over(period: Span, unsealed: frozenset[date], today: date) -> bool:
    return period.last < today and not any(day in period for day in unsealed)


def _rest(part: Span, told: Mapping[Span, int], units: Mapping[date, int]) -> int:
    """Return the visitor-days of a part that are in none of its cells."""
    all_units = sum(n for day, n in units.items() if day in part)
    return all_units - sum(visitors for span, visitors in told.items() if part.holds(span))


def _merged(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Add up the same value's cells of several products; most visitors first in each period."""
    sums: dict[tuple[str, CellPeriod, date], int] = {}
    for cell in cells:
        key = (cell.value, cell.period, cell.start)
        sums[key] = sums.get(key, 0) + cell.visitors
    merged = [Cell(value, n, period, start) for (value, period, start), n in sums.items()]
    return tuple(sorted(merged, key=lambda c: (c.start, CLOSES[c.period], -c.visitors, c.value)))
