"""What `collector check` makes of a page's HTML and of its policies, before it asks anybody."""

import pytest

from collector.check.fetching import Fetched
from collector.check.page import Snippet, read_page
from collector.check.policy import allows, policies
from collector.check.sample import consent_header
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


@pytest.mark.parametrize(
    "src",
    ["http://[/beacon.js", "http://x:99999/beacon.js", "data:,beacon.js", "http:///beacon.js"],
)
def test_an_address_that_is_none_is_no_crash(src: str) -> None:
    """A template's mistakes are what the command is for; beside them others are still found."""
    html = f'<base href="http://["><script src="{src}" data-sig="s"></script><img src="{src}">'
    (snippet,) = read_page(html, PAGE).snippets
    assert (snippet.url, snippet.signature) == ("", "s")


@pytest.mark.parametrize("source", ["http://[", "//[", "https://x:y", "'nonce-", ";"])
def test_a_damaged_policy_lets_nothing_through(source: str) -> None:
    """A browser passes over the source that it can't read, and then nothing is left."""
    assert not allows(policies([f"script-src {source}"]), "script-src", SCRIPT, PAGE)


@pytest.mark.parametrize(
    ("kind", "head", "charset"),
    [
        ("text/html; charset=ISO-8859-1", "", "latin-1"),
        ("text/html", '<meta charset="windows-1252">', "windows-1252"),
        ("text/html; charset=nowhere", "", "utf-8"),
        ("text/html", "", "utf-8"),
    ],
)
def test_a_page_is_read_by_its_charset(kind: str, head: str, charset: str) -> None:
    """A seller's accent read wrongly would be blamed on the signature."""
    page = f'{head}<script src="/beacon.js" data-seller="Café" data-sig="s"></script>'
    answer = Fetched(PAGE, 200, (("Content-Type", kind),), page.encode(charset))
    assert read_page(answer.text, PAGE).snippets[0].seller == "Café"


@pytest.mark.parametrize("format", list(Format))
def test_the_test_beacon_consents_as_each_manager_would(format: Format) -> None:
    """Otherwise the check would blame a proxy for what it did itself."""
    cookie, category = ("ok", "yes|no") if format is Format.PLAIN else ("", "")
    header = consent_header(format, cookie, category)
    assert consent_reader(format, cookie, category)(header.encode()) is Choice.GRANTED
