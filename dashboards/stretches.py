"""Stretches: every product of a seller, or every seller, over many days at once.

A year of two thousand products is most of a million rows, and the engine reads them in one thread.
So a long stretch is cut into parts that are asked for at the same time. All sellers' is cut into
months: they are many rows, and whole months are the same in any range.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import add, mul
from typing import Final, NamedTuple

from dashboards.asking import OWN, Asking
from dashboards.period import DAY, Span, intervals
from dashboards.shelf import EVERYBODY, Shelf
from dashboards.totals import Totals

LONG_DAYS: Final = 62
NOTHING: Final = (0, 0, 0, 0, 0)


class Windows(NamedTuple):
    """A product in several stretches: totals of the chosen one, visitors of the others."""

    chosen: Totals
    over: int
    before: int
    long: int


def windows(
    asking: Asking, shelf: Shelf, chosen: Span, over: Span, before: Span, long: Span
) -> dict[str, Windows]:
    """Return every product that was looked at in any of four stretches; some may be empty.

    Of EVERYBODY: every seller.

    Errors  Refused (503)
    """
    real = [span for span in (chosen, over, before, long) if span.days]
    around = Span(min(span.first for span in real), max(span.last for span in real))
    parts = intervals(around, "month") if shelf == EVERYBODY else _halves(around)

    def ask(part: Span) -> dict[str, list[int]]:
        cut = [part.common(span) for span in (chosen, over, before, long)]
        return _sums(asking, shelf, part, *cut)

    first, *others = asking.at_once(ask, parts)
    for found in others:
        for product, more in found.items():
            had = first.get(product)
            first[product] = more if had is None else list(map(add, had, more))
    return {
        product: Windows(Totals(views, visitors), *rest)
        for product, (views, visitors, *rest) in first.items()
    }


def sparks(asking: Asking, shelf: Shelf, parts: Sequence[Span]) -> dict[str, list[int]]:
    """Return each product's visitors in each part of a stretch cut into parts.

    Errors  Refused (503)
    """
    is_long = parts[-1].last - parts[0].first >= LONG_DAYS * DAY
    middle = len(parts) // 2 if is_long else 0
    first, *others = asking.at_once(
        lambda some: _sparks(asking, shelf, some),
        [some for some in (parts[:middle], parts[middle:]) if some],
    )
    for found in others:
        first = {
            product: first.get(product, [0] * middle)
            + found.get(product, [0] * (len(parts) - middle))
            for product in first.keys() | found.keys()
        }
    return first


def products_of(shelf: Shelf, products: Mapping[str, Totals]) -> list[tuple[str, Totals]]:
    """Return a shelf's products of an open day, without the seller's own figure."""
    return [(p, totals) for p, totals in sorted(products.items()) if p != OWN and shelf.has(p)]


def _halves(span: Span) -> list[Span]:
    if span.days <= LONG_DAYS:
        return [span]
    middle = span.first + span.days // 2 * DAY
    return [Span(span.first, middle - DAY), Span(middle, span.last)]


def _sums(
    asking: Asking, shelf: Shelf, around: Span, chosen: Span, over: Span, before: Span, long: Span
) -> dict[str, list[int]]:
    """Return by product: views and visitors of `chosen`, visitors of the others.

    Plain lists, because whoever has two thousand products waits for the making of each object.
    """
    spans = {"chosen": chosen, "over": over, "before": before, "long": long}
    ends = {
        f"{name}_{end}": getattr(span, end)
        for name, span in spans.items()
        for end in ("first", "last")
    }
    question = "seller_windows" if shelf == EVERYBODY else "product_windows"
    _, rows, opened = asking.ask(question, shelf, around, **ends)
    found: dict[str, list[int]] = {row[0]: list(row[1:]) for row in rows}
    for day, products in opened.items():
        is_in = [day in chosen, day in chosen, day in over, day in before, day in long]
        for product, (views, visitors) in products_of(shelf, products):
            more = map(mul, is_in, (views, visitors, visitors, visitors, visitors))
            found[product] = list(map(add, found.get(product, NOTHING), more))
    return found


def _sparks(asking: Asking, shelf: Shelf, parts: Sequence[Span]) -> dict[str, list[int]]:
    whole = Span(parts[0].first, parts[-1].last)
    starts = [part.first for part in parts]
    _, rows, opened = asking.ask("sparks", shelf, whole, starts=starts)
    found: dict[str, list[int]] = {}
    for product, step, visitors in rows:
        found.setdefault(product, [0] * len(parts))[step - 1] += int(visitors)
    for day, products in opened.items():
        step = bisect_right(starts, day) - 1
        for product, totals in products_of(shelf, products):
            found.setdefault(product, [0] * len(parts))[step] += totals.visitors
    return found
