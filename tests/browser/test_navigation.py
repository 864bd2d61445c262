"""Arriving at a product without loading a page: Turbo, History API, hidden tabs, prerendering."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.browser.running import Shop, eventually
from tests.browser.shop_server import WAIT_SECONDS

QUIET_MS = 1500
# Chromium renders nothing ahead while a debugger looks, and Playwright looks at each new tab for a
# moment, on a busy machine for a long one. So the rules are given again until they are followed.
RENDER_AHEAD = """
const rules = JSON.stringify({{prerender: [{{source: "list", urls: ["{page}"]}}]}})
let given = null
async function give() {{
    if (await (await fetch("/pre/rendered")).text() === "yes") return
    given?.remove()
    given = document.createElement("script")
    given.type = "speculationrules"
    given.textContent = rules
    document.head.append(given)
    setTimeout(give, 4000)
}}
give()
"""


def products(shop: Shop, seller: str) -> list[str]:
    """Return the products whose views arrived, in order."""
    names = ("p1", "p2", "p3")
    views = [each.body for each in shop.beacons_seen(seller) if "seconds" not in each.body]
    return [name for body in views for name in names if f'"product":"{name}"' in body]


def wait_for_products(shop: Shop, seller: str, expected: list[str]) -> None:
    """Wait for just these views, in this order; what comes too much shows in what follows."""
    eventually(lambda: len(products(shop, seller)) >= len(expected), f"{expected}")
    assert products(shop, seller) == expected


@pytest.fixture(autouse=True)
def consented(shop: Shop, visitor: BrowserContext) -> None:
    """Every visitor here said yes before."""
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])


def turbo_pages(shop: Shop, seller: str, npm: Path, place: str) -> None:
    """Three Turbo pages that link to each other: two products and a list."""
    shop.files["/turbo.js"] = (npm / "@hotwired/turbo/dist/turbo.es2017-umd.js").read_bytes()
    turbo = '<script src="/turbo.js"></script>'
    links = '<a href="/t/1">one</a> <a href="/t/2">two</a> <a href="/t/list">list</a>'
    for path, product in (("/t/1", "p1"), ("/t/2", "p2"), ("/t/list", "")):
        tag = shop.script(seller, product) if product else ""
        title = f"<h1>{path}</h1>"
        if place == "head":
            shop.add(path, turbo + tag, title + links)
        else:
            shop.add(path, turbo, title + links + tag)


def follow(page: Page, name: str, path: str) -> None:
    """Click a link and wait until Turbo has shown its page."""
    page.get_by_role("link", name=name).click()
    page.wait_for_function(
        "path => document.querySelector('h1').textContent == path"
        " && !document.documentElement.hasAttribute('data-turbo-preview')",
        arg=path,
    )


@pytest.mark.parametrize("place", ["head", "body"])
def test_turbo_counts_each_visit_once(
    shop: Shop, page: Page, seller: str, npm: Path, place: str
) -> None:
    """The real Turbo: there, to a page without a product, and back by link, each one view; its
    cached preview, which it shows first, is none."""
    turbo_pages(shop, seller, npm, place)
    page.add_init_script(
        "document.addEventListener('turbo:render', event => {"
        " if (document.documentElement.hasAttribute('data-turbo-preview'))"
        " window.previews = (window.previews || 0) + 1; })"
    )
    page.goto(shop.url("/t/1"))
    wait_for_products(shop, seller, ["p1"])
    follow(page, "two", "/t/2")
    wait_for_products(shop, seller, ["p1", "p2"])
    follow(page, "list", "/t/list")
    page.wait_for_timeout(QUIET_MS)
    follow(page, "one", "/t/1")
    wait_for_products(shop, seller, ["p1", "p2", "p1"])
    follow(page, "two", "/t/2")
    wait_for_products(shop, seller, ["p1", "p2", "p1", "p2"])
    page.wait_for_timeout(QUIET_MS)
    assert page.evaluate("window.previews") >= 2
    wait_for_products(shop, seller, ["p1", "p2", "p1", "p2"])
    assert shop.views(seller) == 4


def test_a_preview_of_a_product_that_has_gone_counts_nothing(
    shop: Shop, page: Page, seller: str, npm: Path
) -> None:
    """Turbo shows its cached copy, tag and all, and then the page as it is now: without one."""
    turbo_pages(shop, seller, npm, "body")
    page.add_init_script(
        "document.addEventListener('turbo:render', event => {"
        " if (document.documentElement.hasAttribute('data-turbo-preview'))"
        " window.previews = (window.previews || 0) + 1; })"
    )
    page.goto(shop.url("/t/1"))
    wait_for_products(shop, seller, ["p1"])
    follow(page, "list", "/t/list")
    page.wait_for_timeout(QUIET_MS)
    shop.add("/t/1", '<script src="/turbo.js"></script>', "<h1>gone</h1>")
    page.get_by_role("link", name="one").click()
    page.wait_for_function("document.querySelector('h1').textContent == 'gone'")
    page.wait_for_timeout(QUIET_MS)
    assert page.evaluate("window.previews") == 1
    assert shop.views(seller) == 1


@pytest.mark.parametrize("place", ["head", "body"])
def test_turbo_counts_the_back_button(
    shop: Shop, page: Page, seller: str, npm: Path, place: str
) -> None:
    """Turbo restores the page from its own cache, without a request."""
    turbo_pages(shop, seller, npm, place)
    page.goto(shop.url("/t/1"))
    follow(page, "list", "/t/list")
    page.go_back()
    page.wait_for_function("document.querySelector('h1').textContent == '/t/1'")
    wait_for_products(shop, seller, ["p1", "p1"])
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 2


def test_a_single_page_shop_counts_when_its_tag_changes(
    shop: Shop, page: Page, seller: str
) -> None:
    """The History API: a new product by new attributes, a step to a page without one is none, the
    way back counts, a tab within the page doesn't."""
    router = """<script>
        const render = (state) => {
            const tag = document.querySelector('script[data-sig]');
            if (state.product) Object.assign(tag.dataset, state);
        };
        const go = (path, product, sig) => {
            const state = product ? { product, sig } : {};
            history.pushState(state, '', path);
            render(state);
        };
        addEventListener('popstate', (event) => setTimeout(render, 50, event.state));
    </script>"""
    page.goto(shop.add("/s/1", shop.script(seller, "p1") + router))
    first = {"product": "p1", "sig": shop.signature(seller, "p1")}
    page.evaluate("state => history.replaceState(state, '')", first)
    wait_for_products(shop, seller, ["p1"])
    page.evaluate("go('/s/1?tab=reviews')")
    page.evaluate("go('/s/list')")
    page.wait_for_timeout(QUIET_MS)
    assert products(shop, seller) == ["p1"]
    page.evaluate("sig => go('/s/2', 'p2', sig)", shop.signature(seller, "p2"))
    wait_for_products(shop, seller, ["p1", "p2"])
    page.evaluate("history.go(-3)")
    wait_for_products(shop, seller, ["p1", "p2", "p1"])
    page.evaluate("go('/s/list')")
    page.evaluate("history.back()")
    wait_for_products(shop, seller, ["p1", "p2", "p1", "p1"])
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 4


def test_a_single_page_shop_may_mount_the_tag_anew(shop: Shop, page: Page, seller: str) -> None:
    """A framework puts a new script element into the page for each product; one view each."""
    page.goto(shop.add("/s/1", body=shop.script(seller, "p1")))
    wait_for_products(shop, seller, ["p1"])
    page.evaluate(
        """([product, sig]) => {
            const old = document.querySelector('script[data-sig]');
            history.pushState({}, '', '/s/2');
            const tag = document.createElement('script');
            Object.assign(tag, { src: old.src });
            Object.assign(tag.dataset, { seller: old.dataset.seller, product, sig });
            old.replaceWith(tag);
        }""",
        ["p2", shop.signature(seller, "p2")],
    )
    wait_for_products(shop, seller, ["p1", "p2"])
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 2


def test_the_documented_call_counts_a_view(shop: Shop, page: Page, seller: str) -> None:
    """collectorView(seller, product, sig), for what no address shows."""
    page.goto(shop.add("/s/1", shop.script(seller, "p1")))
    wait_for_products(shop, seller, ["p1"])
    call = "([seller, sig]) => collectorView(seller, 'p3', sig)"
    for expected in (["p1", "p3"], ["p1", "p3", "p3"]):
        page.evaluate("history.pushState({}, '', '/s/' + Math.random())")
        page.evaluate(call, [seller, shop.signature(seller, "p3")])
        wait_for_products(shop, seller, expected)
    page.evaluate("history.back()")  # the shop will call again, if a product is shown there
    page.wait_for_timeout(QUIET_MS)
    assert shop.views(seller) == 3


@contextmanager
def bare_visitor(browser: Browser, shop: Shop) -> Iterator[tuple[CDPSession, str]]:
    """A visitor that Playwright leaves alone: it keeps its own tabs visible and unprerendered."""
    session = browser.new_browser_cdp_session()
    context = session.send("Target.createBrowserContext")["browserContextId"]
    cookie = {"name": "statistics_consent", "value": "granted", "url": shop.url("/")}
    session.send("Storage.setCookies", {"cookies": [cookie], "browserContextId": context})
    yield session, context
    session.send("Target.disposeBrowserContext", {"browserContextId": context})


def open_tab(visitor: tuple[CDPSession, str], url: str) -> str:
    """Open a tab in the foreground, and return its id."""
    session, context = visitor
    target = session.send("Target.createTarget", {"url": url, "browserContextId": context})
    identity: str = target["targetId"]
    return identity


def test_a_tab_in_the_background_counts_when_it_is_looked_at(
    browser: Browser, shop: Shop, seller: str
) -> None:
    """Opened behind another tab: nothing until the visitor turns to it."""
    told = "<script>fetch('/stats/told?' + document.visibilityState)</script>"
    page = shop.add("/p/1", shop.script(seller, "p1"), told)
    with bare_visitor(browser, shop) as visitor:
        first = open_tab(visitor, "about:blank")
        session, context = visitor
        session.send(
            "Target.createTarget",
            {"url": page, "browserContextId": context, "background": True},
        )
        eventually(lambda: any("told?hidden" in each.path for each in shop.seen), "a hidden tab")
        time.sleep(QUIET_MS / 1000)
        assert products(shop, seller) == []
        targets = session.send("Target.getTargets")["targetInfos"]
        hidden = next(each for each in targets if each["url"] == page)
        session.send("Target.activateTarget", {"targetId": hidden["targetId"]})
        wait_for_products(shop, seller, ["p1"])
        time.sleep(1.1)
        session.send("Target.activateTarget", {"targetId": first})
        eventually(lambda: len(shop.beacons_seen(seller)) == 2, "the seconds, once it is hidden")
        assert '"seconds":' in shop.beacons_seen(seller)[1].body
    assert shop.views(seller) == 1


def test_a_prerendered_page_counts_when_it_is_shown(
    rested_browser: Browser, shop: Shop, seller: str
) -> None:
    """The browser renders the next page ahead: nothing until the visitor gets there, then one."""
    told = (
        "fetch('/stats/told-2?' + document.prerendering);"
        "document.addEventListener('prerenderingchange', () => fetch('/stats/activated'))"
    )
    page = shop.add("/pre/2", shop.script(seller, "p2"), f"<script>{told}</script>")

    def is_rendered() -> bool:
        return any("told-2?true" in each.path for each in shop.seen)

    shop.pages["/pre/rendered"] = lambda _: "yes" if is_rendered() else "not yet"
    # Once: going there again would cancel the way there.
    go = f"told => told.ok && !window.gone && (window.gone = true, location.href = '{page}')"
    start = shop.add(
        "/pre/1",
        "",
        f"<script>{RENDER_AHEAD.format(page=page)}"
        f"setInterval(() => fetch('/pre/go').then({go}), 300)</script>",
    )
    with bare_visitor(rested_browser, shop) as visitor:
        open_tab(visitor, start)
        eventually(is_rendered, "prerendering", 4 * WAIT_SECONDS)
        time.sleep(QUIET_MS / 1000)
        assert products(shop, seller) == []
        shop.add("/pre/go")
        eventually(lambda: any("activated" in each.path for each in shop.seen), "activation")
        wait_for_products(shop, seller, ["p2"])
    assert shop.beacons_seen(seller)[0].counted == "yes"
    assert shop.views(seller) == 1
