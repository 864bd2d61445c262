"""Totals: the two numbers that everything is about. Pure."""

from collections.abc import Iterable
from typing import NamedTuple


class Totals(NamedTuple):
    """views, and visitors: distinct per day, added up over days (visitor-days)."""

    views: int
    visitors: int


NOBODY = Totals(0, 0)


def add(totals: Iterable[Totals | None]) -> Totals:
    """Add totals up; days without data add nothing."""
    known = [t for t in totals if t is not None]
    return Totals(sum(t.views for t in known), sum(t.visitors for t in known))
