"""POST /location: an address in the body becomes a country, or honestly none."""

import httpx2
import pytest

from tests.geoip.running import TOKEN, Server

ATHENS = "147.102.1.1"  # the National Technical University's network
ZURICH = "129.132.1.1"
BERLIN_V6 = "2001:638::1"


def test_an_address_becomes_a_country(server: Server) -> None:
    """The bundled database knows a Greek university's network: the answer says the country, that
    it is a member of the Union, and that the address decided."""
    answer = server.ask(ip=ATHENS)
    assert (answer["country"], answer["name"]) == ("GR", "Greece")
    assert answer["eu_member"] is True
    assert (answer["basis"], answer["estimate"]) == ("address", True)


def test_greece_is_gr_as_a_country_and_el_for_vat(server: Server) -> None:
    """ISO says GR and the VAT directive says EL; mixing them up breaks invoices."""
    answer = server.ask(ip=ATHENS)
    assert (answer["country"], answer["vat"]["prefix"]) == ("GR", "EL")


def test_ipv6_is_looked_up_too(server: Server) -> None:
    """Half of the phones come by IPv6."""
    assert server.ask(ip=BERLIN_V6)["country"] == "DE"


def test_a_country_outside_the_union_is_no_member(server: Server) -> None:
    """Switzerland is in nobody's list of members, and the database's own flag is not read."""
    answer = server.ask(ip=ZURICH)
    assert (answer["country"], answer["eu_member"]) == ("CH", False)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "192.168.7.7", "172.16.9.9", "100.64.1.1", "127.0.0.1", "169.254.1.1",
        "192.0.2.7", "198.51.100.7", "203.0.113.7", "224.0.0.251", "240.0.0.1", "0.0.0.0",
        "255.255.255.255", "::", "::1", "::8.8.8.8", "fe80::1", "fd12:3456::1", "ff02::1",
        "2001:db8::1", "3fff::1", "64:ff9b:1::808:808", "100::1",
    ],
)  # fmt: skip
def test_an_address_that_nobody_owns_has_no_country(server: Server, address: str) -> None:
    """Private, reserved and documentation addresses are a question like any other; the answer is
    that there is no country. The bundled database says Japan for 2001:db8::/32 and the United
    States for ::8.8.8.8, so we do not even ask it."""
    answer = server.ask(ip=address)
    assert (answer["country"], answer["name"], answer["basis"]) == (None, None, "none")
    assert answer["eu_member"] is None
    assert answer["estimate"] is False


@pytest.mark.parametrize(
    "address",
    ["", "here", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "2001:db8::1::2", "1.2.3.4/8",
     " 1.2.3.4", "1.2.3.4%eth0", "[1.2.3.4]", "1.2.3.4:99999", "[2001:638::1]:", "x" * 200],
)  # fmt: skip
def test_a_malformed_address_is_refused_and_not_repeated(server: Server, address: str) -> None:
    """The error names the field and what would do, and holds nothing of what was sent."""
    response = server.post({"ip": address})
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("malformed", "ip")
    if len(address) > 2:
        assert address.strip() not in response.text
        assert address.strip() not in str(response.headers)


def test_a_number_is_not_an_address(server: Server) -> None:
    """Python would read 134744072 as 8.8.8.8; a caller who sends a number has a fault."""
    response = server.post({"ip": 134744072})
    assert response.status_code == 400
    assert "134744072" not in response.text


@pytest.mark.parametrize("header", [None, "Bearer bad", "good", ""])
def test_without_a_token_nothing_is_looked_up(server: Server, header: str | None) -> None:
    """The marketplace's door is not a public service."""
    headers = {} if header is None else {"authorization": header}
    response = server.http.post("/location", json={"ip": ATHENS}, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["field"] == "Authorization"
    assert response.headers["www-authenticate"] == "Bearer"
    assert "GR" not in response.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'"1.2.3.4"', "body"),
        (b"\xff\xfe\x00", "body"),
        (b"[" * 9000, "body"),
        (b"{}", "ip"),
        (b'{"ip": null}', "ip"),
        (b'{"ip": ["147.102.1.1"]}', "ip"),
        (b'{"ip": "147.102.1.1", "choosen": "GR"}', "body"),
        (b'{"147.102.1.1": "ip"}', "body"),
        (b'{"ip": "147.102.1.1", "chosen": "EL"}', "chosen"),
        (b'{"ip": "147.102.1.1", "chosen": "UK"}', "chosen"),
        (b'{"ip": "147.102.1.1", "chosen": "EU"}', "chosen"),
        (b'{"ip": "147.102.1.1", "chosen": 30}', "chosen"),
        (b'{"ip": "147.102.1.1", "lang": "tlh"}', "lang"),
        (b'{"ip": "147.102.1.1", "lang": 7}', "lang"),
    ],
)
def test_a_bad_body_is_refused_with_the_field_that_is_wrong(
    server: Server, body: bytes, field: str
) -> None:
    """Unknown fields are refused as well: a misspelt `chosen` would silently give another
    country. No error repeats a value or an unknown name."""
    response = server.http.post("/location", content=body, headers=TOKEN)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("malformed", field)
    assert error["message"].startswith(f"{field}: ")
    assert "147.102.1.1" not in response.text


def test_a_body_that_is_too_long_is_refused(server: Server) -> None:
    """A hundred lookups fit; more than that is cut off before it is read to its end."""
    response = server.http.post("/location", content=b" " * 20_000, headers=TOKEN)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too-large")


def test_an_address_in_the_url_is_refused(server: Server) -> None:
    """URLs end up in the logs of proxies; a caller who tries it learns it at the first call."""
    for response in (
        server.http.get("/location", params={"ip": ATHENS}),
        server.http.post("/location", params={"ip": ATHENS}, headers=TOKEN),
    ):
        assert (response.status_code, response.json()["error"]["field"]) == (400, "ip")
        assert ATHENS not in response.text


def test_no_answer_may_be_stored_on_the_way(server: Server) -> None:
    """Answers and errors alike differ by visitor; a shared cache would mix people up."""
    answers: list[httpx2.Response] = [
        server.post({"ip": ATHENS}),
        server.post({"ip": "x"}),
        server.http.get("/location"),
        server.http.post("/location", json={}),
        server.http.request("PATCH", "/location"),
    ]
    for response in answers:
        assert response.headers["cache-control"] == "no-store"
    assert set(answers[2].headers["vary"].split(", ")) == {"Accept-Language", "Cookie", "Origin"}
    assert [response.status_code for response in answers] == [200, 400, 200, 401, 405]
