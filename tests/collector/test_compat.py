"""GoatCounter's and Plausible's scripts as they are: what their messages become."""

import json
from pathlib import Path

import pytest

from collector.compat.dialects import (
    BadPattern,
    BadVisit,
    Visit,
    patterns,
    read_goatcounter,
    read_plausible,
    to_beacon,
)
from collector.compat.listed import ListedProducts
from dashboards.catalogue import Catalogue, Listing


@pytest.mark.parametrize(
    ("text", "address", "pair"),
    [
        ("/p/{product}", "/p/lamp", (None, "lamp")),
        ("/p/{product}", "/p/lamp/?colour=red", (None, "lamp")),
        ("/p/{product}", "https://shop.example/p/lamp#reviews", (None, "lamp")),
        ("/p/{product}", "/p/caf%C3%A9%20noir", (None, "café noir")),
        ("/p/{product}.html", "/p/lamp.html", (None, "lamp")),
        ("/{seller}/items/{product}", "/anna/items/lamp", ("anna", "lamp")),
        ("/other/{product}, /p/{product}", "/p/lamp", (None, "lamp")),
        ("https://shop.example/p/{product}", "https://shop.example/p/lamp", (None, "lamp")),
        ("https://shop.example/p/{product}", "https://evil.example/p/lamp", None),
        ("https://shop.example/p/{product}", "/p/lamp", None),
        ("/p/{product}", "/p/", None),
        ("/p/{product}", "/p/lamp/reviews", None),
        ("/p/{product}", "/", None),
        ("/p/{product}", "/p/%FF", None),
        ("/p/{product}", "http://[half/p/lamp", None),
        ("/a.c/{product}", "/abc/lamp", None),
    ],
)
def test_a_pattern_says_where_seller_and_product_stand(
    text: str, address: str, pair: tuple[str | None, str] | None
) -> None:
    """The operator writes it as the shop's addresses look; nothing in it is an expression."""
    found = [match for each in patterns(text) if (match := each.match(address))]
    assert found == ([pair] if pair else [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p/{product}", "must be a path or URL"),
        ("/p?id={product}", "must be a path or URL"),
        ("/p/{id}", "must hold {product} once"),
        ("/{product}/{product}", "must hold {product} once"),
        ("/{seller}{product}", "with something between them"),
        ("/{shop}/{product}", "only {seller} and {product} are known"),
        (",".join(["/p/{product}"] * 21), "at most 20 patterns"),
    ],
)
def test_a_pattern_that_cannot_work_says_so(text: str, message: str) -> None:
    """One sentence at the start; no pattern at all means that the paths are off."""
    with pytest.raises(BadPattern, match=message):
        patterns(text)
    assert patterns("") == ()


def test_goatcounters_query_is_read() -> None:
    """p, r and q as count.js sends them; its screen size, title and random number aren't read."""
    query = "p=%2Fp%2Flamp%3Fc%3D1&t=Lamp&s=1920%2C1080%2C2&b=0&r=https%3A%2F%2Fx.example&rnd=a1"
    assert read_goatcounter(query + "&q=%3Futm_source%3Dnews") == Visit(
        "/p/lamp?c=1", referrer="https://x.example", query="?utm_source=news"
    )
    assert read_goatcounter("p=click&e=true") is None
    assert read_goatcounter("p=%2Fp%2Flamp&b=150") is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "p"),
        ("t=x", "p"),
        ("p=%FF", "query"),
        ("p=/" + "x" * 4096, "p"),
        ("a=1&" * 40, "query"),
    ],
)
def test_a_damaged_query_names_its_field(query: str, field: str) -> None:
    """GoatCounter's script ignores it; whoever reads the header learns what is wrong."""
    with pytest.raises(BadVisit) as error:
        read_goatcounter(query)
    assert error.value.field == field


def plausible(**fields: object) -> Visit | None:
    """Read an event as the tracker writes it."""
    known = {"n": "pageview", "v": 36, "u": "https://s.example/p/lamp", "d": "s.example", "r": None}
    return read_plausible(json.dumps(known | fields).encode())


def test_plausibles_events_are_read() -> None:
    """Short and long keys; a view, and the time engaged as seconds of ours; no other event."""
    address = "https://s.example/p/lamp"
    assert plausible() == Visit(address)
    assert plausible(u=f"{address}?utm_source=a#x") == Visit(
        f"{address}?utm_source=a#x", query="utm_source=a"
    )
    assert plausible(p={"product": "chair"}, r="https://x.example/") == Visit(
        address, "chair", "https://x.example/"
    )
    assert plausible(p='{"product":"chair"}') == Visit(address, "chair")
    assert plausible(n="engagement", sd=73, e=4200) == Visit(address, seconds=4)
    assert plausible(n="engagement", e=10**9) == Visit(address, seconds=1800)
    assert plausible(n="engagement", e=300) is None
    assert plausible(n="engagement", e="long") is None
    assert plausible(n="engagement", e=10**400) == Visit(address, seconds=1800)
    assert plausible(n="engagement", e=float("inf")) == Visit(address, seconds=1800)
    assert plausible(n="engagement", e=float("nan")) is None
    assert plausible(n="Signup") is None
    long = {
        "name": "pageview",
        "url": address,
        "domain": "s.example",
        "referrer": "https://x.example",
    }
    assert read_plausible(json.dumps(long).encode()) == Visit(address, referrer="https://x.example")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b"[" * 8000, "body"),
        (b'{"n":"pageview"}' + b" " * 8192, "body"),
        (b'{"u":"https://s.example/"}', "event_name"),
        (b'{"n":"pageview"}', "url"),
        (b'{"n":"pageview","u":1}', "url"),
        (b'{"n":"pageview","u":"/","r":[]}', "referrer"),
    ],
)
def test_a_damaged_event_names_its_field(body: bytes, field: str) -> None:
    """As Plausible would: the field, and what is wrong with it."""
    with pytest.raises(BadVisit) as error:
        read_plausible(body)
    assert error.value.field == field


def test_only_a_listed_pair_is_signed(tmp_path: Path) -> None:
    """Anybody may post any address: what isn't in the catalogue stays unsigned and makes no row;
    a product that two sellers have needs the seller in its address."""
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    catalogue.put(
        [Listing("anna", "lamp", ""), Listing("anna", "chair", ""), Listing("ben", "chair", "")]
    )
    listed = ListedProducts(tmp_path / "catalogue.sqlite")

    def signed(address: str, product: str = "") -> tuple[str, str, str] | None:
        beacon = to_beacon(
            Visit(address, product, "https://x.example", "utm_source=a", 7),
            {b"cookie": b"statistics_consent=granted"},
            known=patterns("/p/{product},/s/{seller}/{product}"),
            listed=listed,
            sign=lambda seller, product: f"{seller}+{product}",
        )
        if beacon is None:
            return None
        assert (beacon.referrer, beacon.url, beacon.seconds) == (
            "https://x.example",
            "?utm_source=a",
            7,
        )
        assert beacon.cookies == b"statistics_consent=granted"
        return beacon.seller, beacon.product, beacon.signature

    assert signed("/p/lamp") == ("anna", "lamp", "anna+lamp")
    assert signed("/s/ben/chair") == ("ben", "chair", "ben+chair")
    assert signed("/s/ben/lamp") == ("", "", "")
    assert signed("/p/chair") == ("", "", "")
    assert signed("/p/table") == ("", "", "")
    assert signed("/about") is None
    assert signed("/about", "lamp") == ("anna", "lamp", "anna+lamp")


def test_the_catalogue_is_looked_up_again_after_a_minute(tmp_path: Path) -> None:
    """No catalogue: nothing is listed. A product that is added, or goes, is seen soon."""
    now = [0.0]
    listed = ListedProducts(tmp_path / "catalogue.sqlite", lambda: now[0])
    assert listed(None, "lamp") is None
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    catalogue.put([Listing("anna", "lamp", "")])
    assert listed(None, "lamp") == ("anna", "lamp")
    catalogue.forget("anna")
    assert listed(None, "lamp") == ("anna", "lamp")
    now[0] = 61.0
    assert listed(None, "lamp") is None
