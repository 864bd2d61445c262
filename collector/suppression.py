"""Suppression: which parts of a breakdown may be shown, and what waits or is folded instead.

The unit is a product's visitor-day; in each dimension it has one value. At each close a value
that reaches the minimum is published and never looked at again; the rest waits for the next,
longer period, and what a month leaves becomes `(other)`. So every unit is in exactly one
published cell, and nobody can subtract one published sum from another.

One close in ten, drawn by chance, holds units back as well. Without it the rules themselves tell:
a day of five visitors that published nothing was not all alike, and five such days give their
only "one visitor" away at the week's end. docs/decisions/0101-one-close-in-ten-holds-back.md
has the attack and the proof.

Nothing here reads or writes; neither clock nor chance: both are arguments.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

OTHER = "(other)"
SECONDS = "seconds"  # Not a breakdown but an average: one group, without values.
HOLD_BACK_ONE_IN = 10


class Cell(NamedTuple):
    """Some visitor-days that share a value, published or waiting.

    period   "day", "week" or "month"; start is the period's first day
    product  "" when the cell is the seller's own
    value    "" in the dimension `seconds`, whose cells carry the sum of the seconds
    """

    period: str
    start: date
    seller: str
    product: str
    dimension: str
    value: str
    visitors: int
    seconds: int = 0


class Closed(NamedTuple):
    """What a close published, and what waits now of all that it was given."""

    published: list[Cell]
    waiting: list[Cell]


Hold = Callable[[Mapping[str, int]], Mapping[str, int]]
"""Given what a close could publish, the units of each value that are held back by chance."""

Minimum = Callable[[date], int]
"""The smallest cell of a month, by the month's first day."""

_Amount = tuple[int, int]  # visitors, seconds
_Group = tuple[str, str, str]  # seller, product, dimension


def hold_nothing(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Hold no unit back: the rule without chance, for a test that shows why chance is needed."""
    return {}


def hold_back(chance: Random) -> Hold:
    """Return the real draw: nine closes in ten hold nothing back.

    Shape   the tenth holds, of each value, 0 units with probability 1/2, 1 with 1/4, and so on.
    Why     no number is impossible, so whatever fits the totals and the published cells may be
            the truth, and the rules exclude nothing more. The draws must be kept nowhere.
    """

    def hold(counts: Mapping[str, int]) -> Mapping[str, int]:
        if chance.random() >= 1 / HOLD_BACK_ONE_IN:
            return {}
        return {value: _heads_in_a_row(chance) for value in counts}

    return hold


def week_of(day: date) -> tuple[date, date]:
    """Return the first and last day of a day's week: an ISO week, cut at the month's ends."""
    first, last = month_of(day)
    monday = day - timedelta(days=day.weekday())
    return max(monday, first), min(monday + timedelta(days=6), last)


def month_of(day: date) -> tuple[date, date]:
    """Return the first and last day of a day's month."""
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first, following - timedelta(days=1)


def last_day(period: str, start: date) -> date:
    """Return the last day of the period that starts on a day."""
    if period == "day":
        return start
    return week_of(start)[1] if period == "week" else month_of(start)[1]


def publishable(counts: Mapping[str, int], minimum: int, held: Mapping[str, int]) -> dict[str, int]:
    """Return what one close of one pool publishes, by value.

    Shape   at most what came in; every published number is at least the minimum.
    Why     when what stays would be not nothing and below the minimum, the smallest value that
            could be published stays with it: of eight visitors, seven alike, the eighth would
            stand alone.
    """
    shown = {}
    for value, visitors in counts.items():
        free = visitors - min(visitors, held.get(value, 0))
        if free >= minimum:
            shown[value] = free
    stays = sum(counts.values()) - sum(shown.values())
    if shown and 0 < stays < minimum:
        del shown[min(shown, key=lambda value: (shown[value], value))]
    return shown


def close(through: date, units: Iterable[Cell], minimum: Minimum, hold: Hold) -> Closed:
    """Close every period that ends by a day, from its units on to the month's `(other)`.

    In      units: a day's own (period "day") and what waited of periods that end now; what
            belongs to no period that ends by `through` comes back as waiting, untouched.
    Out     published cells, each in its final form; and what waits: a day's remainder for its
            week, a week's for its month. A month leaves nothing: its rest is `(other)`.
    """
    pools: dict[tuple[str, date], list[Cell]] = {}
    for cell in units:
        pools.setdefault((cell.period, cell.start), []).append(cell)
    published: list[Cell] = []
    for period in ("day", "week", "month"):
        for start in sorted(start for kind, start in pools if kind == period):
            if last_day(period, start) > through:
                continue
            smallest = minimum(month_of(start)[0])
            shown, rest = _close_pool(period, start, pools.pop((period, start)), smallest, hold)
            published += shown
            if period == "month":
                published += _close_sellers(start, rest, smallest, hold)
            elif rest:
                pools.setdefault((rest[0].period, rest[0].start), []).extend(rest)
    return Closed(published, [cell for cells in pools.values() for cell in cells])


def _close_pool(
    period: str, start: date, cells: list[Cell], minimum: int, hold: Hold
) -> tuple[list[Cell], list[Cell]]:
    """Return the cells published of one period, and the rest as cells of the next longer one."""
    longer, begins = _next(period, start)
    published, rest = [], []
    for (seller, product, dimension), amounts in _grouped(cells).items():
        shown = _shown(dimension, amounts, minimum, hold)
        for value, (visitors, seconds) in amounts.items():
            free = shown.get(value, 0)
            of = (seller, product, dimension, value)
            if free:
                published.append(Cell(period, start, *of, free, seconds))
            if visitors > free:
                rest.append(Cell(longer, begins, *of, visitors - free, seconds))
    return published, rest


def _close_sellers(start: date, rest: list[Cell], minimum: int, hold: Hold) -> list[Cell]:
    """Return a month's last cells: each seller's own, over products, and `(other)`."""
    published = []
    whole = [Cell(cell.period, cell.start, cell.seller, "", *cell[4:]) for cell in rest]
    for (seller, _, dimension), amounts in _grouped(whole).items():
        shown = _shown(dimension, amounts, minimum, hold)
        # A value that is itself called (other) is folded with the rest: one row has that name.
        shown.pop(OTHER, None)
        for value, visitors in shown.items():
            seconds = amounts[value][1]
            published.append(Cell("month", start, seller, "", dimension, value, visitors, seconds))
        other = sum(visitors for visitors, _ in amounts.values()) - sum(shown.values())
        if other and dimension != SECONDS:
            published.append(Cell("month", start, seller, "", dimension, OTHER, other))
    return published


def _shown(
    dimension: str, amounts: Mapping[str, _Amount], minimum: int, hold: Hold
) -> dict[str, int]:
    counts = {value: visitors for value, (visitors, _) in amounts.items()}
    if sum(counts.values()) < minimum:
        return {}
    # A group's seconds can't be split, so an average is shown whole or waits whole.
    held = {} if dimension == SECONDS else hold(counts)
    return publishable(counts, minimum, held)


def _grouped(cells: Iterable[Cell]) -> dict[_Group, dict[str, _Amount]]:
    groups: dict[_Group, dict[str, _Amount]] = {}
    for cell in cells:
        values = groups.setdefault((cell.seller, cell.product, cell.dimension), {})
        visitors, seconds = values.get(cell.value, (0, 0))
        values[cell.value] = (visitors + cell.visitors, seconds + cell.seconds)
    return groups


def _next(period: str, start: date) -> tuple[str, date]:
    """Return the longer period that takes what a period leaves, and its first day."""
    return ("week", week_of(start)[0]) if period == "day" else ("month", month_of(start)[0])


def _heads_in_a_row(chance: Random) -> int:
    """Return 0 with probability 1/2, 1 with 1/4, 2 with 1/8, and so on without an end."""
    heads = 0
    while chance.getrandbits(1):
        heads += 1
    return heads
