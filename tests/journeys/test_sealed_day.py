"""A sealed day: what was sent to a page is what a seller reads of it later, to the last visitor.

The numbers are compared with Python's sets over the same visits. With the embedded engine, and
with a ClickHouse server.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from tests.clickhouse_server import Server
from tests.journeys import backend
from tests.journeys.asking import ask, eventually
from tests.journeys.nights import BEFORE_MIDNIGHT, Night, night
from tests.journeys.running import FIREFOX, GRANTED, SAFARI, Collector

pytestmark = pytest.mark.slow

EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)
LOOKS = {
    FIREFOX: ("desktop", "Firefox", "Linux"),
    SAFARI: ("mobile", "Mobile Safari", "iOS"),
    EDGE: ("desktop", "Edge", "Windows"),
}
SOURCES = {
    "": "direct",
    "https://www.search.com/": "search.com",
    "https://a.blog.org/x": "blog.org",
}
DIMENSIONS = ("source", "campaign", "device", "browser", "os", "hour")
LAST_HOUR = "23"
SMALLEST = 5  # BREAKDOWN_MIN, as it is by default
VISITS = 500
SELLERS = ("anna", "bert", "cleo")
PRODUCTS = ("teapot", "cup", "Κανάτα 1")


class Person(NamedTuple):
    """Whom the day can tell from others."""

    address: str
    agent: str


class Visit(NamedTuple):
    """One view of a page, as the test sends it."""

    person: Person
    seller: str
    product: str
    referrer: str
    campaign: str

    @property
    def said(self) -> tuple[str, ...]:
        """What it says in each of the dimensions."""
        return (SOURCES[self.referrer], self.campaign, *LOOKS[self.person.agent], LAST_HOUR)


def visits_of_a_day(chance: Random) -> list[Visit]:
    """Return visits by few enough people that many come again, by other links and elsewhere."""
    people = [Person(f"203.0.113.{n % 40 + 1}", list(LOOKS)[n % 3]) for n in range(60)]
    return [
        Visit(
            chance.choice(people),
            chance.choices(SELLERS, [6, 3, 1])[0],
            chance.choices(PRODUCTS, [6, 3, 1])[0],
            chance.choice(list(SOURCES)),
            chance.choice(["", "", "spring"]),
        )
        for _ in range(VISITS)
    ]


class Exact:
    """What a seller must read of visits; product "" is all of the seller's."""

    def __init__(self, visits: list[Visit], seller: str, product: str = "") -> None:
        self.seller, self.product = seller, product
        self.visits = [
            each for each in visits if each.seller == seller and product in ("", each.product)
        ]
        self.people = {each.person for each in self.visits}
        self.pages = {(each.product, each.person) for each in self.visits}

    def products(self) -> list[tuple[str, int, int]]:
        """Return each product's views and visitors, most visitors first."""
        views = Counter(each.product for each in self.visits)
        visitors = Counter(product for product, _ in self.pages)
        listed = [(product, views[product], visitors[product]) for product in views]
        return sorted(listed, key=lambda row: (-row[2], row[0]))

    def values(self, dimension: int) -> Counter[str]:
        """Return how many product's visitor-days have which value: each has one, a named one
        where it has both, and of two names the first in the alphabet."""
        said: dict[tuple[str, Person], list[str]] = {}
        for each in self.visits:
            said.setdefault((each.product, each.person), []).append(each.said[dimension])
        unnamed = ("direct", "")
        return Counter(
            min(words, key=lambda word: (word in unnamed, word)) for words in said.values()
        )


def read(late: Night, seller: str, what: str, **more: str) -> Any:
    """Ask the API about the day, with a token as fresh as the processes' clocks are."""
    now = int(late.now())
    bearer = backend.token(
        late.collector.secret, scope="stats", sub=seller, iat=now, exp=now + 3600
    )
    answer = late.collector.api(what, bearer, from_=late.day, to=late.day, **more)
    assert answer.status == 200, answer.content
    return answer.json


def seen(late: Night, exact: Exact) -> bool:
    """Return whether the API tells these views and visitors."""
    product = {"product": exact.product} if exact.product else {}
    found = read(late, exact.seller, "summary", **product)
    return (found["views"], found["visitor_days"]) == (len(exact.visits), len(exact.people))


def send(collector: Collector, visit: Visit) -> None:
    """Look at a page."""
    campaign = f"?utm_campaign={visit.campaign}" if visit.campaign else ""
    answer = collector.post(
        visit.seller,
        visit.product,
        agent=visit.person.agent,
        headers={"X-Forwarded-For": visit.person.address},
        ref=visit.referrer,
        url=f"https://shop.com/p{campaign}",
    )
    assert answer.counted == "yes"


def withdraw(collector: Collector, person: Person) -> None:
    """Take consent back."""
    headers = {
        "Origin": f"http://127.0.0.1:{collector.beacons}",
        "Content-Type": "application/json",
        "User-Agent": person.agent,
        "X-Forwarded-For": person.address,
        "Cookie": GRANTED,
    }
    answer = ask(collector.beacons, "POST", "/consent", headers, b'{"choice": "refused"}')
    assert answer.status == 200, answer.content


@pytest.fixture(params=["embedded", "server"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server | None]:
    """A stand-in for a ClickHouse server, or none."""
    if request.param == "embedded":
        yield None
        return
    server = Server(tmp_path / "server")
    yield server
    server.kill()


@contextmanager
def administrator(server: Server | None, collector: Collector) -> Iterator[Server]:
    """Give somebody who may ask the engine anything; the embedded one when nothing runs on it."""
    if server is not None:
        yield server
        return
    opened = Server(collector.data / "clickhouse")
    try:
        yield opened
    finally:
        opened.kill()


def waiting(engine: Server) -> dict[tuple[str, ...], Counter[str]]:
    """Return how many of each value wait in the pools, by seller, product and dimension."""
    rows = engine.ask("select seller, product, dimension, value, visitors from pools")
    found: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows.splitlines():
        *pool, value, visitors = row.split("\t")
        found.setdefault(tuple(pool), Counter())[value] += int(visitors)
    return found


def test_a_sealed_day_reads_as_it_was(server: Server | None, tmp_path: Path) -> None:
    """Sixty people look at three sellers' pages 500 times, and one of them withdraws. When the day
    is sealed, totals, products and breakdowns are those of Python's sets: in every breakdown what
    is listed and what waits in a pool make up each value. No row about a visitor is left."""
    visits = visits_of_a_day(Random(20261122))
    regretful = visits[0].person
    settings = {"CLICKHOUSE_DSN": server.dsn} if server else {}
    with night(tmp_path / "collector", **settings) as late:
        collector = late.collector
        late.start_both()
        for visit in visits:
            send(collector, visit)
        whole = [Exact(visits, seller) for seller in SELLERS]
        eventually(lambda: all(seen(late, exact) for exact in whole), "all visits")
        if server is not None:
            assert server.ask("select count() from hits") == str(VISITS)
        withdraw(collector, regretful)
        late.pass_(BEFORE_MIDNIGHT + 300)
        eventually(lambda: late.state() == "sealed", "the seal", lambda: collector.output)
        kept = [visit for visit in visits if visit.person != regretful]
        listed = {seller: sealed(late, kept, seller) for seller in SELLERS}
        late.stop()
        with administrator(server, collector) as engine:
            assert engine.ask("select count() from hits") == "0"
            assert engine.ask("select count() from erased") == "0"
            pools = waiting(engine)
    for seller, cells in listed.items():
        for product in PRODUCTS:
            exact = Exact(kept, seller, product)
            for number, dimension in enumerate(DIMENSIONS):
                waits = pools.get((seller, product, dimension), Counter())
                assert cells[product, dimension] + waits == exact.values(number)
    # Chance holds one close in ten back, and small values wait for longer periods.
    shown = sum(found.total() for cells in listed.values() for found in cells.values())
    assert shown > len(DIMENSIONS) * sum(len(Exact(kept, s).pages) for s in SELLERS) / 2


def sealed(late: Night, visits: list[Visit], seller: str) -> dict[tuple[str, str], Counter[str]]:
    """Compare what the API tells of a sealed day with the visits; return the listed cells."""
    whole = Exact(visits, seller)
    assert seen(late, whole)
    products = read(late, seller, "products")["products"]
    found = [(row["product"], row["views"], row["visitor_days"]) for row in products]
    assert found == whole.products()
    cells = {}
    for product in PRODUCTS:
        exact = Exact(visits, seller, product)
        assert seen(late, exact)
        for dimension in DIMENSIONS:
            answer = read(late, seller, "breakdown", product=product, by=dimension)
            listed = {cell["value"]: cell["visitor_days"] for cell in answer["cells"]}
            assert all(visitors >= SMALLEST for visitors in listed.values())
            assert sum(listed.values()) + answer["pending"] == len(exact.people)
            assert (answer["other"], answer["outside"]) == (0, 0)
            cells[product, dimension] = Counter(listed)
    return cells
