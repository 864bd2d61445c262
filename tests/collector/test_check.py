"""What `collector check` makes of a page's HTML and of its policies, before it asks anybody."""

import pytest

from collector.check_beacon import consent_header
from collector.check_page import Snippet, read_page
from collector.check_policy import allows, policies
from collector.consent_cookies import consent_reader
from collector.consent_managers import Choice, Format

PAGE = "https://shop.example/p/1"
SCRIPT = "https://stats.shop.example/beacon.js"


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ([], True),
        (["default-src *"], True),
        (["default-src 'self'"], False),
        (["default-src 'none'; script-src https:"], True),
        (["script-src stats.shop.example"], True),
        (["script-src https://stats.shop.example/beacon.js"], True),
        (["script-src https://stats.shop.example/other/"], False),
        (["script-src *.shop.example"], True),
        (["script-src *.example.net"], False),
        (["script-src shop.example"], False),
        (["script-src stats.shop.example:8443"], False),
        (["script-src stats.shop.example:*"], True),
        (["script-src 'nonce-abc'"], True),
        (["script-src 'nonce-other'"], False),
        (["script-src 'strict-dynamic' https:"], False),
        (["script-src-elem 'self'; script-src *"], False),
        (["img-src 'none'"], True),
        (["script-src *", "script-src 'self'"], False),
        (["script-src *, script-src 'self'"], False),
        (["SCRIPT-SRC 'self'; script-src *"], False),
        (["script-src http://stats.shop.example"], True),
        ([""], True),
    ],
)
def test_a_policy_lets_through_what_a_browser_lets_through(headers: list[str], fits: bool) -> None:
    """All of a page's policies have to agree; the first directive of a name counts."""
    assert allows(policies(headers), "script-src", SCRIPT, PAGE, "abc") is fits


def test_self_is_the_pages_own_origin() -> None:
    """Another port is another origin; https instead of http is let through."""
    every = policies(["connect-src 'self'"])
    assert allows(every, "connect-src", "https://shop.example/stats/beacon", PAGE)
    assert allows(every, "connect-src", "https://shop.example/b", "http://shop.example/")
    assert not allows(every, "connect-src", "https://shop.example:8000/beacon", PAGE)
    assert not allows(every, "connect-src", "http://shop.example/beacon", PAGE)


def test_snippets_are_found_wherever_the_template_put_them() -> None:
    """Head or body, relative or absolute, below a <base>, with entities in their attributes."""
    html = """<!doctype html><head><base href="/shop/">
        <meta http-equiv="Content-Security-Policy" content="default-src 'self'">
        <script defer src="stats/beacon.js" nonce="n" data-seller="A &amp; B" data-product="1"
            data-sig="s"></script></head>
        <noscript><img src="/stats/pixel.gif?seller=a&amp;product=b&amp;sig=c" alt=""></noscript>
        <script src="other.js"></script><img src="/logo.gif">"""
    page = read_page(html, PAGE)
    assert page.policies == ("default-src 'self'",)
    base = "https://shop.example/stats"
    assert page.snippets == (
        Snippet(
            f"{base[:20]}/shop/stats/beacon.js", f"{base[:20]}/shop/stats", "A & B", "1", "s", "n"
        ),
        Snippet(
            f"{base}/pixel.gif?seller=a&product=b&sig=c",
            base,
            "a",
            "b",
            "c",
            is_pixel=True,
            in_noscript=True,
        ),
    )


@pytest.mark.parametrize("format", list(Format))
def test_the_test_beacon_consents_as_each_manager_would(format: Format) -> None:
    """Otherwise the check would blame a proxy for what it did itself."""
    cookie, category = ("ok", "yes|no") if format is Format.PLAIN else ("", "")
    header = consent_header(format, cookie, category)
    assert consent_reader(format, cookie, category)(header.encode()) is Choice.GRANTED
