"""The API: its JSON key by key, and whose numbers they are."""

from datetime import date, timedelta
from typing import Any

import pytest

from dashboards.catalogue import Catalogue, Listing
from tests.dashboards.running import TODAY, Book, Site, Visits, between, token

DAY = timedelta(days=1)


def test_a_summary_counts_views_and_distinct_visitors_a_day(site: Site, visits: Visits) -> None:
    """Three people look twice today, two of them came yesterday too: ten views, five
    visitor-days. Yesterday alone is what a one-day range before today is compared with."""
    visits.add("lamp", 3, views=2)
    visits.add("lamp", 2, views=2, day=TODAY - DAY)

    answer = site.ask(
        "/api/v1/summary", bearer=token("stats", visits.seller), from_=TODAY - DAY, to=TODAY
    )

    assert answer.json == {
        "from": "2026-11-17",
        "to": "2026-11-18",
        "views": 10,
        "visitor_days": 5,
        "days_without_data": 0,
        "deleted": None,
        "unit": "seller",
        "complete": False,
        "previous": {
            "from": "2026-11-15",
            "to": "2026-11-16",
            "views": 0,
            "visitor_days": 0,
            "days_without_data": 0,
            "deleted": None,
        },
    }


def test_who_looks_at_three_products_is_one_visitor_to_the_shop(site: Site, visits: Visits) -> None:
    """One person looks at three products: the seller had one visitor, each product had one, and
    a token that is limited to two products can only add those up."""
    for product in ("cup", "lamp", "rug"):
        visits.add(product, 1)
    limited = token("stats", visits.seller, frozenset({"cup", "rug"}))

    def summary(bearer: str, **more: Any) -> tuple[int, str]:
        answer = site.ask("/api/v1/summary", bearer=bearer, from_=TODAY, to=TODAY, **more).json
        return answer["visitor_days"], answer["unit"]

    assert summary(token("stats", visits.seller)) == (1, "seller")
    assert summary(token("stats", visits.seller), product="cup") == (1, "product")
    assert summary(limited) == (2, "product")


def test_a_limited_token_sees_its_products_only(
    site: Site, visits: Visits, catalogue: Catalogue
) -> None:
    """A token for one product lists that one, finds nothing in the other's name, and exports
    no other row, although the seller has both, with and without a title."""
    visits.add("cup", 2)
    visits.add("rug", 3)
    catalogue.put([Listing(visits.seller, "rug", "Rug"), Listing(visits.seller, "vase", "Vase")])
    bearer = token("stats", visits.seller, frozenset({"cup"}))
    day = between(TODAY, TODAY)

    products = site.ask("/api/v1/products", bearer=bearer, **day).json
    other = site.ask("/api/v1/summary", bearer=bearer, product="rug", **day).json
    export = site.ask("/api/v1/export.csv", bearer=bearer, **day).text

    assert [product["product"] for product in products["products"]] == ["cup"]
    assert other["visitor_days"] == 0
    assert "rug" not in export
    assert "cup" in export


@pytest.mark.parametrize("endpoint", ["summary", "timeseries", "breakdown", "export.csv"])
def test_a_foreign_product_and_an_unknown_one_get_the_same_bytes(
    endpoint: str, site: Site, visits: Visits
) -> None:
    """Another seller's product and one that nobody has differ in nothing that is answered, so
    asking can't tell who sells what."""
    other = Visits(visits.client, visits.seller + "-other")
    other.add("theirs", 9)
    visits.add("mine", 1)
    more = between(TODAY - DAY, TODAY, **({"by": "source"} if endpoint == "breakdown" else {}))

    def ask(product: str) -> bytes:
        answer = site.ask(
            f"/api/v1/{endpoint}",
            bearer=token("stats", visits.seller),
            product=product,
            **more,
        )
        assert answer.status == 200
        return answer.content

    assert ask("theirs") == ask("nobodys")
    assert ask("theirs") != ask("mine") or endpoint == "breakdown"


def test_days_without_data_are_null_and_not_zero(site: Site, visits: Visits, book: Book) -> None:
    """Nothing ran on one day and another was lost; a day on which it ran and nobody came is a
    zero. A week is null only if none of its days has data."""
    del book.states[TODAY - 3 * DAY]
    book.states[TODAY - 2 * DAY] = "lost"
    visits.add("cup", 4, day=TODAY - DAY)
    visits.add("cup", 4, day=TODAY - 2 * DAY)
    bearer = token("stats", visits.seller)

    days = site.ask("/api/v1/timeseries", bearer=bearer, from_=TODAY - 4 * DAY, to=TODAY).json
    weeks = site.ask(
        "/api/v1/timeseries",
        bearer=bearer,
        from_=TODAY - 60 * DAY,
        to=TODAY,
        interval="week",
    ).json

    assert days["interval"] == "day"
    assert [(p["date"], p["views"], p["visitor_days"]) for p in days["points"]] == [
        ("2026-11-14", 0, 0),
        ("2026-11-15", None, None),
        ("2026-11-16", None, None),
        ("2026-11-17", 4, 4),
        ("2026-11-18", 0, 0),
    ]
    assert weeks["points"][0] == {"date": "2026-09-19", "views": None, "visitor_days": None}
    assert weeks["points"][-1] == {"date": "2026-11-16", "views": 4, "visitor_days": 4}


def test_sealed_days_come_from_counts_and_open_ones_from_hits(
    site: Site, visits: Visits, book: Book
) -> None:
    """Yesterday is sealed: its counts say 7 and its hits, not yet dropped, would say 3. Today is
    open: its hits say 2 and a count that a close is just loading would say 9."""
    book.states[TODAY - DAY] = "sealed"
    visits.count("", TODAY - DAY, 7, 8)
    visits.count("cup", TODAY - DAY, 7, 8)
    visits.add("cup", 3, day=TODAY - DAY)
    visits.add("cup", 2)
    visits.count("", TODAY, 9, 9)
    visits.count("cup", TODAY, 9, 9)
    bearer = token("stats", visits.seller)
    span = between(TODAY - DAY, TODAY)

    whole = site.ask("/api/v1/summary", bearer=bearer, **span).json
    one = site.ask("/api/v1/summary", bearer=bearer, product="cup", **span).json
    products = site.ask("/api/v1/products", bearer=bearer, **span).json["products"]
    export = site.ask("/api/v1/export.csv", bearer=bearer, **span).text.splitlines()

    assert (whole["views"], whole["visitor_days"]) == (10, 9)
    assert (one["views"], one["visitor_days"]) == (10, 9)
    assert [(p["views"], p["visitor_days"]) for p in products] == [(10, 9)]
    assert export[1:] == ["2026-11-17,cup,,8,7,", "2026-11-18,cup,,2,2,"]


def test_products_are_paged_without_a_gap_or_a_repeat(
    site: Site, visits: Visits, catalogue: Catalogue
) -> None:
    """Five products, two of them with equally many visitors and one that nobody looked at, read
    two at a time: each comes once, most visitors first, with its title where it has one."""
    for product, visitors in (("a", 3), ("b", 5), ("c", 3), ("é\"'\\", 1)):
        visits.add(product, visitors)
    catalogue.put(
        [
            Listing(visits.seller, "b", "Big lamp", "https://shop.example/b"),
            Listing(visits.seller, "z", "Nobody's"),
        ]
    )
    seen = []
    cursor = between(TODAY, TODAY)
    while True:
        page = site.ask(
            "/api/v1/products",
            bearer=token("stats", visits.seller),
            limit=2,
            **cursor,
        ).json
        seen += page["products"]
        if page["next"] is None:
            break
        cursor["cursor"] = page["next"]

    assert [(p["product"], p["visitor_days"]) for p in seen] == [
        ("b", 5),
        ("a", 3),
        ("c", 3),
        ("é\"'\\", 1),
        ("z", 0),
    ]
    assert seen[0] == {
        "product": "b",
        "title": "Big lamp",
        "url": "https://shop.example/b",
        "views": 5,
        "visitor_days": 5,
    }
    assert (seen[1]["title"], seen[1]["url"]) == (None, None)


def test_an_operator_names_the_seller_and_nobody_else_may(site: Site, visits: Visits) -> None:
    """The marketplace reads any seller by name; a seller who names one, even himself, is told
    that the token decides."""
    visits.add("cup", 2)
    day = between(TODAY, TODAY)

    named = site.ask("/api/v1/summary", bearer=token("operator"), seller=visits.seller, **day)
    unnamed = site.ask("/api/v1/summary", bearer=token("operator"), **day)
    by_seller = site.ask(
        "/api/v1/summary", bearer=token("stats", visits.seller), seller=visits.seller, **day
    )

    assert named.json["visitor_days"] == 2
    assert (unnamed.status, unnamed.json["error"]["field"]) == (400, "seller")
    assert unnamed.message == (
        "seller: missing; an operator names the seller whose numbers are asked for"
    )
    assert by_seller.status == 400
    assert by_seller.message == "seller: only an operator names one; your token says who you are"


def test_an_answer_that_did_not_change_is_not_sent_again(
    site: Site, visits: Visits, book: Book
) -> None:
    """The reader's own cache may keep an answer and asks each time whether it still holds; one
    more visit and it doesn't."""
    visits.add("cup", 1)
    asked = between(TODAY, TODAY, bearer=token("stats", visits.seller))
    first = site.ask("/api/v1/summary", **asked)
    etag = {"If-None-Match": first.headers["etag"]}

    again = site.ask("/api/v1/summary", headers=etag, **asked)
    visits.add("cup", range(7, 8))
    book.highest_batch += 1
    later = site.ask("/api/v1/summary", headers=etag, **asked)

    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status, again.content) == (304, b"")
    assert (later.status, later.json["visitor_days"]) == (200, 2)


def test_time_reports_are_not_views(site: Site, visits: Visits) -> None:
    """A page says how long it was looked at: that is neither a view nor a visitor."""
    visits.add("cup", 1)
    visits.add("cup", range(5, 8), view=0, seconds=30)

    answer = site.ask(
        "/api/v1/summary", bearer=token("stats", visits.seller), from_=TODAY, to=TODAY
    ).json

    assert (answer["views"], answer["visitor_days"]) == (1, 1)


def test_deleted_days_are_null_and_said_to_be_deleted(
    serve_kept: Site, visits: Visits, book: Book
) -> None:
    """Counts are kept for 62 days here; a day before that has no number, though the calendar
    remembers that it was sealed. Whoever asks for such days reads why, in every answer about a
    range; whoever doesn't reads nothing of it."""
    old, kept = TODAY - 63 * DAY, TODAY - 62 * DAY
    book.states |= {old: "sealed", kept: "sealed"}
    visits.count("", old, 3, 3)
    visits.count("", kept, 4, 4)
    said = {"before": kept.isoformat(), "message": "deleted after 62 days"}

    def ask(question: str, first: date) -> Any:
        bearer = token("stats", visits.seller)
        by = {"by": "source"} if question == "breakdown" else {}
        path = f"/api/v1/{question}"
        return serve_kept.ask(path, bearer=bearer, **between(first, kept, **by)).json

    assert ask("timeseries", old)["points"] == [
        {"date": old.isoformat(), "views": None, "visitor_days": None},
        {"date": kept.isoformat(), "views": 4, "visitor_days": 4},
    ]
    for question in ("summary", "timeseries", "products", "breakdown"):
        assert ask(question, old)["deleted"] == said
        assert ask(question, kept)["deleted"] is None
    assert ask("summary", kept)["previous"]["deleted"] == said
