"""The day count: everything that is known about a day, turned into integers.

Sellers are counted in groups of bounded size, and a seller too large for that in parts by hash,
so that memory depends neither on the day nor on the largest seller.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from collector.close.integers import Integers, Manifest
from collector.suppression import SECONDS, Cell, Hold, Minimum, close, last_day
from collector.warehouse import Client, ask

GROUP_HITS_MAX: Final = 500_000
DIMENSIONS: Final = ("source", "campaign", "device", "browser", "os", "hour", SECONDS)
# One thread: the day's close may take a minute, and beacons need the other core.
COUNT_SETTINGS: Final[Mapping[str, int]] = {
    "max_threads": 1,
    "max_memory_usage": 1_000_000_000,
    "max_bytes_before_external_group_by": 0,  # it would spill hashes into temporary files
    "max_bytes_before_external_sort": 0,
}


@dataclass(slots=True)
class _Page:
    """One product's totals, while its parts are added up."""

    seller: str
    product: str
    visitors: int = 0
    views: int = 0


class _Group(NamedTuple):
    """Consecutive sellers, counted together; in `parts` by hash where one seller is very large."""

    first: str
    last: str
    parts: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How a day is counted.

    through   every period that ends by this day is closed: the eve of the next day with visits
    minimum   the smallest breakdown cell, by month
    hold      what chance holds back of a close; see `suppression`
    """

    day: date
    through: date
    minimum: Minimum
    hold: Hold

    def into(self, integers: Integers, client: Client, outcomes: Mapping[str, int]) -> Manifest:
        """Count the day from its hits and from the pools that end with it; return what was written.

        outcomes  beacons by outcome
        Errors    Unanswered; OSError. Nothing counts until the manifest is written: begin again.
        """
        for outcome, beacons in sorted(outcomes.items()):
            integers.count(Cell("day", self.day, "", "", "outcome", outcome, 0), beacons)
        ending = self._ending(client)
        views = 0
        for group in self._groups(client, ending):
            views += self._count_group(integers, client, group, ending)
        # Beacons that counted are views and times on page; a share of people needs the views alone.
        integers.count(Cell("day", self.day, "", "", "views", "", 0), views)
        return integers.finish(ending)

    def _ending(self, client: Client) -> list[tuple[str, date]]:
        waiting = ask(client, "pools_waiting", {"day": self.day})
        return [(p, start) for p, start in waiting if last_day(p, start) <= self.through]

    def _groups(self, client: Client, ending: list[tuple[str, date]]) -> Iterator[_Group]:
        sellers = ask(client, "seal_sellers", {"day": self.day, **_starts(ending)})
        names: list[str] = []
        total = 0
        for seller, hits in sellers:
            if names and total + hits > GROUP_HITS_MAX:
                yield _Group(names[0], names[-1], 1 + total // GROUP_HITS_MAX)
                names, total = [], 0
            names.append(seller)
            total += hits
        if names:
            yield _Group(names[0], names[-1], 1 + total // GROUP_HITS_MAX)

    def _count_group(
        self, integers: Integers, client: Client, group: _Group, ending: list[tuple[str, date]]
    ) -> int:
        """Count a group; return the views of all its sellers."""
        asked: dict[str, Any] = {"day": self.day, "first": group.first, "last": group.last}
        pages: dict[bytes, _Page] = {}
        sellers: dict[str, list[int]] = {}
        units: list[Cell] = []
        for part in range(group.parts):
            more = asked | {"part": part, "parts": group.parts}
            for key, seller, product, visitors, views in ask(client, "seal_totals", more):
                page = pages.setdefault(key, _Page(seller, product))
                page.visitors += visitors
                page.views += views
            for seller, visitors, views in ask(client, "seal_seller_totals", more):
                total = sellers.setdefault(seller, [0, 0])
                total[0] += visitors
                total[1] += views
            for key, said, visitors, seconds in ask(client, "seal_units", more):
                page = pages[key]
                dimension = DIMENSIONS[int(said[0])]
                units.append(
                    Cell(
                        "day", self.day, page.seller, page.product,
                        dimension, said[1:], visitors, seconds,
                    )
                )  # fmt: skip
        if ending:
            units += [Cell(*row) for row in ask(client, "seal_pools", asked | _starts(ending))]
        for page in pages.values():
            integers.count(
                Cell("day", self.day, page.seller, page.product, "", "", page.visitors), page.views
            )
        for seller, (visitors, views) in sellers.items():
            integers.count(Cell("day", self.day, seller, "", "", "", visitors), views)
        closed = close(self.through, units, self.minimum, self.hold)
        for cell in closed.published:
            integers.count(cell)
        for cell in closed.waiting:
            integers.pool(cell)
        return sum(views for _, views in sellers.values())


def _starts(pools: list[tuple[str, date]]) -> dict[str, list[date]]:
    return {
        "weeks": [start for period, start in pools if period == "week"],
        "months": [start for period, start in pools if period == "month"],
    }
