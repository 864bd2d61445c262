"""No seller sees another's number: every endpoint and page, with any parameters and any token."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.catalogue import Catalogue, Listing
from dashboards.shares import Shares
from dashboards.shelf import Shelf
from tests.dashboards.running import TODAY, Answer, Book, Site, Visits, between, token

DAY = timedelta(days=1)
# No number on any page of an empty seller has seven digits, and no word is this one.
MARKS = ("7351924", "7,351,924", "7.351.924", "Secretlamp", "secret-product", "secret.example")
PRODUCTS = ["secret-product", "other", "", "%", "' or 1=1 --", "*", "\\", "{seller:String}"]

API = ("summary", "timeseries", "products", "breakdown", "export.csv", "export.json", "report")
PAGES = ("", "product", "words", "export.csv", "share")


@pytest.fixture
def rich(visits: Visits, book: Book, catalogue: Catalogue) -> Visits:
    """A seller with a number, a title, a product and a source that would be known anywhere."""
    book.states |= dict.fromkeys((TODAY - n * DAY for n in range(1, 31)), "sealed")
    catalogue.put([Listing(visits.seller, "secret-product", "Secretlamp")])
    for n in range(1, 31):
        for product in ("", "secret-product"):
            visits.count(product, TODAY - n * DAY, 7351924, 7351924)
        visits.cell("secret-product", "day", TODAY - n * DAY, "source", "secret.example", 7351924)
    visits.add("secret-product", 3)
    return visits


def shows(answer: Answer) -> list[str]:
    """Return which of the marks an answer holds."""
    return [mark for mark in MARKS if mark in answer.text]


def test_the_marks_would_be_found(site: Site, rich: Visits) -> None:
    """The owner's own answers hold every mark, so a leak would be seen."""
    bearer = token("stats", rich.seller)
    day = between(TODAY - DAY, TODAY - DAY)
    found = {
        mark
        for answer in (
            site.ask("/api/v1/products", bearer=bearer, **day),
            site.ask("/api/v1/breakdown", bearer=bearer, by="source", **day),
            site.ask(
                "/dashboard/?range=yesterday&lang=en", headers={"Cookie": site.sign_in(rich.seller)}
            ),
            site.ask(
                "/dashboard/?range=yesterday&lang=de", headers={"Cookie": site.sign_in(rich.seller)}
            ),
        )
        for mark in shows(answer)
    }
    assert found == set(MARKS)


days = st.dates(TODAY - 40 * DAY, TODAY)
parameters: dict[str, st.SearchStrategy[Any]] = {
    "from": days,
    "to": days,
    "product": st.sampled_from(PRODUCTS),
    "by": st.sampled_from(["source", "hour"]),
    "interval": st.sampled_from(["day", "week", "month"]),
    "limit": st.integers(1, 1000),
    "range": st.sampled_from(["today", "7-days", "30-days", "12-months"]),
    "sort": st.sampled_from(["visitors", "change"]),
    "q": st.sampled_from(["", "secret"]),
    "week": st.just("2026-W46"),
    "lang": st.sampled_from(["en", "de"]),
}


@given(
    path=st.sampled_from(
        [f"/api/v1/{name}" for name in API] + [f"/dashboard/{name}" for name in PAGES]
    ),
    asked=st.fixed_dictionaries({}, optional=parameters),
    names_seller=st.booleans(),
    only=st.sampled_from([None, frozenset({"secret-product"}), frozenset({"mine", "%"})]),
    spelling=st.sampled_from([str.upper, str.title, "{} ".format, "{}\u200b".format, "%{}".format]),
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_seller_sees_anothers_number(
    site: Site,
    rich: Visits,
    path: str,
    asked: dict[str, Any],
    names_seller: bool,
    only: frozenset[str] | None,
    spelling: Any,
) -> None:
    """A competitor asks for anything in any way: with the other's product, with a name that
    differs by a letter's case or an invisible character, limited to the other's product, and by
    naming the other outright. Whatever comes back, none of it is the other's."""
    competitor = spelling(rich.seller)
    if names_seller:
        asked = asked | {"seller": rich.seller}
    if path.startswith("/api/"):
        answer = site.ask(path, bearer=token("stats", competitor, only), **asked)
    else:
        cookie = {"Cookie": site.sign_in(competitor, only)}
        answer = site.ask(path, headers=cookie, **asked)

    assert answer.status in (200, 400, 404)
    # What the competitor typed may come back in the search field; the other's numbers may not.
    echoed = {str(value) for value in asked.values()}
    assert [mark for mark in shows(answer) if mark not in echoed] == []


@given(
    query=st.fixed_dictionaries(
        {
            "site_id": st.sampled_from(["shop.example", "seller:", "*", "%"]),
            "metrics": st.just(["visitors"]),
            "date_range": st.sampled_from(["day", "7d", "30d", "12mo", "all"]),
        },
        optional={
            "dimensions": st.sampled_from([["event:page"], ["time:day"], ["visit:source"]]),
            "filters": st.sampled_from(PRODUCTS).map(lambda p: [["contains", "event:page", [p]]]),
        },
    ),
    names_seller=st.booleans(),
    only=st.sampled_from([None, frozenset({"secret-product"})]),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_tool_sees_anothers_number(
    site: Site, rich: Visits, query: dict[str, Any], names_seller: bool, only: frozenset[str] | None
) -> None:
    """The same by Plausible's words, where a query could name a site as well."""
    if names_seller:
        query = query | {"site_id": f"seller:{rich.seller}"}
    bearer = token("stats", f"{rich.seller}-competitor", only)

    def ask(query: dict[str, Any]) -> Answer:
        body, headers = json.dumps(query).encode(), {"Content-Type": "application/json"}
        return site.ask("/api/v2/query", method="POST", bearer=bearer, headers=headers, body=body)

    answer = ask(query)
    theirs, nobodys = (
        ask(query | {"filters": [["is", "event:page", [product]]]}).text.replace(product, "")
        for product in ("secret-product", "unknown-things")
    )

    assert theirs == nobodys
    assert answer.status == (401 if query["site_id"].startswith("seller:") else 200)
    echoed = json.dumps(query)
    assert [mark for mark in shows(answer) if mark not in echoed] == []


PRODUCT_OF: dict[str, dict[str, str]] = {
    "/api/v1/summary": {},
    "/api/v1/timeseries": {},
    "/api/v1/breakdown": {"by": "source"},
    "/api/v1/export.csv": {},
    "/api/v1/export.json": {},
    "/dashboard/product": {},
    "/dashboard/export.csv": {},
    "shared/product": {},
    "shared/export.csv": {},
}


@pytest.mark.parametrize("path", PRODUCT_OF)
@pytest.mark.parametrize("only", [None, frozenset({"mine"})])
def test_a_foreign_product_looks_like_one_that_nobody_has(
    path: str, only: frozenset[str] | None, site: Site, rich: Visits, shares: Shares
) -> None:
    """By token, in a session and by a shared link, with all products or with some: the other's
    product and an unknown one differ in no byte and no header but their own name."""
    seller = f"{rich.seller}-competitor"
    asked = between(TODAY - DAY, TODAY, **PRODUCT_OF[path])
    shared = shares.make(Shelf(seller, only), TODAY, TODAY)
    who: dict[str, Any] = {"headers": {"Cookie": site.sign_in(seller, only)}}
    if path.startswith("/api/"):
        who = {"bearer": token("stats", seller, only)}

    def ask(product: str) -> tuple[int, list[tuple[str, str]], str]:
        where = path.replace("shared/", f"/dashboard/shared/{shared}/")
        answer = site.ask(where, product=product, **who, **asked)
        headers = [each for each in answer.headers.items() if each[0] != "date"]
        return answer.status, headers, answer.text.replace(product, "")

    assert ask("secret-product") == ask("unknown-things")


@pytest.mark.parametrize("endpoint", API)
def test_nobody_without_a_token_sees_a_number(site: Site, rich: Visits, endpoint: str) -> None:
    """A session's cookie is no token, a login token neither, and nothing is none."""
    session = site.sign_in(rich.seller).partition("=")[2]
    asked = between(TODAY - DAY, TODAY)
    bearers = (None, session, token("login", rich.seller), token("location"))

    for bearer in bearers:
        answer = site.ask(
            f"/api/v1/{endpoint}",
            bearer=bearer,
            headers={"Cookie": f"collector_session={session}"},
            **asked,
        )
        assert answer.status == 401
        assert shows(answer) == []
