"""Where the collector stands: on the shop's own origin, beside it, or on another site."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.running import Shop, eventually, html, running
from tests.browser.shop_server import PREFIX

QUIET_MS = 1500
WWW, STATS, ELSEWHERE = "www.shop.localhost", "stats.shop.localhost", "elsewhere.localhost"


@pytest.fixture(scope="module")
def sibling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop on www. with the collector on stats., and one consent cookie for both."""
    with running(
        tmp_path_factory.mktemp("sibling"),
        BEACONS_URL=f"http://{STATS}:{{port}}",
        ORIGINS=f"http://{WWW}:{{port}}",
        CONSENT_COOKIE_DOMAIN="shop.localhost",
    ) as started:
        yield started


def add(shop: Shop, path: str, seller: str, collector: str) -> None:
    """Add a product's page with script and banner of a collector on this host."""
    head = shop.script(seller, "p", collector) + shop.banner(collector)
    shop.pages[path] = html(head, "")


def test_a_sibling_subdomain_shares_the_consent_cookie(
    sibling: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Accept on www, counted at stats, one cookie for both; refuse, and it is erased."""
    add(sibling, "/p/1", seller, STATS)
    page.goto(sibling.url("/p/1", WWW))
    page.get_by_role("button", name="Accept").click()
    eventually(lambda: len(sibling.beacons_seen(seller)) == 1, "a beacon")
    assert sibling.beacons_seen(seller)[0].host.startswith(STATS)
    assert sibling.beacons_seen(seller)[0].headers["origin"] == sibling.url("", WWW)
    kept = [c for c in visitor.cookies() if c["name"] == "statistics_consent"]
    assert [cookie["domain"] for cookie in kept] == [".shop.localhost"]
    assert sibling.views(seller) == 1
    page.get_by_role("link", name="Cookie settings").click()
    page.get_by_role("button", name="Refuse").click()
    page.get_by_text("were removed").wait_for()
    eventually(lambda: sibling.views(seller) == 0, "erased")


@pytest.mark.parametrize("blocked", [False, True], ids=["third-party", "blocked"])
def test_another_site_counts_by_a_cookie_of_its_own_partition(
    playwright: Playwright, shop: Shop, seller: str, tmp_path: Path, blocked: bool
) -> None:
    """The banner's answer is kept for the shop's site alone, which browsers allow where they
    block third-party cookies; an answer that was given elsewhere counts nothing here."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 1 if blocked else 0}}))
    visitor = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=CHROMIUM, args=ARGUMENTS, headless=True
    )
    page = visitor.pages[0]
    add(shop, "/p/1", seller, "shop.localhost")
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])
    shop.headers["/front"] = {"Set-Cookie": "third_party=1; Secure; SameSite=None; Path=/"}
    page.goto(shop.add("/front"))
    page.goto(shop.url("/p/1", ELSEWHERE))
    page.get_by_role("button", name="Accept").wait_for()
    page.wait_for_timeout(QUIET_MS)
    assert shop.beacons_seen(seller) == []
    page.get_by_role("button", name="Accept").click()
    eventually(lambda: len(shop.beacons_seen(seller)) == 1, "a beacon")
    beacon = shop.beacons_seen(seller)[0]
    assert beacon.headers["sec-fetch-site"] == "cross-site"
    assert ("third_party" in beacon.headers["cookie"]) is not blocked
    assert "statistics_consent=granted." in beacon.headers["cookie"]
    assert shop.views(seller) == 1
    visitor.close()


def test_a_third_party_cookie_that_is_blocked_counts_nothing(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """The shop's own consent manager said yes on its site; the browser shows the beacon no
    cookie, and without it there is no consent."""
    shop.pages["/p/2"] = html(shop.script(seller, "p"), "")
    visitor.add_cookies(
        [
            {"name": "statistics_consent", "value": "granted", "url": shop.url("/", ELSEWHERE)},
            {"name": "statistics_consent", "value": "granted", "url": shop.url("/")},
        ]
    )
    page.goto(shop.url("/p/2", ELSEWHERE))
    eventually(lambda: len(shop.beacons_seen(seller)) == 1, "a beacon")
    assert shop.beacons_seen(seller)[0].counted == "no-consent"
    assert shop.views(seller) == 0


def test_a_foreign_page_can_neither_grant_nor_erase(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """Another shop below the same domain posts in the visitor's name: 403, nothing changes."""
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    eventually(lambda: len(shop.beacons_seen(seller)) == 1, "a beacon")
    shop.pages["/evil"] = html("", "")
    page.goto(shop.url("/evil", "evil.shop.localhost"))
    status = page.evaluate(
        """async (url) => {
            await fetch(url, { method: "POST", mode: "no-cors", credentials: "include",
                body: '{"choice":"refused","withdrawn":true}' });
        }""",
        shop.url(f"{PREFIX}/consent"),
    )
    assert status is None
    answer = next(each for each in shop.seen if each.headers.get("origin", "").find("evil") > 0)
    assert (answer.path, answer.status) == (f"{PREFIX}/consent", 403)
    assert shop.views(seller) == 1


def test_the_pixel_and_script_load_under_coep(
    shop: Shop, visitor: BrowserContext, page: Page, seller: str
) -> None:
    """An isolated page (Cross-Origin-Embedder-Policy) on another site takes what allows it."""
    tags = shop.script(seller, "p") + shop.pixel(seller, "p").replace('alt=""', 'alt="" id="pixel"')
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src * \'unsafe-inline\'">'
    shop.pages["/coep"] = html(policy, tags)
    shop.headers["/coep"] = {
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    page.goto(shop.url("/coep", ELSEWHERE))
    assert page.evaluate("crossOriginIsolated")
    assert page.evaluate("document.getElementById('pixel').naturalWidth") == 1
    assert page.evaluate("typeof collectorView") == "function"
    assert shop.views(seller) == 0
