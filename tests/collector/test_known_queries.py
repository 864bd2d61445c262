"""Known queries: a pixel's query is read once, and says the same every time."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from collector import known_queries
from collector.beacon import Beacon, from_query
from collector.known_queries import KnownQueries
from collector.source import Sources
from tests.collector.spooling import hit

NAMES = some.text(min_size=1, max_size=20)
SOURCES = Sources()


def said(beacon: Beacon) -> tuple[object, ...]:
    """Return everything that a beacon says of its page and where its visitor came from."""
    origin = beacon.origin or SOURCES(beacon.referrer, beacon.url)
    return beacon.fault, beacon.seller, beacon.product, beacon.signature, beacon.seconds, origin


def learned(queries: KnownQueries, query: bytes) -> None:
    """Count a visit with the query, as the door does."""
    beacon = queries.read(query, {})
    source, campaign = SOURCES(beacon.referrer, beacon.url)
    queries.learn(query, beacon, hit()._replace(source=source, campaign=campaign))


@given(
    some.fixed_dictionaries(
        {"seller": NAMES, "product": NAMES, "sig": NAMES},
        optional={"ref": some.text(), "url": some.text()},
    )
)
def test_a_known_query_says_what_it_said_at_first(fields: dict[str, str]) -> None:
    """Whatever is in it, and in whatever order queries are learned."""
    query = urlencode(fields, errors="surrogatepass").encode()
    first = from_query(query, {})
    if first.fault:
        return
    queries = KnownQueries()
    learned(queries, b"seller=a&product=b&sig=c&ref=https%3A%2F%2Fother.example.com%2F")
    learned(queries, query)
    assert said(queries.read(query, {})) == said(first)


def test_headers_are_the_requests_own() -> None:
    """What is remembered of a query is nothing of the visitor who sent it first."""
    queries = KnownQueries()
    query = b"seller=a&product=b&sig=c"
    first = queries.read(query, {b"cookie": b"first", b"user-agent": b"first"})
    queries.learn(query, first, hit())
    second = queries.read(query, {b"cookie": b"second"})
    assert (second.cookies, second.user_agent) == (b"second", b"")


def test_no_referrer_is_remembered() -> None:
    """Only its registrable domain, which is stored of the visit anyway."""
    queries = KnownQueries()
    learned(queries, b"seller=a&product=b&sig=c&ref=https%3A%2F%2Fmail.example.com%2F%3Fto%3Danna")
    assert "anna" not in repr(vars(queries))
    assert "example.com" in repr(vars(queries))


def test_the_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every referrer may be new; the oldest are forgotten, and read again."""
    monkeypatch.setattr(known_queries, "ENTRIES_MAX", 3)
    queries = KnownQueries()
    for number in range(10):
        learned(queries, b"seller=a&product=b%d&sig=c" % number)
    assert queries.read(b"seller=a&product=b0&sig=c", {}).origin is None
    assert queries.read(b"seller=a&product=b9&sig=c", {}).origin == ("direct", "")
    assert len(vars(queries)["_known"]) == 3
