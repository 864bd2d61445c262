"""The curious seller: knows the rules, every total and every published cell, and wants one visitor.

A game is a month of one seller. `play` closes it as the seal does; `Attack` writes down, as an
integer program, everything that the result says about the visitor-days behind it, and finds the
smallest and the largest number that a cell can have. A cell is pinned when the two are one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from collector.suppression import OTHER, Cell, Hold, close, month_of, week_of

MINIMUM = 5
MONTH = date(2026, 6, 1)  # Begins on a Monday: weeks of 7, 7, 7, 7 and 2 days.
DIMENSION = "device"


class Row(NamedTuple):
    """One product on one day: the seller knows how many visitors it had."""

    product: str
    day: date


class Pool(NamedTuple):
    """What one close looked at; product is empty for the seller's own."""

    level: str
    product: str
    start: date


@cache
def pools_of(row: Row) -> tuple[Pool, ...]:
    """Return the pools that a row's visitor-days may pass, shortest period first."""
    return (
        Pool("day", row.product, row.day),
        Pool("week", row.product, week_of(row.day)[0]),
        Pool("month", row.product, month_of(row.day)[0]),
        Pool("seller", "", month_of(row.day)[0]),
    )


World = Mapping[Row, Mapping[str, int]]
"""The truth: for each product and day the visitor-days by value."""

Publish = Callable[[Mapping[str, int], int, Mapping[str, int]], dict[str, int]]


@dataclass
class Game:
    """A closed month, as the seller sees it; `world` is the truth to check against."""

    world: World
    values: tuple[str, ...]
    minimum: int
    published: list[Cell] = field(default_factory=list)

    def shown(self, pool: Pool) -> dict[str, int]:
        """Return what was published of one pool, by value."""
        return self.by_pool.get(pool, {})

    @cached_property
    def by_pool(self) -> dict[Pool, dict[str, int]]:
        """What was published of every pool."""
        found: dict[Pool, dict[str, int]] = {}
        for cell in self.published:
            level = cell.period if cell.product else "seller"
            if cell.product or cell.value != OTHER:
                shown = found.setdefault(Pool(level, cell.product, cell.start), {})
                shown[cell.value] = cell.visitors
        return found

    def pools(self) -> list[Pool]:
        """Return every pool of the month, each before those that it flows into."""
        order = ("day", "week", "month", "seller")
        found = {pool for row in self.world for pool in pools_of(row)}
        return sorted(found, key=lambda pool: (order.index(pool.level), pool))

    def size(self, pool: Pool) -> int:
        """Return how many visitor-days came into a pool: totals less what was published before."""
        rows = [row for row in self.world if pool in pools_of(row)]
        before = {p for row in rows for p in pools_of(row)[: pools_of(row).index(pool)]}
        everything = sum(sum(self.world[row].values()) for row in rows)
        return everything - sum(sum(self.shown(p).values()) for p in before)

    def is_all_alike(self, pool: Pool) -> bool:
        """Return whether a whole pool was published as one value: then everybody knows."""
        shown = self.shown(pool)
        return len(shown) == 1 and sum(shown.values()) == self.size(pool)


def play(world: World, values: Iterable[str], hold: Hold, minimum: int = MINIMUM) -> Game:
    """Close every day of the month, as the seal does, and keep what was published."""
    game = Game(world, tuple(values), minimum)
    waiting: list[Cell] = []
    end = month_of(MONTH)[1]
    days = sorted({row.day for row in world} | {end})
    for day, following in zip(days, [*days[1:], end + timedelta(days=1)], strict=True):
        units = [
            Cell("day", day, "s", row.product, DIMENSION, value, visitors)
            for row, counts in world.items()
            if row.day == day
            for value, visitors in counts.items()
            if visitors
        ]
        through = following - timedelta(days=1)
        closed = close(through, [*waiting, *units], lambda month: minimum, hold)
        game.published += closed.published
        waiting = closed.waiting
    assert waiting == [], "a closed month leaves nothing waiting"
    return game


class Attack:
    """An integer program: one variable for each row, value and close that could have taken it.

    With `certain`, the attacker also uses what the rule without chance excludes: a value that was
    not published had not reached the minimum, unless it was the smallest and waited.
    """

    def __init__(self, game: Game, *, certain: bool = False) -> None:
        self.game = game
        self.names: list[tuple[Row, str, Pool | None] | tuple[Pool, str]] = []
        self.index: dict[tuple[Row, str, Pool | None], int] = {}
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.integers = 0
        self._flows()
        self._known_sums()
        if certain:
            for pool in game.pools():
                self._certain(pool)

    def range(self, rows: Iterable[Row], value: str) -> tuple[int, int]:
        """Return the smallest and the largest number of a value's visitor-days in some rows."""
        known, goal = self._sum(rows, value)
        low, high = self.solve(goal), self.solve({i: -w for i, w in goal.items()})
        return known + self.amount(goal, low), known + self.amount(goal, high)

    def solve(self, goal: Mapping[int, float]) -> list[int]:
        """Return the assignment of all variables that makes a goal smallest."""
        count = self.integers
        cost = np.zeros(count)
        for index, weight in goal.items():
            cost[index] = weight
        matrix = np.zeros((len(self.rows), count))
        for number, (weights, _, _) in enumerate(self.rows):
            for index, weight in weights.items():
                matrix[number, index] = weight
        lows = [low for _, low, _ in self.rows]
        highs = [high for _, _, high in self.rows]
        upper = [1 if len(name) == 2 else np.inf for name in self.names]
        result = milp(
            cost,
            constraints=[LinearConstraint(matrix, lows, highs)] if self.rows else [],
            integrality=np.ones(count),
            bounds=Bounds(np.zeros(count), upper),
            options={"time_limit": 20},
        )
        assert result.success, result.message
        return [round(number) for number in result.x]

    @staticmethod
    def amount(goal: Mapping[int, float], solution: list[int]) -> int:
        """Return a goal's value in a solution."""
        return round(sum(weight * solution[index] for index, weight in goal.items()))

    def counts(self, pool: Pool, solution: list[int]) -> dict[str, int]:
        """Return what came into a pool, by value, if a solution were the truth."""
        counts = dict(self.game.shown(pool)) if pool.level == "day" else {}
        for value in self.game.values:
            _, goal = self._into(pool, value)
            counts[value] = counts.get(value, 0) + self.amount(goal, solution)
        return {value: visitors for value, visitors in counts.items() if visitors}

    def goal(self, rows: Iterable[Row], value: str) -> dict[int, float]:
        """Return the variables whose sum is a value's visitor-days in some rows."""
        return self._sum(rows, value)[1]

    def _variable(self, name: tuple[Row, str, Pool | None] | tuple[Pool, str]) -> int:
        self.names.append(name)
        self.integers += 1
        return self.integers - 1

    def _flows(self) -> None:
        for row in self.game.world:
            for value in self.game.values:
                for pool in (*pools_of(row)[1:], None):
                    if pool is None or value in self.game.shown(pool):
                        self.index[row, value, pool] = self._variable((row, value, pool))

    def _known_sums(self) -> None:
        for row, counts in self.game.world.items():
            rest = sum(counts.values()) - sum(self.game.shown(pools_of(row)[0]).values())
            weights = {i: 1.0 for (r, _, _), i in self.index.items() if r == row}
            self.rows.append((weights, rest, rest))
        for pool in self.game.pools():
            if pool.level == "day":
                continue
            for value, visitors in self.game.shown(pool).items():
                weights = {i: 1.0 for (_, v, p), i in self.index.items() if (v, p) == (value, pool)}
                self.rows.append((weights, visitors, visitors))

    def _sum(self, rows: Iterable[Row], value: str) -> tuple[int, dict[int, float]]:
        wanted = set(rows)
        known = sum(self.game.shown(pools_of(row)[0]).get(value, 0) for row in wanted)
        return known, {
            i: 1.0 for (row, v, _), i in self.index.items() if row in wanted and v == value
        }

    def _into(self, pool: Pool, value: str) -> tuple[int, dict[int, float]]:
        """Return what of a value came into a pool: a known number, and variables."""
        known = self.game.shown(pool).get(value, 0) if pool.level == "day" else 0
        goal = {}
        for (row, v, sink), index in self.index.items():
            pools = pools_of(row)
            if v != value or pool not in pools:
                continue
            if sink is None or pools.index(sink) >= pools.index(pool):
                goal[index] = 1.0
        return known, goal

    def _certain(self, pool: Pool) -> None:
        """Add what one close without chance says about the values that it did not publish."""
        game, shown, size = self.game, self.game.shown(pool), self.game.size(pool)
        rest = size - sum(shown.values())
        if not size:
            return
        waits = {
            value: self._variable((pool, value)) for value in game.values if value not in shown
        }
        for value in game.values:
            known, goal = self._into(pool, value)
            if value in shown:
                exact = shown[value] - known
                self.rows.append((goal, exact, exact))
                continue
            flag = waits[value]
            smallest = min(((n, v) for v, n in shown.items()), default=(size, ""))
            most = smallest[0] if (smallest[0], value) < smallest else smallest[0] - 1
            most = min(most if shown else size, rest - 1)
            under = game.minimum - 1
            least = max(game.minimum, rest - under)
            # Below the minimum when the flag is 0; between least and most when it is 1.
            self.rows.append(({**goal, flag: -float(max(most, 0) - under)}, -np.inf, under))
            self.rows.append(({**goal, flag: -float(least)}, 0, np.inf))
        self.rows.append((dict.fromkeys(waits.values(), 1.0), 0, 1))


def could_have_been(attack: Attack, solution: list[int], publish: Publish) -> bool:
    """Return whether another truth, with another chance, shows the very same numbers.

    Each close is done again with the solution's visitor-days; held back is what was not shown.
    """
    for pool in attack.game.pools():
        counts, shown = attack.counts(pool, solution), attack.game.shown(pool)
        held = {value: visitors - shown.get(value, 0) for value, visitors in counts.items()}
        again = publish(counts, attack.game.minimum, held)
        if again != shown:
            return False
    return True
