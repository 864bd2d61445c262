"""The buyer's own browser: the address gives a default, the choice always beats it."""

import pytest

from tests.geoip.running import Server, served

ATHENS = "147.102.1.1"
SHOP = "https://shop.example"


def own(server: Server) -> str:
    """Return the origin that the server's own pages have."""
    return str(server.http.base_url).rstrip("/")


def test_the_address_decides_until_the_buyer_chooses(server: Server) -> None:
    """A first visit: Greece by the address, an estimate, and no cookie is set. The buyer says
    Germany; a year-long cookie holds two letters; from then on Germany is the answer, whatever
    the address. The buyer takes it back, and the address decides again."""
    browser = {"x-forwarded-for": ATHENS, "origin": own(server)}
    first = server.http.get("/location", headers=browser)
    assert first.json()["country"] == "GR"
    assert (first.json()["basis"], first.json()["estimate"]) == ("address", True)
    assert "set-cookie" not in first.headers

    chosen = server.http.put("/location", json={"country": "DE"}, headers=browser)
    assert (chosen.json()["country"], chosen.json()["basis"]) == ("DE", "chosen")
    cookie = chosen.headers["set-cookie"]
    assert cookie == "tax_country=DE; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"

    again = server.http.get("/location", headers={"x-forwarded-for": ATHENS})
    assert (again.json()["country"], again.json()["basis"]) == ("DE", "chosen")
    assert again.json()["estimate"] is False

    forgotten = server.http.delete("/location", headers=browser)
    assert (forgotten.json()["country"], forgotten.json()["basis"]) == ("GR", "address")
    assert "Max-Age=0" in forgotten.headers["set-cookie"]
    assert "tax_country" not in server.http.cookies
    assert server.http.get("/location", headers=browser).json()["basis"] == "address"


def test_it_works_without_consent_for_statistics(server: Server) -> None:
    """It isn't statistics: a refusal, GPC and DNT change nothing, and no cookie is set."""
    headers = {"x-forwarded-for": ATHENS, "cookie": "statistics_consent=refused", "sec-gpc": "1",
               "dnt": "1"}  # fmt: skip
    answer = server.http.get("/location", headers=headers)
    assert answer.json()["country"] == "GR"
    assert "set-cookie" not in answer.headers


def test_the_browser_gets_the_same_shape_without_the_evidence(server: Server) -> None:
    """Standing, zone and name for the cart; what is for the marketplace's files stays out."""
    browser = server.http.get("/location", headers={"x-forwarded-for": ATHENS}).json()
    full = server.ask(ip=ATHENS)
    assert full.keys() - browser.keys() == {"database", "evidence"}
    assert {key: full[key] for key in browser} == browser


def test_a_private_or_unknown_browser_address_is_no_error(server: Server) -> None:
    """In a test shop on one machine every buyer comes from loopback."""
    answer = server.http.get("/location").json()
    assert (answer["country"], answer["basis"], answer["shipping_zone"]) == (None, "none", None)


def test_head_is_get_without_its_body(server: Server) -> None:
    """Monitors ask with HEAD."""
    head = server.http.head("/location", headers={"x-forwarded-for": ATHENS})
    get = server.http.get("/location", headers={"x-forwarded-for": ATHENS})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_can_not_choose_for_the_buyer(
    server: Server, method: str, origin: str | None
) -> None:
    """A sibling's or a stranger's page could set a country with lower tax; writing needs our own
    Origin or one of ORIGINS, and sets no cookie otherwise."""
    headers = {} if origin is None else {"origin": origin}
    answer = server.http.request(method, "/location", json={"country": "DE"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "Origin")
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


def test_an_origin_of_ours_may_write_and_read_with_the_cookie(server: Server) -> None:
    """A shop on another origin, named in ORIGINS: preflight, PUT and GET carry what a browser
    needs to see before it hands the answer over."""
    preflight = server.http.options(
        "/location", headers={"origin": SHOP, "access-control-request-method": "PUT"}
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, PUT, DELETE"
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    put = server.http.put("/location", json={"country": "DE"}, headers={"origin": SHOP})
    get = server.http.get("/location", headers={"origin": SHOP})
    bad = server.http.put("/location", json={"country": "EL"}, headers={"origin": SHOP})
    for answer in (preflight, put, get, bad):
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-allow-credentials"] == "true"
    assert "DE" in put.headers["set-cookie"]
    assert bad.json()["error"]["field"] == "country"
    server.http.cookies.clear()


def test_a_stranger_is_told_nothing_by_preflight(server: Server) -> None:
    """Without the headers a browser keeps the answer from the page."""
    for method in ("OPTIONS", "GET"):
        answer = server.http.request(
            method, "/location", headers={"origin": "https://evil.example"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("cookie", "country"),
    [
        ("tax_country=DE", "DE"),
        ('tax_country="DE"', "DE"),
        ('consent={"a":1,"b":"x"}; tax_country=DE', "DE"),
        ("tax_country=DE; tax_country=DE", "DE"),
        ("tax_country=DE; tax_country=FR", "GR"),
        ("tax_country=EL", "GR"),
        ("tax_country=de", "GR"),
        ("tax_country=", "GR"),
        ("tax_country", "GR"),
        ("my_tax_country=DE", "GR"),
        ("tax_country=DE\xff", "GR"),
    ],
)
def test_the_cookie_is_read_strictly(server: Server, cookie: str, country: str) -> None:
    """A raw-JSON cookie in front loses nothing; two that disagree, or something that is no
    country, are no choice, and the address decides."""
    headers = [(b"cookie", cookie.encode("latin-1")), (b"x-forwarded-for", ATHENS.encode())]
    answer = server.http.get("/location", headers=headers)
    assert answer.json()["country"] == country


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"country": null}', b'{"country": "UK"}', b'{"country": 1}',
     b'{"country": "DE", "ip": "81.82.83.84"}', b'{"land": "DE"}'],
)  # fmt: skip
def test_a_bad_choice_is_refused_and_sets_nothing(server: Server, body: bytes) -> None:
    """The error names the field and quotes nothing."""
    answer = server.http.put("/location", content=body, headers={"origin": own(server)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert "set-cookie" not in answer.headers
    assert "81.82" not in answer.text


def test_small_letters_are_a_country_too(server: Server) -> None:
    """A select box with `de` is no mistake worth an error."""
    answer = server.http.put("/location", json={"country": "de"}, headers={"origin": own(server)})
    assert answer.json()["country"] == "DE"
    server.http.cookies.clear()


def test_behind_https_the_cookie_is_secure_and_the_public_origin_is_ours() -> None:
    """A proxy ends TLS and rewrites Host: the configured address is what browsers see."""
    with served(url="https://stats.example/ignored") as server:
        origin = {"origin": "https://stats.example"}
        answer = server.http.put("/location", json={"country": "DE"}, headers=origin)
        assert answer.headers["set-cookie"].endswith("; Secure")


def test_two_origins_are_no_origin(server: Server) -> None:
    """Which of two headers a server reads is a way around a rule."""
    headers = [("origin", own(server)), ("origin", "https://evil.example")]
    answer = server.http.put("/location", json={"country": "DE"}, headers=headers)
    assert answer.status_code == 403
