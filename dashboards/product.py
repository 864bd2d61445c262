"""Product: one product on one page, with where its visitors came from and what they used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboards.breakdown import DIMENSIONS, OTHER, Breakdown, By, Cell
from dashboards.catalogue import Catalogue, Listing
from dashboards.coverage import Coverage, coverage
from dashboards.figures import Figures, choice, figures
from dashboards.parameters import PageAsked
from dashboards.shelf import Shelf
from dashboards.stats import Stats

VALUES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a breakdown over the whole range; share is of the longest line, 0 to 1."""

    value: str
    visitors: int
    share: float


@dataclass(frozen=True, slots=True)
class Split:
    """One dimension as a reader sees it: what was itemised by day, week and month in one list.

    more   visitors whose value is listed in the numbers and not shown here
    """

    by: By
    lines: tuple[Line, ...]
    more: int
    pending: int
    pending_until: date | None
    other: int
    outside: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say at all."""
        return not (self.lines or self.pending or self.other or self.outside)


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Everything on the page."""

    query: PageAsked
    head: Figures
    product: str
    listing: Listing | None
    splits: tuple[Split, ...]
    minimum: int
    coverage: Coverage | None
    time_visitors: int
    time_seconds: int

    @property
    def title(self) -> str:
        """What it is called: its id where the catalogue has no title."""
        return self.listing.title if self.listing else self.product


def product_page(
    stats: Stats, catalogue: Catalogue, shelf: Shelf, product: str, query: PageAsked
) -> ProductPage:
    """Return the page of one product of a shelf for what the reader chose."""
    listing = catalogue.products(shelf.seller, shelf.products).get(product)
    made = choice(stats, query)
    told = stats.uploaded(shelf.only(product), made.sides.over, 1)
    head = figures(stats, shelf.only(product), made)
    units = {day: totals.visitors for day, totals in head.days.items() if totals is not None}
    published = stats.published(head.shelf, head.span, DIMENSIONS, units)
    return ProductPage(
        query=query,
        head=head,
        product=product,
        listing=listing,
        splits=tuple(split(published.breakdowns[by]) for by in DIMENSIONS),
        minimum=stats.breakdown_min,
        coverage=coverage(told(), head),
        time_visitors=published.time_visitors,
        time_seconds=published.time_seconds,
    )


def split(breakdown: Breakdown) -> Split:
    """Return a breakdown as one list: most visitors first and what has no name last, hours in their
    order."""
    sums: dict[str, int] = {}
    for cell in breakdown.cells:
        sums[cell.value] = sums.get(cell.value, 0) + cell.visitors
    if breakdown.by == "hour":
        ordered = sorted(sums.items(), key=lambda item: int(item[0]))
    else:
        ordered = sorted(sums.items(), key=lambda item: (item[0] == OTHER, -item[1], item[0]))
    shown = ordered if breakdown.by == "hour" else ordered[:VALUES_SHOWN]
    longest = max((n for _, n in shown), default=1)
    return Split(
        by=breakdown.by,
        lines=tuple(Line(value, n, n / longest) for value, n in shown),
        more=_visitors(breakdown.cells) - sum(n for _, n in shown),
        pending=breakdown.pending,
        pending_until=breakdown.pending_until,
        other=breakdown.other,
        outside=breakdown.outside,
    )


def _visitors(cells: Sequence[Cell]) -> int:
    return sum(cell.visitors for cell in cells)
