"""Another maker's script, as its own package manager installs it, in a real browser."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from collector import keys, tokens
from tests.browser.running import Shop, eventually, html, running
from tests.browser.shop_server import PREFIX, Seen


@pytest.fixture(scope="module")
def compatible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that keeps Plausible's tracker and points it at the collector."""
    with running(
        tmp_path_factory.mktemp("compatible"), COMPATIBLE_PATHS="/items/{product}"
    ) as started:
        yield started


def list_product(shop: Shop, seller: str, product: str) -> None:
    """Put a product into the catalogue, as the marketplace's backend does."""
    key = keys.derive(shop.secret, "operator")
    token = tokens.mint("operator", key, now=int(time.time()))
    connection = HTTPConnection(shop.reports)
    body = json.dumps([{"seller": seller, "product": product, "title": "A lamp"}])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("PUT", f"{PREFIX}/operator/products", body, headers)
    assert connection.getresponse().status == 200
    connection.close()


def counted_views(shop: Shop) -> list[Seen]:
    """Return what the tracker sent as views and was told that it counts."""
    counted = [each for each in shop.seen if each.counted == "yes"]
    return [each for each in counted if json.loads(each.body)["n"] == "pageview"]


def test_plausibles_real_tracker_counts(
    compatible: Shop, visitor: BrowserContext, page: Page, seller: str, npm: Path
) -> None:
    """`init({domain, endpoint})` and nothing else; its view is the seller's view."""
    shop = compatible
    list_product(shop, seller, f"lamp-{seller}")
    package = npm / "@plausible-analytics" / "tracker" / "plausible.js"
    shop.files["/plausible.js"] = package.read_bytes()
    endpoint = f"{PREFIX}/api/event"
    start = (
        '<script type="module">import { init } from "/plausible.js";'
        f'init({{ domain: "shop.localhost", endpoint: "{endpoint}", captureOnLocalhost: true }});'
        "</script>"
    )
    path = f"/items/lamp-{seller}"
    shop.pages[path] = html(start, "")
    page.add_init_script("delete Object.getPrototypeOf(navigator).webdriver")
    page.goto(shop.url(path))
    eventually(lambda: any(each.path == endpoint for each in shop.seen), "an event")
    assert shop.seen[-1].counted == "no-consent"
    visitor.add_cookies([{"name": "statistics_consent", "value": "granted", "url": shop.url("/")}])
    page.goto(shop.url(path))
    # Where a machine is slow, the first page's seconds come first: a report, and no view.
    eventually(lambda: bool(counted_views(shop)), "a counted view")
    assert counted_views(shop)[0].status == 202
    assert shop.views(seller) == 1
