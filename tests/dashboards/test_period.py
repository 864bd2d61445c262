"""Periods, ranges and charts: days cut, compared and drawn without a day lost or counted twice."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboards.chart import HEIGHT, draw, round_up, spark
from dashboards.period import Interval, Span, before, closing_week_of, intervals, month_of
from dashboards.ranges import NAMES, RANGES, compared
from dashboards.totals import Totals

DAY = timedelta(days=1)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
spans = st.builds(lambda first, n: Span(first, first + n * DAY), days, st.integers(0, 2000))


@given(spans, st.sampled_from(["day", "week", "month"]))
def test_cutting_loses_no_day(span: Span, interval: Interval) -> None:
    """Whatever it is cut into, every day is in exactly one part, in order, and no part crosses
    the end of its week or month."""
    parts = intervals(span, interval)

    assert [day for part in parts for day in part] == list(span)
    if interval == "month":
        assert all(month_of(part.first) == month_of(part.last) for part in parts)
    if interval == "week":
        assert {part.first.isoweekday() for part in parts[1:]} <= {1}


@given(spans)
def test_a_span_is_compared_with_the_days_right_before_it(span: Span) -> None:
    """The days before end where the span begins. They are as many, or, for whole months, whole
    months."""
    earlier = before(span)

    assert earlier.last + DAY == span.first
    is_whole_months = span.first.day == 1 and (span.last + DAY).day == 1
    if is_whole_months:
        assert earlier.first.day == 1
    else:
        assert earlier.days == span.days


def test_a_month_is_compared_with_the_month_before() -> None:
    """March with February, whose days are fewer; a quarter with the quarter before."""
    march = Span(date(2026, 3, 1), date(2026, 3, 31))
    quarter = Span(date(2026, 1, 1), date(2026, 3, 31))

    assert before(march) == Span(date(2026, 2, 1), date(2026, 2, 28))
    assert before(quarter) == Span(date(2025, 10, 1), date(2025, 12, 31))


@given(days)
def test_every_range_ends_by_today_and_compares_days_that_are_over(today: date) -> None:
    """On any day of any year: no range reaches into tomorrow, and neither side of a comparison
    holds today."""
    for name in NAMES:
        span = RANGES[name](today)
        over, earlier = compared(span, today)
        assert span.days >= 1
        assert span.last <= today
        assert today not in over
        assert today not in earlier


@given(days)
def test_weeks_are_cut_at_a_months_end(day: date) -> None:
    """The week that is closed as one has a single month, and ends on a Sunday or with it."""
    week = closing_week_of(day)

    assert day in week
    assert week.first.month == week.last.month
    assert week.last.isoweekday() == 7 or week.last == month_of(day).last


@given(st.integers(0, 10**9))
def test_the_scale_is_round_and_large_enough(value: int) -> None:
    """The highest line is a number that one reads at once, not far above the highest column."""
    top = round_up(value)

    assert top >= max(value, 4)
    assert top <= max(4, 2.5 * value)
    assert str(top).rstrip("0") in {"4", "6", "1", "2"}


@example(Span(date(2000, 1, 1), date(2002, 2, 4)), 0)  # 766 days: both end weeks are cut short.
@given(spans, st.integers(0, 10**6))
def test_a_chart_fits_its_frame(span: Span, visitors: int) -> None:
    """From a day to five years and from nobody to a million: columns stand side by side within
    the width, none is higher than the frame, and one visitor is still seen."""
    totals = {day: Totals(2 * visitors, visitors) for day in span}
    totals[span.first] = Totals(1, 1)

    chart = draw(dict(totals), span, span.last)

    assert len(chart.columns) <= 110
    assert all(c.bar_x >= 0 and c.bar_x + c.bar_width <= 100.01 for c in chart.columns)
    assert all(0 <= c.visitors <= c.views <= HEIGHT for c in chart.columns)
    assert chart.columns[0].visitors >= 2
    assert chart.columns[-1].so_far
    assert sum(c.totals.views for c in chart.columns if c.totals) == sum(
        t.views for t in totals.values()
    )


@pytest.mark.parametrize(
    ("values", "strokes"),
    [
        ([1, 2, None, 2], ["0,4.5 10,1", "30,1 30,1"]),
        ([None, None], []),
        ([3], ["0,1 0,1"]),
        ([], []),
        ([0, 0], ["0,8 30,8"]),
    ],
)
def test_a_sparkline_breaks_where_there_is_no_data(
    values: list[int | None], strokes: list[str]
) -> None:
    """A gap is a gap in the line too, and a lone day is still a dot."""
    assert spark(values, 30, 9) == strokes
