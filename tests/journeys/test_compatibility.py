"""Pages that carry another maker's script: answered as that script expects, counted as ours."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.asking import Answer, ask
from tests.journeys.running import FIREFOX, GRANTED, Collector, running

pytestmark = pytest.mark.slow

SHOP = "https://shop.example"
PIXEL_BYTES = 43


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A Collector that knows the shop's addresses."""
    with running(
        tmp_path_factory.mktemp("compatible"),
        COMPATIBLE_PATHS="/shops/{seller}/{product},/p/{product}",
        ORIGINS=SHOP,
    ) as started:
        yield started


@pytest.fixture
def seller(collector: Collector) -> str:
    """A seller with one product in the catalogue, named like the seller."""
    name = f"seller-{secrets.token_hex(4)}"
    body = json.dumps([{"seller": name, "product": name, "title": "A lamp"}])
    headers = {
        "Authorization": f"Bearer {collector.token('operator')}",
        "Content-Type": "application/json",
    }
    answer = ask(collector.reports, "PUT", "/operator/products", headers, body.encode())
    assert answer.status == 200, answer.content
    return name


def count(
    collector: Collector, query: str, method: str = "GET", cookie: str = GRANTED, **more: str
) -> Answer:
    """Ask as GoatCounter's count.js does."""
    headers = {"Cookie": cookie, "User-Agent": FIREFOX, **more}
    return ask(collector.beacons, method, f"/count?{query}", headers)


def event(collector: Collector, cookie: str = GRANTED, **fields: object) -> Answer:
    """Ask as Plausible's tracker does."""
    headers = {"Cookie": cookie, "User-Agent": FIREFOX, "Content-Type": "text/plain"}
    known = {"n": "pageview", "v": 36, "d": "shop.example", "r": None}
    body = json.dumps(known | fields).encode()
    return ask(collector.beacons, "POST", "/api/event", headers, body)


def test_goatcounters_script_counts(collector: Collector, seller: str) -> None:
    """By beacon and by image; both get the image and 200."""
    for method in ("GET", "POST"):
        answer = count(collector, f"p=/p/{seller}&t=Lamp&rnd=1", method)
        assert (answer.status, answer.counted) == (200, "yes")
        assert answer.headers["content-type"] == "image/gif"
        assert len(answer.content) == PIXEL_BYTES
    assert count(collector, f"p=/shops/{seller}/{seller}").counted == "yes"
    assert collector.summary(seller) == (3, 1)


def test_plausibles_tracker_counts(collector: Collector, seller: str) -> None:
    """A view is a view, an engagement a time report; both get 202 and `ok`."""
    for name in ("pageview", "engagement"):
        answer = event(collector, n=name, u=f"{SHOP}/p/{seller}", e=5000, sd=40)
        assert (answer.status, answer.content, answer.counted) == (202, b"ok", "yes")
        assert "x-plausible-dropped" not in answer.headers
    assert event(collector, u=f"{SHOP}/", p={"product": seller}).counted == "yes"
    assert collector.summary(seller) == (2, 1)


def test_the_same_checks_decide(collector: Collector, seller: str) -> None:
    """No consent, a refusal, a signal, a product that nobody listed: no row, and the reason."""
    refused, signal = "statistics_consent=refused", {"Sec-GPC": "1"}
    path = f"p=/p/{seller}"
    assert (
        count(collector, path, cookie="").status,
        count(collector, path, cookie="").counted,
    ) == (
        202,
        "no-consent",
    )
    assert count(collector, path, cookie=refused).counted == "refused"
    assert count(collector, path, **signal).counted == "gpc"
    assert count(collector, f"p=/shops/{seller}/unknown").counted == "bad-signature"
    dropped = event(collector, u=f"{SHOP}/p/{seller}", cookie=refused)
    assert (dropped.status, dropped.headers["x-plausible-dropped"]) == (202, "1")
    assert dropped.counted == "refused"
    assert collector.summary(seller) == (0, 0)


def test_pages_that_show_no_product_are_left_out(collector: Collector, seller: str) -> None:
    """The shop's script runs on every page; only products are anybody's business."""
    assert count(collector, "p=/about").status == 202
    assert count(collector, f"p=/p/{seller}&e=true").status == 202
    answer = event(collector, u=f"{SHOP}/about")
    assert (answer.status, answer.headers["x-plausible-dropped"]) == (202, "1")
    assert event(collector, n="Signup", u=f"{SHOP}/p/{seller}").status == 202
    assert collector.summary(seller) == (0, 0)


def test_bad_messages_are_told_as_their_clients_tell_them(collector: Collector) -> None:
    """400 with a reason: in GoatCounter's header beside the image, in Plausible's errors."""
    answer = count(collector, "t=x")
    assert (answer.status, answer.headers["x-goatcounter"]) == (
        400,
        "p: missing; it is the page's path",
    )
    assert len(answer.content) == PIXEL_BYTES
    answer = event(collector)
    assert (answer.status, answer.json) == (400, {"errors": {"url": ["missing"]}})


@pytest.mark.parametrize(
    "fields",
    [
        {"u": f"{SHOP}/p/\ud800"},
        {"u": f"{SHOP}/about", "p": {"product": "\ud800"}},
        {"u": f"{SHOP}/about", "p": {"product": "x" * 129}},
        {"u": "http://[", "p": {"product": "x"}},
    ],
)
def test_what_can_name_no_product_is_none(collector: Collector, fields: dict[str, Any]) -> None:
    """Half a character, too many of them, or an address that is none: left out, and no error."""
    answer = event(collector, **fields)
    assert (answer.status, answer.counted) == (202, "bad-signature")


def test_only_listed_origins_may_send_cookies(collector: Collector, seller: str) -> None:
    """Their own servers answer every origin with a star; with consent in a cookie, we can't."""
    path = f"p=/p/{seller}"
    allowed = count(collector, path, Origin=SHOP).headers
    assert allowed["access-control-allow-origin"] == SHOP
    assert allowed["access-control-allow-credentials"] == "true"
    assert allowed["cross-origin-resource-policy"] == "cross-origin"
    other = count(collector, path, Origin="https://other.example").headers
    assert "access-control-allow-origin" not in other


def test_the_paths_are_off_unless_a_pattern_is_set(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Without COMPATIBLE_PATHS neither path exists."""
    with running(tmp_path_factory.mktemp("off"), "beacons") as plain:
        assert count(plain, "p=/p/1").status == 404
        assert event(plain, u="/p/1").status == 404
