"""Stretches: every product of a seller, or every seller, over many days at once.

A year of two thousand products is most of a million rows, and the engine answers a question in one
thread. So they are read once for all that a page says of them, and a long stretch is cut into parts
that are asked for at the same time. All sellers' is cut into months: they are many rows, and whole
months are the same in any range.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import add, mul
from typing import Any, Final, NamedTuple

from dashboards.asking import OWN, Asking, OpenDays
from dashboards.period import DAY, Span, intervals, month_of
from dashboards.pool import Row
from dashboards.shelf import EVERYBODY, Shelf
from dashboards.totals import Totals

LONG_DAYS: Final = 62
NOTHING: Final = (0, 0, 0, 0, 0)


class Windows(NamedTuple):
    """A product in several stretches: views and visitors of the chosen one, visitors of the others.

    Flat, because whoever has two thousand products waits for the making of each object.
    """

    views: int
    visitors: int
    over: int
    before: int
    long: int

    @property
    def chosen(self) -> Totals:
        """The totals of the chosen stretch."""
        return Totals(self.views, self.visitors)


class Stretches(NamedTuple):
    """The stretches that a page speaks of. Any may be empty, but not all."""

    chosen: Span
    over: Span
    before: Span
    long: Span

    @property
    def real(self) -> list[Span]:
        """Those that are not empty."""
        return [span for span in self if span.days]

    def common(self, part: Span) -> "Stretches":
        """Return what of each lies within a part."""
        return Stretches(*(part.common(span) for span in self))

    def is_in(self, day: date) -> list[bool]:
        """Return which numbers of Windows a day adds to."""
        return [day in self.chosen, *(day in span for span in self)]


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of some days in line.

    step_of   the step that each cell of `rows` belongs to; a number higher than any for none
    rows      by product, what `courses` tells of the sealed days
    opened    totals of the others
    """

    step_of: Sequence[int]
    rows: Mapping[str, Row]
    opened: OpenDays


@dataclass(frozen=True, slots=True)
class Courses:
    """Every product that was looked at in any of the stretches, and how its visitors went."""

    products: Mapping[str, Windows]
    _steps: "Steps"
    _parts: Sequence[Part]

    @property
    def steps(self) -> Sequence[Span]:
        """The steps, in order."""
        return self._steps.spans

    def of(self, product: str) -> list[int]:
        """Return a product's visitors in each step."""
        found = [0] * (len(self._steps.spans) + 1)  # The last one is of days that are in no step.
        for part in self._parts:
            if product in part.rows:
                told = map(int, part.rows[product][-1].split())
                for step, visitors in zip(part.step_of, told, strict=True):
                    found[step] += visitors
            for day, products in part.opened.items():
                if product in products:
                    found[self._steps.at(day)] += products[product].visitors
        return found[:-1]


class Steps:
    """A stretch cut into steps."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        self._starts = [span.first for span in spans]

    def at(self, day: date) -> int:
        """Return which step a day lies in; the number behind the last if it lies in none."""
        place = bisect_right(self._starts, day) - 1
        return place if place >= 0 and day in self.spans[place] else len(self.spans)


def courses(
    asking: Asking, shelf: Shelf, stretches: Stretches, spans: Sequence[Span]
) -> Callable[[], Courses]:
    """Begin to ask how products did in several stretches and in steps; return what waits for it.

    spans   the steps, in order; none if nobody wants to know
    Errors  Refused (503), from what is returned
    """
    steps = Steps(spans)
    ends = sorted({end for span in (*stretches.real, *spans) for end in (span.first, _after(span))})

    def ask(part: Span) -> Part:
        return _part(asking, shelf, part, stretches.common(part), ends, steps)

    found = asking.begin(ask, _parts(stretches.real))
    return lambda: _together(stretches, steps, found())


def windows(asking: Asking, stretches: Stretches) -> dict[str, Windows]:
    """Return every seller who had a visitor in any of the stretches.

    Errors  Refused (503)
    """
    real = stretches.real
    around = Span(min(span.first for span in real), max(span.last for span in real))
    sums: dict[str, Sequence[int]] = {}
    months = intervals(around, "month")
    for found in asking.at_once(lambda part: _sellers(asking, part, stretches), months):
        _add(sums, found.items())
    return {seller: Windows(*numbers) for seller, numbers in sums.items()}


def products_of(shelf: Shelf, products: Mapping[str, Totals]) -> list[tuple[str, Totals]]:
    """Return a shelf's products of an open day, without the seller's own figure."""
    return [(p, totals) for p, totals in sorted(products.items()) if p != OWN and shelf.has(p)]


def halves(span: Span) -> list[Span]:
    """Cut a span in two if it is long; otherwise asking twice takes more than it saves."""
    return pieces(span, 2 if span.days > LONG_DAYS else 1)


def pieces(span: Span, number: int) -> list[Span]:
    """Cut a span into about so many of like length, where months begin.

    A month's rows lie together: cut in between, it is read twice.
    """
    found: list[Span] = []
    first = span.first
    for n in range(1, number):
        cut = _month_near(span.first + n * span.days // number * DAY)
        if first < cut <= span.last:
            found.append(Span(first, cut - DAY))
            first = cut
    return [*found, Span(first, span.last)]


def _month_near(day: date) -> date:
    """Return the beginning of the month that begins nearest to a day."""
    month = month_of(day)
    return month.first if day - month.first < month.last - day else _after(month)


def _after(span: Span) -> date:
    return span.last + DAY


def _parts(spans: Iterable[Span]) -> list[Span]:
    """Return the days that are in any of the spans, or between two of them that are near."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.first):
        if joined and span.first <= joined[-1].last + LONG_DAYS * DAY:
            joined[-1] = Span(joined[-1].first, max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return [part for whole in joined for part in halves(whole)]


def _part(
    asking: Asking,
    shelf: Shelf,
    part: Span,
    stretches: Stretches,
    ends: Sequence[date],
    steps: Steps,
) -> Part:
    """Ask about some days; stretches are what of each lies within them."""
    starts = [part.first, *(end for end in ends if part.first < end <= part.last)]
    cells = [bisect_right(starts, day) - 1 for day in part]
    asked: dict[str, Any] = {"origin": part.first, "cell_of": cells, "cells": len(starts)}
    for name, span in zip(Stretches._fields, stretches, strict=True):
        inside = bool(span.days)
        first = cells[(span.first - part.first).days] if inside else 0
        last = cells[(span.last - part.first).days] if inside else -1
        asked |= {f"{name}_at": first + 1, f"{name}_cells": last - first + 1}
    asked |= {"chosen_first": stretches.chosen.first, "chosen_last": stretches.chosen.last}
    _, rows, opened = asking.ask("courses", shelf, part, **asked)
    on_shelf = {day: dict(products_of(shelf, products)) for day, products in opened.items()}
    return Part([steps.at(day) for day in starts], {row[0]: row for row in rows}, on_shelf)


def _together(stretches: Stretches, steps: Steps, parts: Sequence[Part]) -> Courses:
    sums: dict[str, Sequence[int]] = {}
    for part in parts:
        _add(sums, ((product, row[1:-1]) for product, row in part.rows.items()))
        _add_open(sums, stretches, part.opened)
    products = {product: Windows(*numbers) for product, numbers in sums.items()}
    return Courses(products, steps, parts)


def _sellers(asking: Asking, part: Span, stretches: Stretches) -> dict[str, Sequence[int]]:
    ends = {
        f"{name}_{end}": getattr(span, end)
        for name, span in stretches.common(part)._asdict().items()
        for end in ("first", "last")
    }
    _, rows, opened = asking.ask("seller_windows", EVERYBODY, part, **ends)
    found: dict[str, Sequence[int]] = {row[0]: row[1:] for row in rows}
    _add_open(found, stretches, opened)
    return found


def _add(sums: dict[str, Sequence[int]], more: Iterable[tuple[str, Sequence[int]]]) -> None:
    for key, numbers in more:
        had = sums.get(key)
        sums[key] = numbers if had is None else list(map(add, had, numbers))


def _add_open(sums: dict[str, Sequence[int]], stretches: Stretches, opened: OpenDays) -> None:
    for day, found in opened.items():
        is_in = stretches.is_in(day)
        for key, (views, visitors) in found.items():
            more = map(mul, is_in, (views, visitors, visitors, visitors, visitors))
            sums[key] = list(map(add, sums.get(key, NOTHING), more))
