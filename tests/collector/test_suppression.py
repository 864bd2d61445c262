"""Suppression: what a close publishes, what waits for which, and what a month folds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.suppression import (
    OTHER,
    SECONDS,
    Cell,
    Closed,
    Hold,
    close,
    hold_back,
    hold_nothing,
    month_of,
    publishable,
    week_of,
)

MONDAY = date(2026, 6, 1)
JUNE_ENDS = date(2026, 6, 30)


def five(month: date) -> int:
    """Return the minimum of every month of these tests."""
    return 5


def day_of(day: date, counts: Mapping[str, int], product: str = "p") -> list[Cell]:
    """Return one product's visitor-days of a day, by source."""
    return [Cell("day", day, "s", product, "source", value, n) for value, n in counts.items()]


def close_all(
    days: Iterable[list[Cell]], until: date = JUNE_ENDS, hold: Hold = hold_nothing
) -> Closed:
    """Close day after day, each up to the next one's eve, and return all that was published."""
    published: list[Cell] = []
    waiting: list[Cell] = []
    by_day = {cells[0].start: cells for cells in days if cells}
    starts = sorted(by_day)
    for start, following in zip(starts, [*starts[1:], until + timedelta(days=1)], strict=True):
        eve = following - timedelta(days=1)
        closed = close(eve, [*waiting, *by_day[start]], five, hold)
        published += closed.published
        waiting = closed.waiting
    return Closed(published, waiting)


def test_a_value_that_reaches_the_minimum_is_published_with_its_day() -> None:
    """Seven from one source and five spread over others: the seven are the day's, the rest waits
    for the week."""
    closed = close(
        MONDAY, day_of(MONDAY, {"a.example": 7, "b.example": 3, "c.example": 2}), five, hold_nothing
    )
    assert closed.published == day_of(MONDAY, {"a.example": 7})
    assert closed.waiting == [
        Cell("week", MONDAY, "s", "p", "source", "b.example", 3),
        Cell("week", MONDAY, "s", "p", "source", "c.example", 2),
    ]


def test_the_smallest_publishable_value_waits_with_a_remainder_below_the_minimum() -> None:
    """Of 8, 6 and 1 the one would stand alone: the six wait with it, the eight don't."""
    assert publishable({"a": 8, "b": 6, "c": 1}, 5, {}) == {"a": 8}
    assert publishable({"a": 8, "b": 6}, 5, {}) == {"a": 8, "b": 6}
    assert publishable({"a": 8, "c": 1}, 5, {}) == {}
    assert publishable({"a": 8, "c": 3, "d": 2}, 5, {}) == {"a": 8}


def test_what_is_held_back_waits_and_a_value_that_falls_below_the_minimum_waits_whole() -> None:
    """One of eight held back leaves seven, which wait too because one would remain; with five
    others waiting the seven are shown. Two of six held back leave four: none is shown."""
    assert publishable({"a": 8}, 5, {"a": 1}) == {}
    assert publishable({"a": 8, "b": 4}, 5, {"a": 1}) == {"a": 7}
    assert publishable({"a": 6, "b": 9}, 5, {"a": 2}) == {"b": 9}


def test_a_value_is_published_by_the_first_close_that_finds_enough_of_it() -> None:
    """Four visitors from one source in a week wait; with the next week's two they are the month's.
    There eight others would be the week's, but for the two that would stand alone. A second
    product's six, of two kinds, are too few even in the seller's month."""
    visits = [day_of(MONDAY + timedelta(days=n), {"a": 1}) for n in range(4)]
    visits += [day_of(MONDAY + timedelta(days=n), {"a": 1, "b": 4}) for n in (7, 8)]
    visits[0] += day_of(MONDAY, {"c": 3}, product="q")
    visits[1] += day_of(MONDAY + timedelta(days=1), {"d": 3}, product="q")
    closed = close_all(visits)
    assert closed.waiting == []
    assert closed.published == [
        Cell("month", MONDAY, "s", "p", "source", "a", 6),
        Cell("month", MONDAY, "s", "p", "source", "b", 8),
        Cell("month", MONDAY, "s", "", "source", OTHER, 6),
    ]


def test_products_that_are_small_alone_are_shown_together_as_the_sellers() -> None:
    """Three products with two visitors from one source each: six, in the seller's own month."""
    cells = [c for p in "xyz" for c in day_of(MONDAY, {"a": 2}, product=p)]
    closed = close_all([cells])
    assert closed.published == [Cell("month", MONDAY, "s", "", "source", "a", 6)]


def test_a_value_called_other_is_folded_with_the_rest_at_the_months_end() -> None:
    """Six campaigns that we didn't accept are `(other)` already; what the month folds joins them
    in one row, because one name can't stand for two things."""
    closed = close_all([[*day_of(MONDAY, {OTHER: 3}), *day_of(MONDAY, {OTHER: 3, "a": 2}, "q")]])
    assert closed.published == [Cell("month", MONDAY, "s", "", "source", OTHER, 8)]


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 6, 3), date(2026, 6, 1), date(2026, 6, 7)),
        (date(2026, 6, 30), date(2026, 6, 29), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 7, 1), date(2026, 7, 5)),
        (date(2027, 1, 1), date(2027, 1, 1), date(2027, 1, 3)),
    ],
)
def test_a_week_is_an_iso_week_cut_at_the_months_ends(day: date, first: date, last: date) -> None:
    """Monday to Sunday, but never in two months, so that a month's close leaves no half week."""
    assert week_of(day) == (first, last)


def test_periods_end_though_nothing_ran_on_their_last_day() -> None:
    """The machine was off from Wednesday on and comes back in July: the day that is closed then
    closes its week and its month, too."""
    closed = close(JUNE_ENDS, day_of(MONDAY, {"a": 3, "b": 3}), five, hold_nothing)
    assert closed.waiting == []
    assert closed.published == [Cell("month", MONDAY, "s", "", "source", OTHER, 6)]


def test_a_new_minimum_is_asked_for_by_month() -> None:
    """June is closed with June's minimum although July has begun with another."""
    cells = [*day_of(JUNE_ENDS, {"a": 4}), *day_of(date(2026, 7, 1), {"a": 4})]
    closed = close(
        date(2026, 7, 1), cells, lambda month: 3 if month.month == 6 else 5, hold_nothing
    )
    assert closed.published == day_of(JUNE_ENDS, {"a": 4})
    assert [cell.start for cell in closed.waiting] == [date(2026, 7, 1)]


def test_an_average_is_published_for_a_whole_group_or_waits_whole() -> None:
    """Four visitors with a time wait; with three more in the week their seven times are one sum.
    What never reaches the minimum leaves no row: an average has no `(other)`."""
    timed = [
        [Cell("day", MONDAY + timedelta(days=n), "s", "p", SECONDS, "", visitors, seconds)]
        for n, visitors, seconds in ((0, 4, 100), (1, 3, 20), (9, 2, 50))
    ]
    always = hold_back(Random(1))
    assert close_all(timed, hold=always).published == [
        Cell("week", MONDAY, "s", "p", SECONDS, "", 7, 120)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("pqr"), st.integers(0, 29), st.sampled_from("abcde")),
        st.integers(1, 9),
        max_size=60,
    ),
    st.integers(0, 2**32),
)
def test_every_visitor_day_is_in_one_cell_and_no_cell_is_small_or_changes(
    visits: dict[tuple[str, int, str], int], seed: int
) -> None:
    """Whatever came and whatever chance held back: published cells are at least the minimum and
    unique; after each close, published and waiting add up to all that came, by value; and at the
    month's end nothing waits, and only `(other)` may be small, and alone."""
    hold = hold_back(Random(seed))
    waiting: list[Cell] = []
    keys: set[tuple[object, ...]] = set()
    came: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    for number in range(30):
        day = MONDAY + timedelta(days=number)
        units = [
            Cell("day", day, "s", product, "source", value, n)
            for (product, on, value), n in visits.items()
            if on == number
        ]
        for cell in units:
            came[cell.value] += cell.visitors
        closed = close(day, [*waiting, *units], five, hold)
        waiting = closed.waiting
        for cell in closed.published:
            assert cell.visitors >= 5 or cell.value == OTHER
            assert cell[:6] not in keys, "a published cell never changes"
            keys.add(cell[:6])
            shown[cell.value] += cell.visitors
        if number < 29:
            left: Counter[str] = Counter()
            for cell in waiting:
                left[cell.value] += cell.visitors
            assert shown + left == came
    assert waiting == []
    assert shown.total() == came.total()
    assert all(shown[value] <= came[value] for value in "abcde")


def test_chance_holds_back_at_one_close_in_ten() -> None:
    """Of 20,000 draws about a tenth may hold back; of those, half hold nothing of a given value,
    a quarter one unit, and now and then more than five: no number is impossible."""
    hold = hold_back(Random(3))
    drawn = [hold({"a": 9}) for _ in range(20_000)]
    held = Counter(draw["a"] for draw in drawn if draw)
    assert 1_800 <= held.total() <= 2_200
    assert 900 <= held[0] <= 1_100
    assert 420 <= held[1] <= 580
    assert max(held) > 5


SHARES = {
    "direct": 0.40,
    "search.example": 0.28,
    "social.example": 0.10,
    "photos.example": 0.08,
    "second-search.example": 0.05,
    "pins.example": 0.04,
    "newsletter": 0.03,
    "forum.example": 0.01,
    "video.example": 0.01,
}


def itemised(products: int, visitors: int, chance: Random) -> float:
    """Return which part of a simulated month's visitor-days has its source published."""
    sources, weights = list(SHARES), list(SHARES.values())
    hold, month = hold_back(chance), date(2026, chance.randrange(1, 13), 1)
    last = month_of(month)[1]
    days = []
    for number in range(last.day):
        day = month + timedelta(days=number)
        days.append(
            [
                cell
                for product in range(products)
                for cell in day_of(
                    day, Counter(chance.choices(sources, weights, k=visitors)), f"p{product}"
                )
            ]
        )
    published = close_all(days, until=last, hold=hold).published
    named = sum(cell.visitors for cell in published if cell.value != OTHER)
    return named / (products * visitors * last.day)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("products", "visitors", "at_least"), [(1, 4, 0.88), (3, 1, 0.85), (1, 15, 0.95)]
)
def test_most_of_a_small_sellers_sources_are_itemised_within_the_month(
    products: int, visitors: int, at_least: float
) -> None:
    """Over 200 simulated months with nine sources, two of them rare, a page with four visitors a
    day has 88% or more of them itemised on average, and three pages with one a day 85%."""
    chance = Random(20260601)
    months = [itemised(products, visitors, chance) for _ in range(200)]
    assert sum(months) / len(months) >= at_least
