"""Chart: columns by day, week or month as plain geometry; a template draws it as SVG.

Pure. Across, places are in per cent of the width, so that the same drawing fits a phone and a
desk without its words being stretched; down, they are in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboards.period import Interval, Span, intervals
from dashboards.totals import Totals, add

HEIGHT = 200
TOP = 18  # Room for the highest line's number.
DAY_COLUMNS_MAX = 92
WEEK_COLUMNS_MAX = 110
LABELS = 7
FILL = 0.74  # The share of a column's place that it fills.


@dataclass(frozen=True, slots=True)
class Column:
    """One interval.

    totals           None where no day of it has data
    x, width         of its place, in per cent
    bar_x, bar_width of what is drawn, in per cent
    views, visitors  heights in pixels
    label            1: written on every screen, 2: on a wide one, 0: not written
    """

    span: Span
    totals: Totals | None
    so_far: bool
    x: float
    width: float
    bar_x: float
    bar_width: float
    views: float
    visitors: float
    label: int

    @property
    def middle(self) -> float:
        """Where its label stands, in per cent."""
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns and the lines behind them.

    lines   value and height above the ground in pixels, lowest first
    """

    interval: Interval
    columns: tuple[Column, ...]
    lines: tuple[tuple[int, float], ...]
    ground: int = TOP + HEIGHT


def pace(span: Span) -> Interval:
    """Return the finest interval that still makes a readable chart."""
    if span.days <= DAY_COLUMNS_MAX:
        return "day"
    # The first and the last week may both be cut short, which makes one column more.
    return "week" if span.days <= 7 * (WEEK_COLUMNS_MAX - 1) else "month"


def draw(days: Mapping[date, Totals | None], span: Span, today: date) -> Chart:
    """Return the chart of a span that isn't empty."""
    interval = pace(span)
    parts = intervals(span, interval)
    sums = [together(days, part) for part in parts]
    top = round_up(max((t.views for t in sums if t is not None), default=0))
    width = 100 / len(parts)
    marks = _labels(len(parts))
    columns = tuple(
        Column(
            span=part,
            totals=totals,
            so_far=today in part,
            x=round(n * width, 3),
            width=round(width, 3),
            bar_x=round((n + (1 - FILL) / 2) * width, 3),
            bar_width=round(width * FILL, 3),
            views=_height(totals.views if totals else 0, top),
            visitors=_height(totals.visitors if totals else 0, top),
            label=marks.get(n, 0),
        )
        for n, (part, totals) in enumerate(zip(parts, sums, strict=True))
    )
    steps = (0, top // 2, top) if top % 2 == 0 else (0, top)
    return Chart(interval, columns, tuple((value, _height(value, top)) for value in steps))


def together(days: Mapping[date, Totals | None], part: Span) -> Totals | None:
    """Add up a part's days; None where none of them has data."""
    known = [t for day in part if (t := days.get(day)) is not None]
    if not known:
        return None
    return add(known)


def round_up(value: int) -> int:
    """Return a round number that is not smaller: 4, 10, 20, 40, 60, 100 …"""
    if value <= 4:
        return 4
    power = 1
    while True:
        for step in (4, 6, 10, 20):
            if value <= step * power:
                return step * power
        power *= 10


def _height(value: int, top: int) -> float:
    # A single visitor among thousands is still seen: anything has at least two pixels.
    return max(2.0, round(HEIGHT * value / top, 1)) if value else 0.0


def _labels(columns: int) -> dict[int, int]:
    """Return which columns are labelled; every other label is for wide screens only."""
    step = max(1, -(-columns // LABELS))
    return {n: 1 + number % 2 for number, n in enumerate(range(step // 2, columns, step))}


def spark(values: Sequence[int | None], width: int, height: int) -> list[str]:
    """Return the points of a sparkline's strokes; a day without data interrupts it."""
    top = max((v for v in values if v is not None), default=0) or 1
    step = width / max(1, len(values) - 1)
    strokes: list[list[str]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            strokes.append([])
        else:
            y = height - 1 - (height - 2) * value / top
            strokes[-1].append(f"{round(n * step, 1):g},{round(y, 1):g}")
    # One point alone draws no line: repeat it half a step further.
    return [" ".join(stroke if len(stroke) > 1 else stroke * 2) for stroke in strokes if stroke]
