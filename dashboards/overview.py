"""Overview: a seller's shop on one page."""

from dataclasses import dataclass

from dashboards.catalogue import Catalogue
from dashboards.coverage import Coverage, coverage
from dashboards.figures import Figures, figures
from dashboards.parameters import PageAsked
from dashboards.shelf import Shelf
from dashboards.stats import Stats
from dashboards.table import Table, table


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page."""

    query: PageAsked
    head: Figures
    table: Table
    coverage: Coverage | None


def overview(stats: Stats, catalogue: Catalogue, shelf: Shelf, query: PageAsked) -> Overview:
    """Return the overview of a shelf for what the reader chose."""
    head = figures(stats, shelf, query)
    listed = catalogue.products(shelf.seller, shelf.products)
    told = stats.asking.beside(lambda: coverage(stats, head))
    return Overview(query, head, table(stats, listed, head, query), told())
