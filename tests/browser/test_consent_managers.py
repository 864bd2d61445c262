"""beacon.js beside other makers' consent managers: it waits for them and follows them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from collector.consent_cookies import consent_reader
from collector.consent_managers import Choice
from collector.page.scripts import beacon_script
from tests.browser.running import Shop, eventually, html, running
from tests.browser.shop_server import PREFIX
from tests.collector.consent_cookie_examples import COOKIEBOT, EXPLICIT, GRANTED, REFUSED, UNDECIDED

QUIET_MS = 1500
COOKIEBOT_GRANTED = COOKIEBOT.format(statistics="true", method=EXPLICIT)
COOKIEBOT_REFUSED = COOKIEBOT.format(statistics="false", method=EXPLICIT)


@pytest.fixture(scope="module")
def cookiebot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose visitors are asked by Cookiebot."""
    with running(tmp_path_factory.mktemp("cookiebot"), CONSENT_FORMAT="cookiebot") as started:
        yield started


def test_a_managers_cookie_starts_and_a_refusal_withdraws(
    cookiebot: Shop, page: Page, seller: str
) -> None:
    """The manager writes yes: counted at once. It turns to no: the script posts the withdrawal,
    and the seller's number falls to nothing. It turns to yes again: counted from then on."""
    shop = cookiebot
    page.goto(shop.add("/p/1", shop.script(seller, "p")))
    page.wait_for_timeout(QUIET_MS)
    assert shop.beacons_seen(seller) == []
    page.evaluate("value => document.cookie = value + '; path=/'", COOKIEBOT_GRANTED)
    eventually(lambda: len(shop.beacons_seen(seller)) == 1, "a view")
    assert shop.views(seller) == 1
    page.evaluate("value => document.cookie = value + '; path=/'", COOKIEBOT_REFUSED)
    told = f"{PREFIX}/consent"
    eventually(lambda: any(each.path == told for each in shop.seen), "the withdrawal")
    withdrawal = next(each for each in shop.seen if each.path == told)
    assert withdrawal.body == '{"choice":"refused","withdrawn":true}'
    assert withdrawal.status == 200
    eventually(lambda: shop.views(seller) == 0, "erased")
    page.wait_for_timeout(QUIET_MS)
    assert len(shop.beacons_seen(seller)) == 1
    page.evaluate("value => document.cookie = value + '; path=/'", COOKIEBOT_GRANTED)
    eventually(lambda: len(shop.beacons_seen(seller)) == 2, "a view again")
    assert shop.views(seller) == 1


@pytest.mark.parametrize(
    ("format", "cookies", "sends"),
    [
        *((*example, True) for example in GRANTED),
        *((*example, False) for example in REFUSED),
        *((*example, False) for example in UNDECIDED),
    ],
)
def test_the_script_asks_no_server_in_vain(
    shop: Shop, visitor: BrowserContext, page: Page, format: str, cookies: str, sends: bool
) -> None:
    """What the script makes of each manager's cookie is what the server makes of it."""
    shop.files[f"/{format}/beacon.js"] = beacon_script(format).plain
    tag = f'<script defer src="/{format}/beacon.js" data-seller="s" data-product="p" data-sig="x">'
    shop.pages["/manager"] = html(f"{tag}</script>", "")
    page.add_init_script(
        "window.sent = []; Navigator.prototype.sendBeacon = (u, b) => sent.push(b)"
    )
    page.goto(shop.add("/empty"))
    for cookie in filter(None, cookies.split("; ")):
        page.evaluate("value => document.cookie = value + '; path=/'", cookie)
    page.goto(shop.url("/manager"))
    assert page.evaluate("sent.length") == sends


@pytest.mark.parametrize(
    ("value", "category", "sends"),
    [
        ("yes", "yes", True),
        ("NO", "yes", False),
        ("%7B%22stats%22%3A1%7D", '{"stats":1}|{"stats":0}', True),
        ("%7B%22stats%22%3A1%7D", "%7B%22stats%22%3A1%7D", True),
        ("%7B%22stats%22%3A0%7D", '{"stats":1}|{"stats":0}', False),
    ],
)
def test_a_plain_cookie_is_read_alike_by_script_and_server(
    shop: Shop, page: Page, value: str, category: str, sends: bool
) -> None:
    """Encoded or not; and a refusal takes back, in whatever case it is written."""
    shop.files["/plain/beacon.js"] = beacon_script("plain", "ok", category).plain
    tag = '<script defer src="/plain/beacon.js" data-seller="s" data-product="p" data-sig="x">'
    shop.pages["/plain"] = html(f"{tag}</script>", "")
    page.add_init_script(
        "window.sent = []; Navigator.prototype.sendBeacon = (u, b) => sent.push([u, b])"
    )
    page.goto(shop.add("/empty"))
    page.evaluate("value => document.cookie = 'ok=' + value + '; path=/'", value)
    page.goto(shop.url("/plain"))
    assert page.evaluate("sent.length") == sends
    reader = consent_reader("plain", "ok", category)
    assert (reader(f"ok={value}".encode()) is Choice.GRANTED) == sends
    if sends and "|" not in category:
        page.evaluate("document.cookie = 'ok=No; path=/'")
        page.wait_for_function("sent.some(([url]) => url.endsWith('/consent'))")
