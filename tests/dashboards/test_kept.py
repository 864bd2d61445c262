"""Kept answers: what is over is asked once, and anew as soon as any of it changed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dashboards.catalogue import Catalogue, Listing
from dashboards.kept import Kept
from tests.dashboards.running import TODAY, Book, Site, Visits, between, token

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
YESTERDAY = TODAY - DAY


@pytest.fixture
def sealed(visits: Visits, book: Book) -> Visits:
    """A sealed day with a product of nine visitors, and one before it that is still open."""
    book.states[YESTERDAY] = "sealed"
    visits.count("", YESTERDAY, 9, 12)
    visits.count("cup", YESTERDAY, 9, 12)
    visits.add("cup", 4, day=YESTERDAY - DAY)
    return visits


def views(site: Site, seller: str, products: frozenset[str] | None = None, **more: Any) -> int:
    """Return a range's views."""
    bearer = token("stats", seller, products)
    asked = between(YESTERDAY - DAY, TODAY, **more)
    return int(site.ask("/api/v1/summary", bearer=bearer, **asked).json["views"])


def test_a_day_is_not_asked_about_twice(site: Site, sealed: Visits) -> None:
    """Rows that appear behind everyone's back stay unseen, which shows that the answer was kept;
    the next question, about another product, sees them."""
    assert views(site, sealed.seller) == 16
    sealed.count("", YESTERDAY, 1, 100)
    sealed.count("bowl", YESTERDAY, 1, 100)

    assert views(site, sealed.seller) == 16
    assert views(site, sealed.seller, product="bowl") == 100


def test_a_day_that_was_sealed_meanwhile_is_seen_at_once(
    site: Site, sealed: Visits, book: Book
) -> None:
    """The seal's numbers take the place of the open day's, although the range was asked before."""
    assert views(site, sealed.seller) == 16
    sealed.count("", YESTERDAY - DAY, 3, 30)
    book.states[YESTERDAY - DAY] = "sealed"

    assert views(site, sealed.seller) == 42


def test_a_longer_range_asks_about_its_new_days_only(
    site: Site, sealed: Visits, book: Book
) -> None:
    """Rows that appear behind everyone's back are seen on the days that no range held before, on
    both sides of those that one did; a day that was missing and is sealed now is seen too."""
    lost = YESTERDAY - 3 * DAY
    del book.states[lost]
    for day in (YESTERDAY - 2 * DAY, lost - DAY):
        book.states[day] = "sealed"
    bearer = token("stats", sealed.seller)

    def days(first: Any, last: Any) -> list[int | None]:
        asked = between(first, last)
        points = site.ask("/api/v1/timeseries", bearer=bearer, **asked).json["points"]
        return [point["views"] for point in points]

    assert days(lost, YESTERDAY - 2 * DAY) == [None, 0]
    for n in range(5):
        sealed.count("", YESTERDAY - n * DAY, 1, 100 + n)
    book.states[YESTERDAY - DAY] = "sealed"

    assert days(lost - DAY, YESTERDAY - DAY) == [104, None, 0, 101]
    book.states[lost] = "sealed"
    assert days(lost - DAY, YESTERDAY - DAY) == [104, 103, 0, 101]


def test_an_upload_is_seen_at_once(site: Site, sealed: Visits) -> None:
    """The seller looks, the marketplace tells a sealed day's orders, the seller looks again. What
    was counted is not asked for again: rows that appear behind everyone's back stay unseen."""

    def orders() -> str:
        cookie = site.sign_in(sealed.seller)
        asked = between(YESTERDAY, YESTERDAY)
        return site.ask("/dashboard/", headers={"Cookie": cookie}, **asked).text

    assert "orders" not in orders().lower()
    assert views(site, sealed.seller) == 16
    sealed.count("", YESTERDAY, 1, 100)
    told = [{"date": f"{YESTERDAY}", "seller": sealed.seller, "product": "cup", "orders": 7}]
    answer = site.ask(
        "/operator/totals",
        method="POST",
        bearer=token("operator"),
        headers={"Content-Type": "application/json"},
        body=json.dumps(told).encode(),
    )

    assert answer.status == 200, answer.text
    assert "7 orders." in orders()
    assert views(site, sealed.seller) == 16


def test_a_forgotten_seller_is_not_remembered(
    site: Site, sealed: Visits, catalogue: Catalogue
) -> None:
    """What was kept for a seller goes with the seller's rows and listings, of open days too."""
    catalogue.put([Listing(sealed.seller, "cup", "Blue cup")])
    bearer = token("stats", sealed.seller)
    asked = between(YESTERDAY - DAY, YESTERDAY)
    before = site.ask("/api/v1/products", bearer=bearer, **asked).json["products"]
    assert [(p["title"], p["views"]) for p in before] == [("Blue cup", 16)]
    for rows in ("counts", "hits"):
        sealed.client.command(
            f"delete from {rows} where seller = {{seller:String}}",
            parameters={"seller": sealed.seller},
        )
    catalogue.forget(sealed.seller)

    assert site.ask("/api/v1/products", bearer=bearer, **asked).json["products"] == []


def test_what_is_kept_for_one_reader_is_shown_to_no_other(site: Site, sealed: Visits) -> None:
    """The same days asked in turn by the seller, by a token for another product and by another
    seller: each gets its own."""
    assert views(site, sealed.seller) == 16
    assert views(site, sealed.seller, frozenset({"bowl"})) == 0
    assert views(site, sealed.seller, frozenset({"cup"})) == 16
    assert views(site, f"not-{sealed.seller}") == 0
    assert views(site, sealed.seller) == 16


def test_a_renamed_product_is_renamed_at_once(catalogue: Catalogue) -> None:
    """Two uploads within one tick of the file system's clock; the second title holds, also for
    another process's reader."""
    other = Catalogue(catalogue.path)
    for title in ("Blue cup", "Blue mug"):
        catalogue.put([Listing("s", "cup", title)])
        assert catalogue.products("s")["cup"].title == title
    assert other.products("s")["cup"].title == "Blue mug"
    other.forget("s")
    assert catalogue.products("s") == {}


def test_no_more_is_kept_than_fits() -> None:
    """Answers of some rows each: the oldest go first, a huge one is handed through, and what was
    kept under an older version makes room."""
    asked: list[str] = []
    kept: Kept[range] = Kept(3, rows_max=100, rows=len)

    def get(key: str, rows: int, version: int = 1) -> None:
        def read() -> range:
            asked.append(key)
            return range(rows)

        assert len(kept.get(key, version, read)) == rows

    for key in ("a", "b", "c", "a", "d", "a", "b"):
        get(key, 10)
    assert asked == ["a", "b", "c", "d", "b"]
    get("huge", 11)
    get("huge", 11)
    get("a", 10, version=2)
    get("a", 10, version=2)
    assert asked[5:] == ["huge", "huge", "a"]
