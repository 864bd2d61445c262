"""What a curious seller can't find out: an integer program plays one, with everything public."""

import os
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.suppression import Hold, hold_back, hold_nothing, month_of, publishable, week_of
from tests.collector.curious_seller import (
    MINIMUM,
    MONTH,
    Attack,
    Game,
    Row,
    could_have_been,
    play,
    pools_of,
)

pytestmark = pytest.mark.slow

FULL = bool(os.environ.get("COLLECTOR_TEST_FULL"))
VALUES = ("desktop", "mobile", "other", "tablet")  # The seller knows all that there are.


def the_day(number: int) -> date:
    """Return a day of the month, counted from 0."""
    return MONTH + timedelta(days=number)


def often(chance: Random) -> Hold:
    """Draw as the seal does, but hold something back at every second close."""
    draw = hold_back(chance)

    def hold(counts: Mapping[str, int]) -> Mapping[str, int]:
        return draw(counts) if chance.getrandbits(1) else {v: chance.randrange(3) for v in counts}

    return hold


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[Row, dict[str, int]], tuple[str, ...]]:
    """Draw a month: few patterns on many days, because what repeats is what gives away."""
    values = VALUES[: draw(st.integers(2, len(VALUES)))]
    size = st.one_of(st.integers(0, 2), st.sampled_from([3, 4, 5, 6, 9]))
    patterns = draw(
        st.lists(st.fixed_dictionaries(dict.fromkeys(values, size)), min_size=1, max_size=3)
    )
    world = {}
    for product in ("p", "q")[: draw(st.integers(1, 2))]:
        for number in draw(st.sets(st.integers(0, 29), min_size=1, max_size=10)):
            counts = draw(st.sampled_from(patterns))
            if sum(counts.values()):
                world[Row(product, the_day(number))] = counts
    return world, values


def questions(game: Game, chance: Random) -> list[tuple[tuple[Row, ...], str]]:
    """Return the cells below the minimum that are worth asking for, by rows and value.

    One product's days, weeks and month; all products together; and free ranges of days.
    """
    rows = sorted(game.world)
    first = {week_of(row.day)[0] for row in rows}
    groups = {(row,) for row in rows} | {tuple(rows)}
    for product in {row.product for row in rows}:
        own = [row for row in rows if row.product == product]
        groups |= {tuple(r for r in own if week_of(r.day)[0] == start) for start in first}
        groups |= {tuple(own), tuple(chance.sample(own, len(own) // 2 + 1))}
        low, high = sorted(chance.choices([row.day for row in own], k=2))
        groups.add(tuple(row for row in own if low <= row.day <= high))
    asked = [
        (group, value)
        for group in sorted(groups)
        for value in game.values
        if 0 < sum(game.world[row].get(value, 0) for row in group) < game.minimum
        and not any(game.is_all_alike(pool) for row in group for pool in pools_of(row))
    ]
    return chance.sample(asked, min(len(asked), 15 if FULL else 5))


@settings(
    max_examples=300 if FULL else 30,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(worlds(), st.integers(0, 2**32), st.integers(3, 5), st.booleans())
def test_no_cell_below_the_minimum_can_be_pinned(
    drawn: tuple[dict[Row, dict[str, int]], tuple[str, ...]], seed: int, minimum: int, held: bool
) -> None:
    """Whatever the month was and whatever chance held back, each cell of 1 to the minimum − 1 may
    as well have another number; and that other truth shows the same published cells, by the same
    rules, so knowing the rules doesn't help. The totals by the day are all that polling adds."""
    world, values = drawn
    game = play(world, values, often(Random(seed)) if held else hold_nothing, minimum)
    attack = Attack(game)
    for rows, value in questions(game, Random(seed)):
        goal = attack.goal(rows, value)
        low, high = attack.solve(goal), attack.solve({i: -w for i, w in goal.items()})
        assert attack.amount(goal, low) < attack.amount(goal, high), (rows, value)
        assert could_have_been(attack, low, publishable)
        assert could_have_been(attack, high, publishable)


def test_without_chance_the_rule_would_tell() -> None:
    """Five days of four desktops and one mobile, each too small to publish: a week of 20 and 5.
    No day was all alike, or it would have been published; so each day had exactly one mobile. The
    integer program finds it if chance can be excluded, and doesn't if it can't."""
    world = {Row("p", the_day(n)): {"desktop": 4, "mobile": 1} for n in range(5)}
    game = play(world, ("desktop", "mobile"), hold_nothing)
    rows = [Row("p", the_day(0))]
    assert Attack(game, certain=True).range(rows, "mobile") == (1, 1)
    low, high = Attack(game).range(rows, "mobile")
    assert low < 1 < high


def test_without_chance_a_full_set_of_fours_would_tell() -> None:
    """Five desktops are published and twelve wait, of three other kinds that exist: none reached
    five, so each is four. With chance, any of them may have been held back."""
    world = {Row("p", the_day(0)): {"desktop": 5, "mobile": 4, "other": 4, "tablet": 4}}
    game = play(world, VALUES, hold_nothing)
    rows = [Row("p", the_day(0))]
    assert Attack(game, certain=True).range(rows, "tablet") == (4, 4)
    assert Attack(game).range(rows, "tablet") == (0, 12)


def test_a_pool_that_shared_one_value_is_what_everybody_knows() -> None:
    """Five days of one visitor each, all mobile: the week's five are published, and the total says
    that these were all. The attack does see it: it is the one exception that the promise names."""
    world = {Row("p", the_day(n)): {"mobile": 1} for n in range(5)}
    game = play(world, VALUES, hold_nothing)
    assert Attack(game).range([Row("p", the_day(0))], "mobile") == (1, 1)
    assert any(game.is_all_alike(pool) for pool in game.pools())


def test_enough_cells_are_attacked_to_mean_something() -> None:
    """The months of the property test are not empty ones: in twenty of a fixed seed, ninety or
    more cells below the minimum are worth asking for, and most months published something."""
    chance = Random(7)
    cells = published = 0
    for _ in range(20):
        world = {
            Row("p", the_day(n)): {v: chance.choice([0, 1, 1, 2, 4, 6]) for v in VALUES}
            for n in chance.sample(range(30), 10)
        }
        game = play(world, VALUES, hold_back(chance))
        cells += len(questions(game, chance))
        published += bool(game.published)
    assert cells >= 90
    assert published >= 15
    assert MINIMUM == 5
    assert month_of(MONTH)[1].day == 30
