"""Change: how two numbers compare, in words that a small shop is not fooled by.

Pure. From one visitor to two is "+1", not "+100%".
"""

from dataclasses import dataclass
from typing import Literal

SMALL = 20  # Below this a percentage says more about chance than about the shop.


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, as a count or, between large numbers, as a share of what was before."""

    kind: Literal["count", "percent"]
    difference: int
    share: float

    @property
    def direction(self) -> Literal["up", "down", "same"]:
        """Which way it went."""
        return "up" if self.difference > 0 else "down" if self.difference < 0 else "same"


def change(now: int, before: int) -> Change:
    """Compare a number with the one before it."""
    difference = now - before
    if before < SMALL:
        return Change("count", difference, 0.0)
    return Change("percent", difference, difference / before)
