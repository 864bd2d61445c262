"""The visits that everybody gets, and the exact answer. Pure: a seed always gives the same ones.

A person is an address with a browser; several share an address, as behind a router. All of them
are people, allowed statistics and have IPv4 addresses: what the products do with bots, refusals
and IPv6 prefixes differs on purpose, and is not compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

SEED = 7
DAYS = 30  # The last of them is today.
HISTORY_A_DAY = 400
PAGES = 100
PERSONS = 5000
ADDRESSES = 2000
SELLER = "lantern"
HOST = "shop.example"
AGENTS = tuple(
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
    f"{mobile} Safari/537.36"
    for version in range(128, 133)
    for system, mobile in (
        ("Windows NT 10.0; Win64; x64", ""),
        ("Macintosh; Intel Mac OS X 10_15_7", ""),
        ("X11; Linux x86_64", ""),
        ("Linux; Android 10; K", " Mobile"),
    )
)


class Visit(NamedTuple):
    """One person looks at one page."""

    day: date
    page: str
    address: str
    agent: str

    @property
    def path(self) -> str:
        """The page's path in the shop."""
        return f"/shop/{self.page}"


Exact = Mapping[tuple[date, str], int]
"""Distinct visitors of a day and a page."""


def visits(today: date, today_count: int) -> list[Visit]:
    """Return the visits of 29 days and of today, in order."""
    chance = Random(SEED)
    persons = [
        (_address(chance.randrange(ADDRESSES)), chance.choice(AGENTS)) for _ in range(PERSONS)
    ]
    found = []
    for nth in range(DAYS):
        day = today - timedelta(DAYS - 1 - nth)
        for _ in range(HISTORY_A_DAY if day < today else today_count):
            # A few pages have most of the visits.
            page = f"product-{int(PAGES * chance.random() ** 2)}"
            found.append(Visit(day, page, *chance.choice(persons)))
    return found


def exact(all_visits: Iterable[Visit]) -> Exact:
    """Return the answer, by Python's own sets."""
    seen: dict[tuple[date, str], set[tuple[str, str]]] = defaultdict(set)
    for visit in all_visits:
        seen[visit.day, visit.page].add((visit.address, visit.agent))
    return {key: len(persons) for key, persons in seen.items()}


def _address(number: int) -> str:
    """Return an address of the networks set aside for benchmarks (RFC 2544)."""
    return f"198.18.{number // 250}.{number % 250 + 1}"
