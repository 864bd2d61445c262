"""Shop: what every door here needs, who may ask, the numbers, and what things are called."""

from dataclasses import dataclass

from dashboards.access import Access
from dashboards.catalogue import Catalogue
from dashboards.stats import Stats


@dataclass(frozen=True, slots=True)
class Shop:
    """Given to each door by `app`."""

    access: Access
    stats: Stats
    catalogue: Catalogue
