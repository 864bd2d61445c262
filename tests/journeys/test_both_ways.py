"""Both ways of a request, express and by ASGI, lead to the same answer, byte for byte.

A path with an escape in it is the same path, and keeps a request from the express way; so does a
body that comes after its head.
"""

import json
import re
import socket
import time

import pytest

from tests.journeys import backend
from tests.journeys.asking import WAIT_SECONDS, raw
from tests.journeys.running import FIREFOX, GRANTED, Collector

pytestmark = pytest.mark.slow

SHOP = "https://shop.example"
STRANGER = "https://stranger.example"
SETTINGS = {"ORIGINS": SHOP, "VISITOR_VIEWS_MAX": "1000", "TRUSTED_PROXIES": "127.0.0.0/8"}
SELLER = "seller-of-both"
EVIDENCE_ID = re.compile(rb"[0-9a-f]{16}")
PAUSE_SECONDS = 0.2

VISITOR = f"User-Agent: {FIREFOX}\r\nX-Forwarded-For: 198.51.100.7\r\n"
CONSENT = f"{VISITOR}Cookie: {GRANTED}\r\n"
HEADERS = {
    "granted": CONSENT,
    "nothing": "",
    "undecided": VISITOR,
    "refused": f"{VISITOR}Cookie: statistics_consent=refused\r\n",
    "two cookie headers": f"{CONSENT}Cookie: statistics_consent=refused\r\n",
    "cookies of both": f"{VISITOR}Cookie: {GRANTED}\r\nCookie: tax_country=GR\r\n",
    "ours": f"{CONSENT}Origin: {SHOP}\r\n",
    "ours, undecided": f"{VISITOR}Origin: {SHOP}\r\n",
    "a stranger's": f"{CONSENT}Origin: {STRANGER}\r\n",
    "two origins": f"{CONSENT}Origin: {SHOP}\r\nOrigin: {STRANGER}\r\n",
    "gpc": f"{CONSENT}Sec-GPC: 1\r\n",
    "two forwarded": f"{CONSENT}X-Forwarded-For: 203.0.113.9\r\n",
    "no address": f"User-Agent: {FIREFOX}\r\nX-Forwarded-For: nobody\r\nCookie: {GRANTED}\r\n",
    "a bot": f"User-Agent: curl/8\r\nX-Forwarded-For: 198.51.100.7\r\nCookie: {GRANTED}\r\n",
    "json": f"{CONSENT}Content-Type: application/json\r\n",
    "a form": f"{CONSENT}Content-Type: application/x-www-form-urlencoded\r\n",
    "greek": f"{VISITOR}Accept-Language: el\r\n",
    "bad cookie": f"{VISITOR}Cookie: \xff=\xfe; {GRANTED}; a b\r\n",
}
TOKENS = ("good", "none", "foreign", "of another scope", "basic", "twice")
LOOKUPS = (
    b'{"ip": "8.8.8.8"}',
    b'{"ip": "8.8.8.8", "chosen": "GR", "lang": "de"}',
    b'{"lookups": [{"ip": "2001:4860:4860::8888"}, {"ip": "nobody"}, {"chosen": "ES"}]}',
    b'{"ip": "nobody"}',
    b'{"more": 1}',
    b"not JSON",
    b"",
    b"\xff\xfe",
    b'{"ip": "8.8.8.8"}' + b" " * (16 * 1024 - 17),
    b'{"ip": "8.8.8.8"}' + b" " * (16 * 1024 - 16),
    b" " * 20_000,  # No longer: what a server leaves unread may take its answer along.
)


def asked(collector: Collector, request: bytes, path: str) -> tuple[bytes, bytes]:
    """Return what one request is answered express, and what by ASGI."""
    escaped = f"/%{ord(path[1]):x}{path[2:]}"
    assert request.count(path.encode()) == 1
    odd = request.replace(path.encode(), escaped.encode())
    answers = [raw(collector.beacons, each) for each in (request, odd)]
    express, asgi = (EVIDENCE_ID.sub(b"id", each) for each in answers)
    return express, asgi


def request(method: str, target: str, headers: str, body: bytes | None = None) -> bytes:
    """Return a request's bytes."""
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    head = f"{method} {target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{headers}{length}\r\n"
    return head.encode("latin-1") + (body or b"")


def beacon(collector: Collector, **fields: object) -> bytes:
    """Return a beacon's body."""
    known = {"seller": SELLER, "product": "p", "sig": collector.signature(SELLER, "p")}
    return json.dumps(known | fields).encode()


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_pixel_is_answered_alike(collector: Collector, headers: str) -> None:
    """Granted, refused, from any origin: the same image, status, headers and reason."""
    signature = collector.signature(SELLER, "p")
    page = f"seller={SELLER}&product=p&sig={signature}"
    for query in (
        page,
        f"{page}&ref=https%3A%2F%2Fnews.example%2Fa%3Fb",
        f"{page}&url=https://shop.example/?utm_source=a%26utm_campaign=b",
        f"{page}&ref=%ff",
        f"{page}&more=1",
        f"{page}x",
        page.replace("product=p", "product="),
        "",
        page + "&ref=" + "x" * 9000,
    ):
        express, asgi = asked(
            collector, request("GET", f"/pixel.gif?{query}", headers), "/pixel.gif"
        )
        assert express == asgi


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_beacon_is_answered_alike(collector: Collector, headers: str) -> None:
    """Whatever its body and its headers say."""
    good = beacon(collector)
    for body in (
        good,
        beacon(collector, seconds=7),
        beacon(collector, seconds=9999),
        beacon(collector, sig="A" * 22),
        beacon(collector, product=""),
        beacon(collector, more=1),
        b"not JSON",
        b"",
        b"\xff\xfe",
        good + b" " * (8 * 1024 - len(good)),
        good + b" " * (8 * 1024 - len(good) + 1),
        b" " * 20_000,  # No longer: what a server leaves unread may take its answer along.
    ):
        express, asgi = asked(collector, request("POST", "/beacon", headers, body), "/beacon")
        assert express == asgi


@pytest.mark.parametrize("whose", TOKENS)
@pytest.mark.parametrize("origin", ["", f"Origin: {SHOP}\r\n", f"Origin: {STRANGER}\r\n"])
def test_a_lookup_is_answered_alike(collector: Collector, whose: str, origin: str) -> None:
    """With a token or without, and whatever is wrong with the body."""
    good = backend.token(collector.secret, scope="location")
    other = backend.token(collector.secret, scope="stats", sub=SELLER)
    foreign = backend.token("another secret, of another marketplace", scope="location")
    bearer = "Authorization: Bearer "
    authorization = {
        "good": f"{bearer}{good}\r\n",
        "none": "",
        "foreign": f"{bearer}{foreign}\r\n",
        "of another scope": f"{bearer}{other}\r\n",
        "basic": "Authorization: Basic YTpi\r\n",
        "twice": f"{bearer}{good}\r\n{bearer}{good}\r\n",
    }[whose]
    for target in ("/location", "/location?lang=fr", "/location?lang=xx", "/location?ip=8.8.8.8"):
        for body in LOOKUPS:
            sent = request("POST", target, authorization + origin, body)
            express, asgi = asked(collector, sent, "/location")
            assert express == asgi
            assert b"8.8.8.8" not in express


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_buyers_browser_is_answered_alike(collector: Collector, headers: str) -> None:
    """Its cookie, its language, its origin and its address are read the same."""
    for target in ("/location", "/location?lang=el", "/location?lang=xx", "/location?ip=8.8.8.8"):
        express, asgi = asked(collector, request("GET", target, headers), "/location")
        assert express == asgi


def test_a_body_in_two_pieces_is_answered_as_one_in_one(collector: Collector) -> None:
    """The second piece comes when the first has been read, so it is ASGI that waits for it."""
    token = backend.token(collector.secret, scope="location")
    for sent in (
        request("POST", "/beacon", CONSENT, beacon(collector)),
        request("POST", "/beacon", f"{VISITOR}Origin: {SHOP}\r\n", beacon(collector)),
        request("POST", "/location", f"Authorization: Bearer {token}\r\n", LOOKUPS[0]),
        request("POST", "/location", "", LOOKUPS[0]),
    ):
        whole = raw(collector.beacons, sent)
        for where in (sent.index(b"\r\n\r\n") + 4, len(sent) - 5):
            with socket.create_connection(("127.0.0.1", collector.beacons), WAIT_SECONDS) as one:
                one.sendall(sent[:where])
                time.sleep(PAUSE_SECONDS)
                one.sendall(sent[where:])
                answer = b""
                while part := one.recv(65_536):
                    answer += part
            assert EVIDENCE_ID.sub(b"id", answer) == EVIDENCE_ID.sub(b"id", whole)


def test_a_token_that_is_revoked_opens_neither_way(collector: Collector) -> None:
    """On the connection too that it was just good on. Other tests' tokens are younger."""
    old = backend.token(collector.secret, scope="location", iat=int(time.time()) - 60)
    sent = request("POST", "/location", f"Authorization: Bearer {old}\r\n", LOOKUPS[0])
    sent = sent.replace(b"Connection: close\r\n", b"")
    odd = sent.replace(b"/location", b"/%6cocation")
    with socket.create_connection(("127.0.0.1", collector.beacons), WAIT_SECONDS) as connection:
        for each in (sent, odd):
            connection.sendall(each)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        collector.cli("revoke")
        for each in (sent, odd):
            connection.sendall(each)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")
