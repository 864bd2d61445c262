"""`collector check URL` against a real shop: everything right, then one thing wrong at a time."""

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from collector import keys
from collector.check import fetching
from collector.check.case import Expected, Finding
from collector.check.fetching import Fetched
from collector.check.verdicts import check, report
from tests.browser.running import Shop, html, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WWW, STATS, ELSEWHERE = "www.shop.localhost", "stats.shop.localhost", "elsewhere.localhost"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that the collector listens to on its own host, and on www."""
    origin = "http://www.shop.localhost:{port}"
    with running(tmp_path_factory.mktemp("check"), ORIGINS=origin) as started:
        yield started


@pytest.fixture
def seller() -> str:
    """A seller of the test's own."""
    return f"seller-{secrets.token_hex(4)}"


def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
    """Fetch from whatever host below localhost: not every machine's resolver knows them."""
    parts = urlsplit(url)
    local = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
    answer = fetching.fetch(method, local, {**headers, "Host": parts.netloc}, body)
    return Fetched(url, answer.status, answer.headers, answer.body)


def findings(shop: Shop, url: str, **expected: str) -> dict[str, Finding]:
    """Check a page with this shop's key."""
    key = keys.derive(shop.secret, "page-tag")
    found = check(url, Expected((key,), **expected), fetch=fetch)
    return {each.name: each for each in found}


def missed(found: dict[str, Finding]) -> dict[str, str]:
    """Return what was missed, and what is said about it."""
    return {name: each.says for name, each in found.items() if each.ok is False}


def test_a_page_that_counts_has_every_tick_and_is_not_counted(shop: Shop, seller: str) -> None:
    """All ten conditions hold; the test beacon leaves the seller's number alone."""
    found = findings(shop, shop.add("/p/1", shop.script(seller, "p")))
    assert [(each.name, each.ok) for each in found.values()] == [
        ("page", True),
        ("snippet", True),
        ("signature", True),
        ("script", True),
        ("consent cookie", True),
        ("content security policy", True),
        ("CORS", True),
        ("proxy", True),
        ("clock", True),
        ("test beacon", True),
    ]
    assert [each.counted for each in shop.beacons_seen(seller)] == ["own"]
    assert shop.views(seller) == 0


@pytest.mark.parametrize(
    ("head", "name", "says"),
    [
        ("", "snippet", "`collector snippet SELLER PRODUCT`"),
        ('<script src="/stats/beacon.js"></script>', "snippet", "without seller, product"),
        ("{script}{script}", "snippet", "a visit counts twice"),
        ("{script}<noscript>{pixel}</noscript>", "snippet", "Turbo loads for everybody"),
    ],
)
def test_a_snippet_pasted_wrongly_is_named(
    shop: Shop, seller: str, head: str, name: str, says: str
) -> None:
    """Forgotten, without its attributes, pasted twice, or with the pixel in <noscript>."""
    text = head.format(script=shop.script(seller, "p"), pixel=shop.pixel(seller, "p"))
    assert says in missed(findings(shop, shop.add("/p/2", text)))[name]


def test_a_wrong_signature_is_named(shop: Shop, seller: str) -> None:
    """The template signs another product, or with another key."""
    tag = shop.script(seller, "p").replace(shop.signature(seller, "p"), "A" * 22)
    lost = missed(findings(shop, shop.add("/p/3", tag)))
    assert "`collector key page-tag`" in lost["signature"]
    assert "X-Counted: bad-signature" in lost["test beacon"]


def test_a_script_that_does_not_come_is_named(shop: Shop, seller: str) -> None:
    """Nobody listens where the snippet points, or something else answers there, or the address
    in the snippet is none."""
    tag = shop.script(seller, "p")
    own = shop.url("")
    for number, (base, name, says) in enumerate(
        (
            ("http://127.0.0.1:1", "script", "look at COLLECTOR_BEACONS_URL and the proxy"),
            (f"{own}/elsewhere", "script", "let the proxy pass it on"),
            ("http://[", "snippet", "no src that a browser could fetch"),
        )
    ):
        address = shop.add(f"/p/3{number}", re.sub(r'src="[^"]*/', f'src="{base}/', tag))
        lost = missed(findings(shop, address))
        assert says in lost[name]
        assert "test beacon" in lost


def test_a_policy_that_blocks_is_named_with_what_to_add(shop: Shop, seller: str) -> None:
    """By header or by <meta>; a script that may load may still not send."""
    address = shop.add("/p/4", shop.script(seller, "p"))
    policy = f"script-src {shop.url('')}; connect-src 'none'"
    shop.headers["/p/4"] = {"Content-Security-Policy": policy}
    says = missed(findings(shop, address))["content security policy"]
    assert says == f"add {shop.url('')} to connect-src"


def test_an_origin_that_is_not_listed_is_named(shop: Shop, seller: str) -> None:
    """On www, which is listed, CORS is right; elsewhere the setting is named that cures it."""
    shop.pages["/p/5"] = html(shop.script(seller, "p", STATS), "")
    assert findings(shop, shop.url("/p/5", WWW))["CORS"].ok
    says = missed(findings(shop, shop.url("/p/5", ELSEWHERE)))["CORS"]
    assert says == f"add {shop.url('', ELSEWHERE)} to COLLECTOR_ORIGINS"


def test_a_consent_cookie_that_cannot_be_seen_is_named(shop: Shop, seller: str) -> None:
    """A sibling needs a cookie for both hosts; another site never sees a manager's cookie."""
    shop.pages["/p/6"] = html(shop.script(seller, "p", STATS), "")
    sibling, other = shop.url("/p/6", WWW), shop.url("/p/6", ELSEWHERE)
    lost = missed(findings(shop, sibling))
    assert lost["consent cookie"] == "set COLLECTOR_CONSENT_COOKIE_DOMAIN=shop.localhost"
    assert findings(shop, sibling, consent_cookie_domain="shop.localhost")["consent cookie"].ok
    assert findings(shop, sibling, consent_format="onetrust")["consent cookie"].ok is None
    lost = missed(findings(shop, other, consent_format="onetrust"))
    assert "where the consent manager's cookie never comes" in lost["consent cookie"]
    assert "COLLECTOR_CONSENT_ settings" in lost["test beacon"]


def test_a_clock_that_is_wrong_is_named(shop: Shop, seller: str) -> None:
    """Two minutes apart: days would end at another time than the shop's."""
    key = keys.derive(shop.secret, "page-tag")
    address = shop.add("/p/7", shop.script(seller, "p"))
    found = check(address, Expected((key,)), fetch=fetch, now=lambda: time.time() + 120)
    clock = next(each for each in found if each.name == "clock")
    assert clock.ok is False
    assert "let NTP set both" in clock.says


def test_a_proxy_that_is_not_trusted_is_named(
    tmp_path_factory: pytest.TempPathFactory, seller: str
) -> None:
    """The proxy's network is not listed: everybody behind it would be one visitor."""
    settings = {"TRUSTED_PROXIES": "192.0.2.0/24"}
    with running(tmp_path_factory.mktemp("proxy"), **settings) as shop:
        lost = missed(findings(shop, shop.add("/p/1", shop.script(seller, "p"))))
    assert "COLLECTOR_TRUSTED_PROXIES" in lost["proxy"]


def test_a_page_that_does_not_answer_is_all_that_is_said(shop: Shop) -> None:
    """Wrong path, nobody listening, no URL at all."""
    for url, says in (
        (shop.url("/nowhere", "127.0.0.1"), "answered 404"),
        ("http://127.0.0.1:1/", "is the address right?"),
        ("ftp://shop.example/", "must begin with http"),
    ):
        found = check(url, Expected(()))
        assert [(each.name, each.ok) for each in found] == [("page", False)]
        assert says in found[0].says


def test_the_command_prints_a_line_each_and_fails_on_a_miss(shop: Shop, seller: str) -> None:
    """For a deployment's script: exit status 1, and the marks in front."""
    shop.pages["/p/8"] = html(shop.script(seller, "p", "127.0.0.1"), "")
    shop.pages["/p/9"] = html("", "")
    for path, status, line in (
        ("/p/8", 0, "ok    test beacon: went all the way"),
        ("/p/9", 1, "MISS  snippet: no script"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "collector", "check", shop.url(path, "127.0.0.1")],
            env={"COLLECTOR_SECRET": shop.secret.decode(), "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (status, "")
        assert line in done.stdout
    assert report([Finding("clock", None, "?")]).startswith("?     clock")
