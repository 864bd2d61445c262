"""Ranges: the stretches of days that a reader picks by name, and what they are compared with.

Pure: today is an argument.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal, get_args

from dashboards.period import DAY, Span, before, month_of, week_of

RangeName = Literal[
    "today",
    "yesterday",
    "7-days",
    "30-days",
    "90-days",
    "last-week",
    "this-month",
    "last-month",
    "12-months",
]
NAMES: tuple[RangeName, ...] = get_args(RangeName)


def _ending_today(days: int) -> Callable[[date], Span]:
    return lambda today: Span(today - (days - 1) * DAY, today)


def _last_week(today: date) -> Span:
    return week_of(today - 7 * DAY)


def _last_month(today: date) -> Span:
    return month_of(month_of(today).first - DAY)


def ending_yesterday(days: int) -> Callable[[date], Span]:
    """Return the range of so many days of which today is none."""
    return lambda today: Span(today - days * DAY, today - DAY)


def months_to_date(months: int) -> Callable[[date], Span]:
    """Return the range of this month so far and as many before it as make the number."""

    def span(today: date) -> Span:
        first = month_of(today).first
        for _ in range(months - 1):
            first = month_of(first - DAY).first
        return Span(first, today)

    return span


RANGES: Mapping[RangeName, Callable[[date], Span]] = {
    "today": _ending_today(1),
    "yesterday": ending_yesterday(1),
    "7-days": _ending_today(7),
    "30-days": _ending_today(30),
    "90-days": _ending_today(90),
    "last-week": _last_week,
    "this-month": months_to_date(1),
    "last-month": _last_month,
    "12-months": months_to_date(12),
}


def compared(span: Span, today: date) -> tuple[Span, Span]:
    """Return the part of a span whose days are over, and what that part is compared with.

    A day that isn't over is never compared as if it were. The part may be empty.
    """
    over = span.until(today - DAY)
    return over, before(over)
