"""beacon.js in a real browser: when it counts, when it doesn't, and what it sends."""

import json

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.running import Shop, eventually
from tests.browser.shop_server import PREFIX

QUIET_MS = 1500  # Longer than the script takes to notice anything.


def consent(visitor: BrowserContext, shop: Shop, value: str = "granted") -> None:
    """Let the visitor have chosen before."""
    visitor.add_cookies([{"name": "statistics_consent", "value": value, "url": shop.url("/")}])


def wait_for_beacons(shop: Shop, seller: str, count: int) -> None:
    """Wait until the shop's proxy has passed on this many beacons of a seller."""
    eventually(lambda: len(shop.beacons_seen(seller)) >= count, f"{count} beacons")


@pytest.mark.parametrize("place", ["head", "body"])
def test_a_visitor_who_consented_is_counted_on_load(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str, place: str
) -> None:
    """The developer pastes one line into the template; the page counts."""
    consent(visitor, shop)
    tag = shop.script(seller, "p")
    page.goto(shop.add("/p/1", **{place: tag}))
    wait_for_beacons(shop, seller, 1)
    assert shop.summary(seller)["views"] == 1
    assert [each.counted for each in shop.beacons_seen(seller)] == ["yes"]


def test_only_origin_and_campaign_leave_the_page(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """The page's address and the referrer may name people; what isn't counted isn't sent."""
    consent(visitor, shop)
    shop.add("/p/utm", shop.script(seller, "p"))
    query = "utm_source=newsletter&email=a@b.example&utm_campaign=may&utm_term=x"
    shop.add("/from", body=f'<a href="/p/utm?{query}">to the product</a>')
    page.goto(shop.url("/from?who=me"))
    page.click("a")
    wait_for_beacons(shop, seller, 1)
    assert json.loads(shop.beacons_seen(seller)[0].body) == {
        "seller": seller,
        "product": "p",
        "sig": shop.signature(seller, "p"),
        "ref": shop.url("")[: len(shop.url(""))],
        "url": "?utm_source=newsletter&utm_campaign=may",
    }


@pytest.mark.parametrize("value", ["", "refused.2026-11-22.1", "granted.2020-01-01.0", "yes"])
def test_nothing_is_sent_without_consent(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str, value: str
) -> None:
    """Undecided, refused, agreed to another text, damaged: no request to the beacon at all."""
    if value:
        consent(visitor, shop, value)
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    page.wait_for_timeout(QUIET_MS)
    assert any(each.path == f"{PREFIX}/beacon.js" for each in shop.seen)
    page.goto("about:blank")
    assert shop.beacons_seen(seller) == []
    assert shop.views(seller) == 0


@pytest.mark.parametrize("told", [True, False], ids=["cookie-store", "without"])
def test_consent_given_on_the_page_counts_at_once(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str, told: bool
) -> None:
    """Any banner may set the cookie; the view is sent without another page load, and once; also
    in browsers that don't tell of changed cookies."""
    if not told:
        page.add_init_script("delete window.cookieStore")
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    page.evaluate("document.cookie = 'statistics_consent=granted; path=/'")
    wait_for_beacons(shop, seller, 1)
    page.evaluate("document.cookie = 'theme=dark; path=/'")
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 1


def test_a_page_closed_at_once_after_load_is_counted(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """The visitor is gone before the answer could have come."""
    consent(visitor, shop)
    page.goto(shop.add("/p/1", shop.script(seller, "p")), wait_until="load")
    page.close()
    wait_for_beacons(shop, seller, 1)
    assert shop.views(seller) == 1


def test_the_back_button_counts_again(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """The page comes out of the back-forward cache: no script runs anew, a view it is."""
    consent(visitor, shop)
    shop.add("/away", body="elsewhere")
    remember = "<script>addEventListener('pageshow', e => window.kept = e.persisted)</script>"
    page.goto(shop.add("/p/1", shop.script(seller, "p") + remember))
    wait_for_beacons(shop, seller, 1)
    page.goto(shop.url("/away"))
    page.evaluate("history.back()")
    page.wait_for_function("window.kept === true")
    wait_for_beacons(shop, seller, 2)
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 2


def test_seconds_are_sent_when_the_visitor_leaves(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Time on page: whole seconds that the page was visible, as a report that is not a view."""
    consent(visitor, shop)
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    wait_for_beacons(shop, seller, 1)
    page.wait_for_timeout(1600)
    page.goto("about:blank")
    wait_for_beacons(shop, seller, 2)
    report = json.loads(shop.beacons_seen(seller)[1].body)
    assert 1 <= report["seconds"] <= 10
    assert report.keys() == {"seller", "product", "sig", "seconds"}
    assert shop.views(seller) == 1


def test_a_view_is_sent_once_more_after_503(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """The collector was starting: the first try comes back with 503, the second counts."""
    consent(visitor, shop)
    shop.failures.append(503)
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    wait_for_beacons(shop, seller, 2)
    assert [each.status for each in shop.beacons_seen(seller)] == [503, 204]
    assert shop.views(seller) == 1


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("Navigator.prototype.sendBeacon", "/stats/beacon"),
        ("Navigator.prototype.sendBeacon, delete window.fetch", "/stats/pixel.gif"),
    ],
)
def test_browsers_without_sendbeacon_count_too(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str, missing: str, path: str
) -> None:
    """fetch with keepalive next, the image last."""
    consent(visitor, shop)
    page.add_init_script(f"delete {missing}")
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    wait_for_beacons(shop, seller, 1)
    assert shop.beacons_seen(seller)[0].path.startswith(path)
    assert shop.views(seller) == 1
