"""consent.js in a real browser: asking, answering, changing one's mind."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from collector.page.scripts import texts_of
from tests.browser.running import Shop, eventually

QUIET_MS = 1500
REMOVED = "Today's visits from this browser on this connection were removed."


def consent_cookie(visitor: BrowserContext) -> str:
    """Return what the visitor's browser keeps of the choice."""
    kept = [
        cookie["value"] for cookie in visitor.cookies() if cookie["name"] == "statistics_consent"
    ]
    assert len(kept) <= 1
    return kept[0] if kept else ""


def wait_for_beacons(shop: Shop, seller: str, count: int) -> None:
    """Wait until the shop's proxy has passed on this many views of a seller."""
    views = [each for each in shop.beacons_seen(seller) if "seconds" not in each.body]
    eventually(
        lambda: sum("seconds" not in each.body for each in shop.beacons_seen(seller)) >= count,
        f"{count} views, not {len(views)}",
    )


def test_accepting_on_the_page_counts_this_visit(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Choice, date and the text's version stand in one cookie; the banner does not come back."""
    address = shop.add("/p/1", shop.script(seller, "p") + shop.banner())
    page.goto(address)
    page.get_by_role("button", name="Accept").click()
    wait_for_beacons(shop, seller, 1)
    day = page.evaluate("new Date().toISOString().slice(0, 10)")
    assert consent_cookie(visitor) == f"granted.{day}.1"
    kept = next(c for c in visitor.cookies() if c["name"] == "statistics_consent")
    assert 364 < (kept["expires"] - page.evaluate("Date.now()") / 1000) / 86_400 <= 365
    assert not page.get_by_role("dialog").is_visible()
    page.goto(address)
    wait_for_beacons(shop, seller, 2)
    assert not page.get_by_role("dialog").is_visible()
    assert shop.views(seller) == 2


def test_refusing_sends_nothing_and_is_remembered(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """A refused visitor causes no request to the beacon at all, on no later page either."""
    address = shop.add("/p/1", shop.script(seller, "p") + shop.banner())
    page.goto(address)
    page.get_by_role("button", name="Refuse").click()
    page.get_by_text(REMOVED).wait_for()
    page.get_by_role("button", name="Close").click()
    assert consent_cookie(visitor).startswith("refused.")
    page.goto(address)
    page.wait_for_timeout(QUIET_MS)
    assert not page.get_by_role("dialog").is_visible()
    page.goto("about:blank")
    assert shop.beacons_seen(seller) == []
    assert shop.views(seller) == 0


def test_changing_ones_mind_removes_todays_visits_and_counts_anew(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Accepted, then refused by the settings link: the seller's number falls to nothing. Accepted
    again: it counts from then on."""
    address = shop.add("/p/1", shop.script(seller, "p") + shop.banner())
    page.goto(address)
    page.get_by_role("button", name="Accept").click()
    wait_for_beacons(shop, seller, 1)
    page.goto(address)
    wait_for_beacons(shop, seller, 2)
    assert shop.views(seller) == 2
    page.get_by_role("link", name="Cookie settings").click()
    page.get_by_role("button", name="Refuse").click()
    page.get_by_text(REMOVED).wait_for()
    eventually(lambda: shop.views(seller) == 0, "erased from the seller's number")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Cookie settings").click()
    page.get_by_role("button", name="Accept").click()
    wait_for_beacons(shop, seller, 3)
    assert shop.views(seller) == 1


def test_a_new_version_of_the_text_asks_again(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Who agreed to another text has not agreed to this one."""
    visitor.add_cookies(
        [{"name": "statistics_consent", "value": "granted.2026-01-01.0", "url": shop.url("/")}]
    )
    page.goto(shop.add("/p/1", shop.script(seller, "p") + shop.banner()))
    page.get_by_role("button", name="Accept").wait_for()
    assert shop.beacons_seen(seller) == []
    page.get_by_role("button", name="Accept").click()
    wait_for_beacons(shop, seller, 1)
    assert consent_cookie(visitor).endswith(".1")
    assert shop.views(seller) == 1


def test_the_banner_is_operable_by_keyboard_and_named_for_readers(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """First in the page's order; the focus goes back to the link that opened it."""
    page.goto(
        shop.add(
            "/p/1",
            shop.script(seller, "p") + shop.banner(),
            '<a href="/other">other</a><button data-collector-consent>My cookies</button>',
        )
    )
    dialog = page.get_by_role("dialog", name="Visitor statistics")
    dialog.wait_for()
    assert "The Shop" in dialog.inner_text()
    assert dialog.get_by_role("link", name="Privacy policy").get_attribute("href") == "/privacy"
    focused = "document.activeElement.shadowRoot?.activeElement?.textContent"
    for expected in ("Privacy policy", "Refuse", "Accept"):
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == expected
    page.keyboard.press("Escape")  # no answer is no answer
    assert dialog.is_visible()
    page.keyboard.press("Enter")
    wait_for_beacons(shop, seller, 1)
    assert not page.get_by_role("link", name="Cookie settings").is_visible()
    page.get_by_role("button", name="My cookies").press("Enter")
    dialog.wait_for()
    assert page.evaluate(focused) == "Visitor statistics"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.textContent") == "My cookies"
    assert shop.views(seller) == 1


@pytest.mark.parametrize("signal", ["gpc", "dnt"])
def test_a_browser_that_refuses_is_told_that_statistics_are_off(
    browser: Browser, shop: Shop, seller: str, signal: str
) -> None:
    """With GPC or DNT nobody is asked, and an old yes does not count."""
    header, script = {
        "gpc": (
            "Sec-GPC",
            "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
        ),
        "dnt": ("DNT", "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"),
    }[signal]
    visitor = browser.new_context(extra_http_headers={header: "1"})
    visitor.add_init_script(script)
    page = visitor.new_page()
    address = shop.add("/p/1", shop.script(seller, "p") + shop.banner())
    page.goto(address)
    page.get_by_text("so statistics are off").wait_for()
    assert page.get_by_role("button", name="Accept").count() == 0
    page.get_by_role("button", name="Close").click()
    page.goto(address)
    page.wait_for_timeout(QUIET_MS)
    assert not page.get_by_role("dialog").is_visible()
    assert shop.beacons_seen(seller) == []
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])
    page.goto(address)
    wait_for_beacons(shop, seller, 1)
    assert shop.beacons_seen(seller)[0].counted == signal
    assert shop.views(seller) == 0
    visitor.close()


def test_without_javascript_the_plain_page_asks(browser: Browser, shop: Shop, seller: str) -> None:
    """GET /consent does the same; the product's page carries the pixel once the server has seen
    consent, as its own snippet and not in <noscript>."""
    visitor = browser.new_context(java_script_enabled=False, locale="de-AT")
    page = visitor.new_page()

    def product(headers: dict[str, str]) -> str:
        agreed = "statistics_consent=granted" in headers.get("Cookie", "")
        return f"<!doctype html><title>p</title>{shop.pixel(seller, 'p') if agreed else ''}"

    shop.pages["/p/nojs"] = product
    text = texts_of()["de"]
    page.goto(shop.url("/p/nojs"))
    page.goto(shop.url("/stats/consent"))
    page.get_by_role("button", name=text["accept"]).click()
    page.get_by_text(text["granted"]).wait_for()
    page.goto(shop.url("/p/nojs"))
    wait_for_beacons(shop, seller, 1)
    assert shop.views(seller) == 1
    page.goto(shop.url("/stats/consent"))
    page.get_by_role("button", name=text["refuse"]).click()
    page.get_by_text(text["removed"]).wait_for()
    eventually(lambda: shop.views(seller) == 0, "erased")
    page.goto(shop.url("/p/nojs"))
    assert len(shop.beacons_seen(seller)) == 1
    visitor.close()


def test_a_sellers_own_browser_can_be_left_out(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """GET /own keeps a cookie without an id; visits then end as `own`, until it is undone."""
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])
    address = shop.add("/p/1", shop.script(seller, "p"))
    page.goto(shop.url("/stats/own"))
    page.get_by_role("button", name="Don't count this browser").click()
    page.get_by_text("This browser is left out.").wait_for()
    page.goto(address)
    wait_for_beacons(shop, seller, 1)
    assert shop.beacons_seen(seller)[0].counted == "own"
    assert shop.views(seller) == 0
    page.goto(shop.url("/stats/own"))
    page.get_by_role("button", name="Count this browser again").click()
    page.get_by_text("This browser is not left out.").wait_for()
    page.goto(address)
    wait_for_beacons(shop, seller, 2)
    assert shop.views(seller) == 1


@pytest.fixture
def answers(page: Page) -> Callable[[str], None]:
    """Press one of the banner's buttons."""
    return lambda name: page.get_by_role("button", name=name).click()


def test_a_refusal_that_cannot_be_kept_is_not_claimed(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str, answers: Callable[[str], None]
) -> None:
    """The collector is away while the visitor refuses: the banner says so and asks again."""
    page.goto(shop.add("/p/1", shop.script(seller, "p") + shop.banner()))
    page.get_by_role("button", name="Refuse").wait_for()
    visitor.set_offline(True)
    answers("Refuse")
    page.get_by_text("could not be saved").wait_for()
    visitor.set_offline(False)
    answers("Refuse")
    page.get_by_text(REMOVED).wait_for()
    assert consent_cookie(visitor).startswith("refused.")
    assert shop.views(seller) == 0
