"""Periods: stretches of days, what lies before them, and how they are cut into intervals.

Pure: today is an argument. Weeks are ISO weeks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

SPAN_DAYS_MAX = 5 * 365 + 2  # Five years, two of them leap years.
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2149, 6, 5)  # ClickHouse's Date ends the day after.

Interval = Literal["day", "week", "month"]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from first to last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days; none where last lies before first."""
        return max(0, (self.last - self.first).days + 1)

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * DAY for n in range(self.days))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def holds(self, other: "Span") -> bool:
        """Return whether the whole of the other lies inside."""
        return self.first <= other.first and other.last <= self.last

    def until(self, last: date) -> "Span":
        """Return the part that ends on `last` or earlier; it may be empty."""
        return Span(self.first, min(self.last, last))

    def common(self, other: "Span") -> "Span":
        """Return the days that are in both; the same empty span wherever there are none."""
        both = Span(max(self.first, other.first), min(self.last, other.last))
        return both if both.days else Span(self.first, self.first - DAY)


def month_of(day: date) -> Span:
    """Return the calendar month that holds the day."""
    first = day.replace(day=1)
    after = (first + 31 * DAY).replace(day=1)
    return Span(first, after - DAY)


def week_of(day: date) -> Span:
    """Return the ISO week that holds the day."""
    first = day - day.weekday() * DAY
    return Span(first, first + 6 * DAY)


def closing_week_of(day: date) -> Span:
    """Return the week that is closed as one: the ISO week, cut at the month's ends."""
    week, month = week_of(day), month_of(day)
    return Span(max(week.first, month.first), min(week.last, month.last))


def before(span: Span) -> Span:
    """Return what a span is compared with.

    Whole calendar months are compared with as many whole months before them, anything else
    with as many days directly before it.
    """
    months = _whole_months(span)
    if months == 0:
        return Span(span.first - span.days * DAY, span.first - DAY)
    first = span.first
    for _ in range(months):
        first = month_of(first - DAY).first
    return Span(first, span.first - DAY)


def _whole_months(span: Span) -> int:
    if not span.days or span.first.day != 1 or (span.last + DAY).day != 1:
        return 0
    years, months = span.last.year - span.first.year, span.last.month - span.first.month
    return 12 * years + months + 1


def intervals(span: Span, interval: Interval) -> list[Span]:
    """Cut a span into days, ISO weeks or calendar months; the ends may be cut short."""
    if interval == "day":
        return [Span(day, day) for day in span]
    around = week_of if interval == "week" else month_of
    parts: list[Span] = []
    first = span.first
    while first <= span.last:
        last = min(around(first).last, span.last)
        parts.append(Span(first, last))
        first = last + DAY
    return parts
