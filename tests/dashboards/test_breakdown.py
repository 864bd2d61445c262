"""Breakdowns: what may be listed, what waits, and that nothing is lost between the two."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboards.breakdown import Breakdown, Cell, compose
from dashboards.period import Span, closing_week_of, month_of
from tests.dashboards.running import TODAY, Book, Site, Visits, between, token

DAY = timedelta(days=1)
OCTOBER = Span(date(2026, 10, 1), date(2026, 10, 31))


def whole(breakdown: Breakdown) -> int:
    """Return all units that a breakdown speaks of."""
    listed = sum(cell.visitors for cell in breakdown.cells)
    return listed + breakdown.pending + breakdown.other + breakdown.outside


def test_a_day_that_is_not_sealed_waits_as_a_whole(site: Site, visits: Visits) -> None:
    """Yesterday forty people came from one site, and its close has not come: they are pending,
    because whatever is listed before the close could be subtracted from what it lists."""
    yesterday = TODAY - DAY
    visits.add("cup", 40, day=yesterday, source="search.example")
    visits.add("cup", 3)

    answer = site.ask(
        "/api/v1/breakdown",
        bearer=token("stats", visits.seller),
        **between(yesterday, TODAY, by="source"),
    )

    assert answer.json == {
        "by": "source",
        "cells": [],
        "pending": 43,
        "pending_until": "2026-11-30",
        "other": 0,
        "outside": 0,
        "deleted": None,
    }


def test_published_cells_come_from_counts(site: Site, visits: Visits, book: Book) -> None:
    """October is closed: a day's cell, a week's, and the month's own; what they leave of the
    total was folded. A range of one week shows that week's cells and says that the rest of its
    visitors belong to the month."""
    book.states = dict.fromkeys(OCTOBER, "sealed")
    for day in OCTOBER:
        visits.count("cup", day, 2, 2)
    visits.cell("cup", "day", date(2026, 10, 7), "source", "a.example", 5)
    visits.cell("cup", "week", date(2026, 10, 5), "source", "b.example", 6)
    visits.cell("cup", "month", date(2026, 10, 1), "source", "c.example", 20)
    visits.cell("", "month", date(2026, 10, 1), "source", "(other)", 31)
    bearer = token("stats", visits.seller)

    def ask(first: date, last: date) -> tuple[list[tuple[str, int]], int, int, int]:
        asked = between(first, last, by="source")
        answer = site.ask("/api/v1/breakdown", bearer=bearer, **asked).json
        cells = [(cell["value"], cell["visitor_days"]) for cell in answer["cells"]]
        return cells, answer["pending"], answer["other"], answer["outside"]

    month = ask(OCTOBER.first, OCTOBER.last)
    week = ask(date(2026, 10, 5), date(2026, 10, 11))

    assert month == ([("c.example", 20), ("b.example", 6), ("a.example", 5)], 0, 31, 0)
    assert week == ([("b.example", 6), ("a.example", 5)], 0, 0, 3)


@given(
    first=st.dates(date(2026, 8, 1), TODAY),
    days=st.integers(0, 120),
    unsealed=st.integers(0, 60),
    listed=st.sets(st.integers(0, 110), max_size=20),
)
def test_nobody_is_lost_between_listed_and_waiting(
    first: date, days: int, unsealed: int, listed: set[int]
) -> None:
    """Three visitors a day for months; some were listed by day, some by week, some by month.
    Whatever range is asked for, listed, pending, other and outside add up to its visitors."""
    start = date(2026, 8, 1)
    span = Span(first, min(first + days * DAY, TODAY))
    units = dict.fromkeys(span, 3)
    cells = [Cell(f"v{n}", 1, "day", start + n * DAY) for n in listed]
    cells += [Cell("w", 1, "week", closing_week_of(c.start).first) for c in cells]
    cells += [Cell("m", 1, "month", month_of(c.start).first) for c in cells]
    open_days = frozenset(TODAY - n * DAY for n in range(unsealed))

    assert whole(compose("source", span, cells, units, open_days, TODAY)) == 3 * span.days
