"""Shared links: they show one seller's pages, read-only, until a day or until revoked."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from dashboards.shares import Shares
from tests.dashboards.running import TODAY, Answer, Book, Site, Visits

DAY = timedelta(days=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(site: Site, cookie: str, path: str, **fields: object) -> Answer:
    """Send a form of the share page."""
    body = urlencode(fields).encode()
    return site.ask(path, method="POST", headers=FORM | {"Cookie": cookie}, body=body)


def make(site: Site, cookie: str, until: object) -> str:
    """Make a link; return its path."""
    page = post(site, cookie, "/dashboard/share", until=until)
    assert page.status == 200, page.text
    found = re.search(r'value="(http[^"]+/dashboard/shared/[^"]+)"', page.text)
    assert found is not None
    return urlsplit(found[1]).path


def test_a_link_shows_a_sellers_pages_to_whoever_has_it(
    serve: Callable[..., Site], visits: Visits
) -> None:
    """The seller sends a link to her bookkeeper, who has no session: he sees the overview, a
    product and the export, and finds neither the form for new links nor a button to sign out, nor
    where the seller's own visits are left out."""
    visits.add("cup", 3)
    site = serve(own_visits_url="https://shop.example/own")
    link = make(site, site.sign_in(visits.seller), TODAY + 7 * DAY)

    overview = site.ask(link)
    product = site.ask(f"{link}product?product=cup")
    export = site.ask(f"{link}export.csv", from_=TODAY, to=TODAY)
    inner = re.findall(r'href="(/dashboard/[^"?]*)', overview.text)

    assert overview.status == product.status == 200
    assert "shared with you" in overview.text
    assert export.text.splitlines()[1] == "2026-11-18,cup,,3,3,"
    assert "/dashboard/share?" not in overview.text
    assert "logout" not in overview.text
    assert "https://shop.example/own" not in overview.text
    outside = [path for path in inner if not path.startswith(link)]
    assert all(re.match(r"/dashboard/(static/|brand\.css|logo)", path) for path in outside)


def test_a_link_ends_after_its_last_day(site: Site, visits: Visits, book: Book) -> None:
    """It was made to work until tomorrow: tomorrow it does, the day after it says so."""
    link = make(site, site.sign_in(visits.seller), TODAY + DAY)

    book.today_is = TODAY + DAY
    assert site.ask(link).status == 200
    book.today_is = TODAY + 2 * DAY
    ended = site.ask(link)

    assert ended.status == 404
    assert "This link has ended" in ended.text


def test_a_revoked_link_ends_at_once(site: Site, visits: Visits) -> None:
    """The seller revokes one of two links: that one shows nothing any more, the other does. A
    competitor who guesses the number of the other can't revoke it."""
    cookie = site.sign_in(visits.seller)
    first, second = make(site, cookie, TODAY), make(site, cookie, TODAY)
    page = site.ask("/dashboard/share", headers={"Cookie": cookie}).text
    newest, oldest = re.findall(r'name="number" value="(\d+)"', page)

    post(site, site.sign_in("competitor"), "/dashboard/share/end", number=newest)
    post(site, cookie, "/dashboard/share/end", number=oldest)

    assert site.ask(first).status == 404
    assert site.ask(second).status == 200


@pytest.mark.parametrize("name", ["Tom & Co", "Κανάτα", "a=b#c?"])
def test_the_marketplace_comes_back_to_the_seller_whose_link_it_ended(
    name: str, site: Site, visits: Visits
) -> None:
    """Whatever the seller is called, also with signs that mean something in an address."""
    cookie, seller = site.sign_in(None), f"{visits.seller} {name}"
    made = post(site, cookie, "/dashboard/share", until=TODAY, seller=seller)
    number = re.findall(r'name="number" value="(\d+)"', made.text)[0]

    ended = post(site, cookie, "/dashboard/share/end", number=number, seller=seller)

    query = parse_qs(urlsplit(ended.headers["location"]).query)
    assert query == {"seller": [seller]}


def test_a_link_shows_no_more_than_its_maker_sees(site: Site, visits: Visits) -> None:
    """Whoever is signed in for one product shares that product; naming another, or a seller, in
    the address of the link changes nothing."""
    visits.add("cup", 2)
    visits.add("rug", 7)
    link = make(site, site.sign_in(visits.seller, frozenset({"cup"})), TODAY)

    overview = site.ask(link)
    export = site.ask(f"{link}export.csv", from_=TODAY, to=TODAY).text
    other = site.ask(link, seller="someone")

    assert "rug" not in overview.text + export
    assert other.status == 400
    assert "seller: only an operator names one" in other.text


def test_the_marketplace_ends_all_links_of_a_seller(
    site: Site, visits: Visits, shares: Shares
) -> None:
    """When a seller's access is revoked, the links that he made go with it."""
    link = make(site, site.sign_in(visits.seller), TODAY)
    other = make(site, site.sign_in(visits.seller + "-2"), TODAY)

    assert shares.end_all(visits.seller) == 1

    assert site.ask(link).status == 404
    assert site.ask(other).status == 200


@pytest.mark.parametrize("number", [0, -1, 10**30, "x"])
def test_a_number_that_no_link_has_is_refused(number: object, site: Site, visits: Visits) -> None:
    """Somebody changed the form: the answer is a page that says so."""
    answer = post(site, site.sign_in(visits.seller), "/dashboard/share/end", number=number)

    assert answer.status == 400
    assert "number: input should be" in answer.text


def test_a_link_without_an_end_is_refused(site: Site, visits: Visits) -> None:
    """No date, one that is over, or one in two years: each is told what would do."""
    cookie = site.sign_in(visits.seller)

    missing = post(site, cookie, "/dashboard/share")
    over = post(site, cookie, "/dashboard/share", until=TODAY - DAY)
    late = post(site, cookie, "/dashboard/share", until=TODAY + 800 * DAY)
    nobody = post(site, "x=1", "/dashboard/share", until=TODAY)

    assert "until: missing" in missing.text
    for page in (over, late):
        assert page.status == 400
        assert "until: must lie between 2026-11-18 and 2027-11-19" in page.text
    assert nobody.status == 401


def test_what_is_kept_of_a_link_opens_nothing(site: Site, visits: Visits, shares: Shares) -> None:
    """Whoever copies the file of links finds no key in it."""
    link = make(site, site.sign_in(visits.seller), TODAY)
    key = link.rstrip("/").rpartition("/")[2]
    kept = b"".join(path.read_bytes() for path in shares.path.parent.glob("shares.sqlite*"))

    assert visits.seller.encode() in kept
    assert key.encode() not in kept
