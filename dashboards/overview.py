"""Overview: a seller's shop on one page."""

from dataclasses import dataclass

from dashboards.catalogue import Catalogue
from dashboards.coverage import Coverage, coverage
from dashboards.figures import Figures, choice, figures
from dashboards.parameters import PageAsked
from dashboards.shelf import Shelf
from dashboards.stats import Stats
from dashboards.table import Table, ask, table


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page."""

    query: PageAsked
    head: Figures
    table: Table
    coverage: Coverage | None


def overview(stats: Stats, catalogue: Catalogue, shelf: Shelf, query: PageAsked) -> Overview:
    """Return the overview of a shelf for what the reader chose."""
    made = choice(stats, query)
    asked = ask(stats, shelf, made)  # What takes longest begins first.
    head = figures(stats, shelf, made)
    listed = catalogue.products(shelf.seller, shelf.products)
    told = stats.uploaded(shelf, made.sides.over, len(listed))
    shown = table(stats, listed, head, query, asked())
    return Overview(query, head, shown, coverage(told(), head))
