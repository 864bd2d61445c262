"""Coverage: how much of what the marketplace counted itself came from visitors who said yes.

Never the other way round: nothing here guesses at the visitors who were not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.figures import Figures
from dashboards.stats import Told
from dashboards.totals import add

VISITORS_LEAST = 100  # For a rate per hundred.
ORDERS_LEAST = 10  # With fewer, one order more moves the rate by a tenth.


@dataclass(frozen=True, slots=True)
class Coverage:
    """Days that are over and for which the marketplace told its own counts.

    page_views, views        its page views, and the views counted of the same days and products
    orders, visitors         its orders, and the daily visitors counted here, of the same days
    page_view_days, order_days   how many days each is about
    """

    page_view_days: int
    page_views: int
    views: int
    order_days: int
    orders: int
    visitors: int

    @property
    def share(self) -> float | None:
        """The share of page views by visitors who allowed statistics, 0 to 1.

        None where there were no page views, or fewer than were counted: then the two do not
        speak of the same thing.
        """
        if self.page_views == 0 or self.views > self.page_views:
            return None
        return self.views / self.page_views

    @property
    def orders_per_hundred(self) -> float | None:
        """Orders for every hundred counted visitors, or None where that would be chance."""
        if self.visitors < VISITORS_LEAST or self.orders < ORDERS_LEAST:
            return None
        return 100 * self.orders / self.visitors


def coverage(told: Sequence[Told], head: Figures) -> Coverage | None:
    """Return the coverage of a page's range; None where nothing was uploaded for it.

    told   what was uploaded for those of its days that are over
    """
    seen = [row for row in told if row.what == "page_views"]
    sold = [row for row in told if row.what == "orders"]
    if not told:
        return None
    return Coverage(
        page_view_days=len(seen),
        page_views=sum(row.number for row in seen),
        views=sum(row.views for row in seen),
        order_days=len(sold),
        orders=sum(row.number for row in sold),
        visitors=add(head.days.get(row.day) for row in sold).visitors,
    )
