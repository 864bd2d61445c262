"""Bad input from pages: one clear sentence, and nothing has changed."""

import json
import socket
from typing import Any
from urllib.parse import quote

import pytest

from tests.journeys.asking import ask, raw
from tests.journeys.running import FIREFOX, GRANTED, Collector

HEADERS = {"Cookie": GRANTED, "User-Agent": FIREFOX, "Content-Type": "text/plain"}
NAME = "must be 1 to 128 characters without control characters"
MISSING = "missing; it must be a text of 1 to 128 characters"
SIGNATURE = "missing; it is 22 characters of base64url"
KNOWN = "only seller, product, sig, ref, url, seconds are known"
SECONDS = "must lie between 0 and 1800"

# What a good beacon's fields are replaced by, and the sentence that comes back.
FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"seller": None}, f"seller: {MISSING}"),
    ({"seller": ""}, f"seller: {MISSING}"),
    ({"seller": 7}, f"seller: {MISSING}"),
    ({"seller": ["anna"]}, f"seller: {MISSING}"),
    ({"product": {}}, f"product: {MISSING}"),
    ({"product": "p" * 129}, f"product: {NAME}"),
    ({"product": "🫒" * 129}, f"product: {NAME}"),
    ({"product": "a\nb"}, f"product: {NAME}"),
    ({"product": "a\x00b"}, f"product: {NAME}"),
    ({"product": "a\x7fb"}, f"product: {NAME}"),
    ({"product": "a\x85b"}, f"product: {NAME}"),
    ({"product": "\ud83e"}, f"product: {NAME}"),
    ({"sig": None}, f"sig: {SIGNATURE}"),
    ({"sig": 22}, f"sig: {SIGNATURE}"),
    ({"ref": 1}, "ref: must be a text"),
    ({"ref": "x" * 4097}, "ref: at most 4096 characters allowed"),
    ({"url": ["https://a.example"]}, "url: must be a text"),
    ({"url": "x" * 4097}, "url: at most 4096 characters allowed"),
    ({"seconds": -1}, f"seconds: {SECONDS}"),
    ({"seconds": 1801}, f"seconds: {SECONDS}"),
    ({"seconds": 10**40}, f"seconds: {SECONDS}"),
    ({"seconds": 1.5}, "seconds: must be a whole number"),
    ({"seconds": float("nan")}, "seconds: must be a whole number"),
    ({"seconds": True}, "seconds: must be a whole number"),
    ({"seconds": "5"}, "seconds: must be a whole number"),
    ({"colour": "red"}, f"body: {KNOWN}"),
    ({"Seller": "anna"}, f"body: {KNOWN}"),
    ({"__proto__": {}}, f"body: {KNOWN}"),
]
DEEP = b"[" * 4000 + b"]" * 4000


def too_deep() -> bool:
    """Return whether this Python's reader gives up on so deep a list; from 3.13 on it doesn't."""
    try:
        json.loads(DEEP)
    except RecursionError:
        return True
    return False


BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "body: not JSON"),
    "a word": (b"hello", "body: not JSON"),
    "half": (b'{"seller": "a"', "body: not JSON"),
    "two": (b"{}{}", "body: not JSON"),
    "a form": (b"seller=a&product=b", "body: not JSON"),
    "no UTF-8": (b'{"seller": "\xff\xfe"}', "body: not JSON"),
    "nested": (b"[" * 8000, "body: not JSON"),
    "nested and closed": (DEEP, "body: not JSON" if too_deep() else "body: must be a JSON object"),
    "a list": (b"[]", "body: must be a JSON object"),
    "null": (b"null", "body: must be a JSON object"),
    "a number": (b"7", "body: must be a JSON object"),
    "twice": (b'{"seller": "a", "seller": "b"}', "body: a field is given twice"),
    "twice inside": (b'{"seller": {"a": 1, "a": 2}}', "body: a field is given twice"),
    "an endless number": (b'{"seconds": ' + b"9" * 5000 + b"}", "body: not JSON"),
    "8193 bytes": (b"{" + b" " * 8192, "body: more than 8192 bytes"),
    "a megabyte": (b'{"ref": "' + b"x" * 2**20, "body: more than 8192 bytes"),
}
QUERIES: dict[str, tuple[str, str]] = {
    "nothing": ("", f"seller: {MISSING}"),
    "no product": ("seller=a&sig=b", f"product: {MISSING}"),
    "empty": ("seller=&product=p&sig=x", f"seller: {MISSING}"),
    "an unknown field": ("seller=a&color=red", "query: only seller, product, sig, ref, url are"),
    "a time report": ("seller=a&product=p&sig=x&seconds=5", "query: only seller, product, sig, re"),
    "twice": ("seller=a&seller=b", "seller: given twice"),
    "a referrer twice": ("seller=a&product=p&sig=x&ref=a&ref=b", "ref: given twice"),
    "a referrer before and after": ("ref=a&seller=a&product=p&sig=x&ref=b", "ref: given twice"),
    "a control character": ("seller=a%00&product=p&sig=x", f"seller: {NAME}"),
    "a long name": (f"seller={'a' * 129}&product=p&sig=x", f"seller: {NAME}"),
    "a long name in Greek": (f"seller={quote('ω' * 129)}&product=p&sig=x", f"seller: {NAME}"),
    "no UTF-8": ("seller=%ff&product=p&sig=x", "seller: not percent-encoded UTF-8"),
    "half a letter": ("seller=a&product=p&sig=x&ref=%ce", "ref: not percent-encoded UTF-8"),
    "a surrogate": ("seller=%ed%a0%bd&product=p&sig=x", "seller: not percent-encoded UTF-8"),
    "a long referrer": (
        f"seller=a&product=p&sig=x&ref={'x' * 4097}",
        "ref: at most 4096 characters allowed",
    ),
    "a long address": (
        f"seller=a&product=p&sig=x&url={'x' * 4097}",
        "url: at most 4096 characters allowed",
    ),
    "8193 bytes": (
        f"seller=a&product=p&sig=x&ref={'%41' * 2721}x",
        "query: 8193 bytes, at most 8192 allowed",
    ),
    "20 kilobytes": (f"seller={'a' * 20_000}", "query: 20007 bytes, at most 8192 allowed"),
}


def body_of(collector: Collector, seller: str, fields: dict[str, Any]) -> bytes:
    """Return a good beacon's body with some fields replaced."""
    good = {"seller": seller, "product": "p", "sig": collector.signature(seller, "p")}
    return json.dumps(good | fields).encode()


@pytest.mark.parametrize(
    ("fields", "sentence"), FIELDS, ids=[f"{n} {next(iter(f))}" for n, (f, _) in enumerate(FIELDS)]
)
def test_a_bad_field_of_a_beacon_is_named(
    collector: Collector, seller: str, fields: dict[str, Any], sentence: str
) -> None:
    """The page's maker reads which field it is and what would do; the value isn't repeated."""
    answer = ask(collector.beacons, "POST", "/beacon", HEADERS, body_of(collector, seller, fields))
    assert (answer.status, answer.counted) == (400, "malformed")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "error": {"code": "malformed", "message": sentence, "field": sentence.split(":")[0]}
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/pixel.gif", "GET"),
        ("HEAD", "/pixel.gif", "GET"),
        ("GET", "/beacon", "OPTIONS, POST"),
        ("DELETE", "/beacon", "OPTIONS, POST"),
    ],
)
def test_a_beacon_sent_by_another_method_is_told_which(
    collector: Collector, method: str, path: str, allowed: str
) -> None:
    """Whoever opens the address to see whether it is there learns that it is, and how it is used;
    it is no beacon."""
    answer = ask(collector.beacons, method, path, HEADERS)
    assert (answer.status, answer.counted) == (405, "")
    assert answer.headers["allow"] == allowed
    if method == "HEAD":
        assert not answer.content
    else:
        assert answer.message == f"use one of {allowed}"


@pytest.mark.parametrize(("body", "sentence"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_beacon_is_refused(
    collector: Collector, body: bytes, sentence: str
) -> None:
    """Too long, not JSON, not an object: said in one sentence, whatever else is in it."""
    answer = ask(collector.beacons, "POST", "/beacon", HEADERS, body)
    assert (answer.status, answer.counted) == (400, "malformed")
    assert answer.message == sentence


@pytest.mark.parametrize(("query", "sentence"), QUERIES.values(), ids=QUERIES)
def test_a_query_that_is_no_beacon_is_refused(
    collector: Collector, query: str, sentence: str
) -> None:
    """The body has to be an image, so the sentence is in a header."""
    answer = ask(collector.beacons, "GET", f"/pixel.gif?{query}", HEADERS)
    assert (answer.status, answer.counted) == (400, "malformed")
    assert answer.headers["x-counted-why"].startswith(sentence)
    assert answer.content.startswith(b"GIF89a")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"]
)
def test_a_body_of_another_kind_is_refused(collector: Collector, seller: str, kind: str) -> None:
    """A form posted from anywhere is not a beacon."""
    answer = collector.post(seller, headers={"Content-Type": kind})
    assert (answer.status, answer.counted) == (400, "malformed")
    assert answer.message == "Content-Type: must be text/plain or application/json"


@pytest.mark.parametrize("kind", ["application/json", "TEXT/PLAIN; charset=utf-8", None])
def test_a_body_of_a_good_kind_counts(collector: Collector, seller: str, kind: str | None) -> None:
    """Upper case, with a character set, or unnamed."""
    fields = {"seller": seller, "product": "p", "sig": collector.signature(seller, "p")}
    headers = {name: value for name, value in HEADERS.items() if name != "Content-Type"}
    headers |= {"Content-Type": kind} if kind else {}
    body = json.dumps(fields | {"ref": None, "url": None, "seconds": None}).encode()
    assert ask(collector.beacons, "POST", "/beacon", headers, body).counted == "yes"


def test_the_longest_that_is_allowed_counts(collector: Collector) -> None:
    """128 characters of four bytes each, a referrer of 4096: the limits are what they say."""
    seller = "🫒" * 128
    assert collector.pixel(seller, ref="https://a.example/" + "x" * 4078).counted == "yes"
    assert collector.post(seller, ref="https://a.example/" + "x" * 4078).counted == "yes"


def test_a_body_that_comes_in_pieces_is_counted_to_its_end(
    collector: Collector, seller: str
) -> None:
    """Chunks of one byte add up to a beacon; chunks without an end are cut off at the limit."""
    fields = {"seller": seller, "product": "p", "sig": collector.signature(seller, "p")}
    head = (
        f"POST /beacon HTTP/1.1\r\nHost: x\r\nCookie: {GRANTED}\r\nUser-Agent: {FIREFOX}\r\n"
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in json.dumps(fields).encode())
    assert b"x-counted: yes" in raw(collector.beacons, head + body + b"0\r\n\r\n")
    endless = b"400\r\n" + b" " * 1024 + b"\r\n"
    answer = raw(collector.beacons, head + endless * 9)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"body: more than 8192 bytes" in answer


def test_bad_input_changed_nothing(collector: Collector, seller: str) -> None:
    """After every refused beacon for this seller there is not one view, and the next good beacon
    counts."""
    for fields, _ in FIELDS:
        ask(collector.beacons, "POST", "/beacon", HEADERS, body_of(collector, seller, fields))
    signature = collector.signature(seller, "p")
    for query in ("seconds=5", "more=1", f"ref={'x' * 5000}", "ref=a&ref=b"):
        path = f"/pixel.gif?seller={seller}&product=p&sig={signature}&{query}"
        assert ask(collector.beacons, "GET", path, HEADERS).counted == "malformed"
    assert collector.summary(seller) == (0, 0)
    assert collector.post(seller).counted == "yes"
    assert collector.summary(seller) == (1, 1)


@pytest.mark.parametrize(
    "request_line",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /pixel.gif HTTP/9.9\r\n\r\n",
        b"GET /pixel.gif HTTP/1.1\r\nCookie\x00: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /beacon HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /beacon HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    ],
    ids=["words", "version", "header", "TLS", "length", "two lengths"],
)
def test_what_is_no_http_ends_nothing_but_itself(
    collector: Collector, seller: str, request_line: bytes
) -> None:
    """The connection is answered with 400 or closed; the next one is served."""
    assert not raw(collector.beacons, request_line).startswith(b"HTTP/1.1 2")
    assert collector.pixel(seller).counted == "yes"


@pytest.mark.parametrize("what", ["one header", "many headers", "a long query"])
def test_a_head_without_an_end_is_cut_off(collector: Collector, seller: str, what: str) -> None:
    """Somebody sends headers for ever to fill the memory. Past a bound the connection is closed;
    others are served meanwhile."""
    begin = b"GET /pixel.gif?x=" if what == "a long query" else b"GET / HTTP/1.1\r\nX: "
    piece = b"X-%d: y\r\n" * 100 if what == "many headers" else b"x" * 1000
    answer = endless(collector.beacons, begin, piece)
    assert answer is None or answer.startswith(b"HTTP/1.1 4")
    assert collector.pixel(seller).counted == "yes"


def endless(port: int, begin: bytes, piece: bytes) -> bytes | None:
    """Send pieces until the server closes; four megabytes are too many."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(begin)
        for _ in range(4 * 2**20 // len(piece)):
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                try:
                    return connection.recv(4096) or None
                except ConnectionResetError:
                    return None
    pytest.fail("four megabytes of headers were taken")
