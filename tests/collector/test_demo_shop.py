"""The demo shop's server side, asked without a browser: what it computes, and what it refuses."""

import asyncio
import os
from pathlib import Path

import pytest

from collector.beacons import ASGIApp
from collector.demo.asgi import Answer, call, running
from collector.demo.goods import PRODUCTS
from collector.demo.serve import application
from collector.demo.start import prepare
from collector.serve_beacons import Worker, World
from collector.settings import Settings

AGENT = (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
GRANTED = (b"cookie", b"statistics_consent=granted")
OWN = (b"origin", b"http://127.0.0.1:8000")
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def demo_settings(directory: Path) -> Settings:
    """Return the demo's settings in an environment that has no others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("COLLECTOR_")]:
            patch.delenv(name)
        environment = {"COLLECTOR_DATA_DIR": str(directory)}
        prepare(environment)
        for name, value in environment.items():
            patch.setenv(name, value)
        return Settings()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A demo of the test's own."""
    return demo_settings(tmp_path / "demo")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    """One shop for all tests that leave nothing behind in it."""
    settings = demo_settings(tmp_path_factory.mktemp("demo"))
    return application(settings, Worker(settings, World()))


def ask(
    shop: ASGIApp, method: str, path: str, *headers: tuple[bytes, bytes], body: bytes = b""
) -> Answer:
    """Send one request to a process that has not begun to tend its salts."""
    client = ("198.51.100.7", 443)
    return asyncio.run(call(shop, method, path, headers=headers, body=body, client=client))


@pytest.mark.parametrize(
    ("headers", "because"),
    [
        ((AGENT,), "You have not chosen yet"),
        ((AGENT, (b"cookie", b"statistics_consent=refused")), "You said no"),
        ((AGENT, GRANTED, (b"sec-gpc", b"1")), "(GPC)"),
        ((AGENT, GRANTED, (b"dnt", b"1")), "(DNT)"),
        ((AGENT, GRANTED, (b"cookie", b"statistics_consent=refused")), "You said no"),
    ],
)
def test_without_consent_the_kept_page_computes_nothing(
    settings: Settings, headers: tuple[tuple[bytes, bytes], ...], because: str
) -> None:
    """A pseudonym takes the day's salt; after such a visit there is still none. The same request
    with consent makes one, so its absence means something."""
    shop = application(settings, Worker(settings, World()))
    answer = ask(shop, "GET", "/demo/kept", *headers)
    assert b"Nothing." in answer.body
    assert because.encode() in answer.body
    assert not settings.salts.exists()
    answer = ask(shop, "GET", "/demo/kept", AGENT, GRANTED)
    assert b"Nothing yet." in answer.body
    assert len(list(settings.salts.iterdir())) == 1


def test_the_kept_page_shows_this_visitors_rows_and_nobody_elses(settings: Settings) -> None:
    """Two visitors look at the same bowl; each finds one row, with a pseudonym of its own."""

    async def both() -> list[bytes]:
        worker = Worker(settings, World())
        shop = application(settings, worker)
        found = []
        async with running(shop):
            for address in ("198.51.100.7", "198.51.100.8"):
                client = (address, 443)
                page = await call(shop, "GET", "/demo/p/klayfold/breakfast-bowl")
                sig = page.body.split(b'data-sig="')[1].split(b'"')[0]
                beacon = b'{"seller":"klayfold","product":"breakfast-bowl","sig":"%s"}' % sig
                headers = (AGENT, GRANTED)
                sent = await call(
                    shop, "POST", "/beacon", headers=headers, body=beacon, client=client
                )
                assert sent.header(b"x-counted") == b"yes"
                kept = await call(shop, "GET", "/demo/kept", headers=headers, client=client)
                found.append(kept.body)
        return found

    first, second = asyncio.run(both())
    visitors = []
    for page in (first, second):
        assert page.count(b'data-column="visitor"') == 1
        visitors.append(page.split(b'data-column="visitor">')[1].split(b"<")[0])
    assert visitors[0] != visitors[1]


def test_every_product_has_a_page_a_picture_and_a_signature(shop: ASGIApp) -> None:
    """A dozen products of three sellers; each page carries the snippet for its own."""
    assert len(PRODUCTS) == 12
    assert len({product.seller for product in PRODUCTS}) == 3
    for product in PRODUCTS:
        page = ask(shop, "GET", f"/demo/{product.path}").body.decode()
        assert f'data-seller="{product.seller.id}" data-product="{product.id}"' in page
        picture = ask(shop, "GET", f"/demo/static/art/{product.id}.svg")
        assert (picture.status, picture.header(b"content-type")) == (200, b"image/svg+xml")


def test_every_page_says_that_nothing_comes_from_elsewhere(shop: ASGIApp) -> None:
    """The policy names this origin, and the sellers' door for the one form that leaves it."""
    for path in ("/demo/", "/demo/cart", "/demo/sellers", "/demo/kept", "/demo/nowhere"):
        policy = ask(shop, "GET", path).header(b"content-security-policy").decode()
        assert "default-src 'none'" in policy
        assert "form-action 'self' http://127.0.0.1:8001;" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/demo", b"", 308),
        ("GET", "/demo/p/klayfold/linen-apron", b"", 404),
        ("GET", "/demo/static/../shop.py", b"", 404),
        ("GET", "/demo/static/art/none.svg", b"", 404),
        ("GET", "/demonstration", b"", 404),
        ("POST", "/demo/sign-in", b"who=nobody", 404),
        ("POST", "/demo/sign-in", b"who=" + b"x" * 2000, 413),
        ("POST", "/demo/sign-in", b"\xff", 400),
        ("POST", "/demo/cart", b"seller=klayfold&product=none", 404),
        ("POST", "/demo/cart/country", b"country=Atlantis", 400),
    ],
)
def test_what_the_shop_does_not_know_it_refuses(
    shop: ASGIApp, method: str, path: str, body: bytes, status: int
) -> None:
    """Wrong paths, names and forms get an error, and no cookie."""
    answer = ask(shop, method, path, FORM, OWN, body=body)
    assert answer.status == status
    assert answer.header(b"set-cookie") == b""


def test_another_sites_page_cannot_choose_the_country(shop: ASGIApp) -> None:
    """The form without JavaScript asks the same door, which looks at the same Origin."""
    elsewhere = (b"origin", b"http://elsewhere.example")
    refused = ask(shop, "POST", "/demo/cart/country", FORM, elsewhere, body=b"country=DE")
    assert (refused.status, refused.header(b"set-cookie")) == (403, b"")
    chosen = ask(shop, "POST", "/demo/cart/country", FORM, OWN, body=b"country=DE")
    assert chosen.header(b"set-cookie").startswith(b"tax_country=DE")


def test_the_demo_leaves_out_of_the_environment_what_would_make_it_real() -> None:
    """Secret, salts and engine of a real installation never reach the demo; where it listens and
    what day it is are as anywhere."""
    environment = {
        "COLLECTOR_SECRET": "s" * 64,
        "COLLECTOR_SECRET_FILE": "/run/secret",
        "COLLECTOR_SALT_DIR": "/run/salts",
        "COLLECTOR_CLICKHOUSE_DSN": "clickhouse://real",
        "COLLECTOR_CONSENT_FORMAT": "cookiebot",
        "COLLECTOR_TIMEZONE": "Europe/Athens",
        "COLLECTOR_TODAY_STEP_MINUTES": "5",
        "PATH": "/bin",
    }
    prepare(environment)
    assert environment["PATH"] == "/bin"
    own = {name: value for name, value in environment.items() if name.startswith("COLLECTOR_")}
    assert not {"SECRET", "SECRET_FILE", "SALT_DIR", "CLICKHOUSE_DSN", "CONSENT_FORMAT"} & {
        name.removeprefix("COLLECTOR_") for name in own
    }
    assert own["COLLECTOR_TIMEZONE"] == "Europe/Athens"
    assert own["COLLECTOR_TODAY_STEP_MINUTES"] == "5"
    assert own["COLLECTOR_DATA_DIR"] == "demo-data"
