"""The beacon: what a product page sent, exactly as it arrived.

A Beacon holds the request's headers, so it lives for one request and nothing here writes.
The address is read, from its headers or the connection, only after every reason not to count.
`anonymise` turns a Beacon into a Hit; import rules keep this module away from `spool`. Pure.
"""

import json
import re
from binascii import a2b_qp
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from collector.consent_managers import Choice
from collector.hit import Device, is_name
from collector.http.headers import joined
from collector.page_tag import SIGNATURE_CHARACTERS

BODY_BYTES_MAX = 8 * 1024  # Twice the longest referrer and the longest names together.
QUERY_BYTES_MAX = 8 * 1024
FIELDS = ("seller", "product", "sig", "ref", "url", "seconds")
QUERY_FIELDS = ("seller", "product", "sig", "ref", "url")
_QUERY_NAMES = {name.encode(): name for name in QUERY_FIELDS}
URL_CHARACTERS_MAX = 4096
SECONDS_MAX = 1800
PAGES_KNOWN_MAX = 32_768
HEAD_BYTES_MAX = 512  # Longer ones are read anew each time, so that memory has a bound: 30 MB.
_LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PAGE_FIELDS = {"seller", "product", "sig"}
_NO_CHOICE = Choice.NONE  # looking an enum's member up costs ten times as much

PREFETCH_HEADERS = frozenset((b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"))
# Those by which a browser says no, or that nobody is looking.
SIGNAL_HEADERS = PREFETCH_HEADERS | {b"dnt", b"sec-gpc"}
# Whoever asks for one more has to name it here: no other header of a beacon is even kept.
HEADERS_READ = SIGNAL_HEADERS | {
    b"content-type", b"cookie", b"origin", b"user-agent", b"x-forwarded-for",
}  # fmt: skip


class Malformed(ValueError):
    """A beacon that can't be read; the text names the field and what would do."""


class Beacon:
    """One beacon, raw.

    fault    why it can't be read, or an empty text
    seconds  None for a view, else 0–1800
    headers  those that are read (see `merged`), by lower-case name
    cookies  the Cookie headers
    origin   source and campaign, where they are known without reading the referrer
    choice   what the consent cookie says, once a check has asked
    device   what the user agent says, once a check has asked
    """

    __slots__ = (
        "choice",
        "cookies",
        "device",
        "fault",
        "headers",
        "origin",
        "product",
        "referrer",
        "seconds",
        "seller",
        "signature",
        "url",
    )

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        self.fault = ""
        self.seller = ""
        self.product = ""
        self.signature = ""
        self.referrer = ""
        self.url = ""
        self.seconds: int | None = None
        self.headers = headers
        self.cookies = headers.get(b"cookie", b"")
        self.origin: tuple[str, str] | None = None
        self.choice = _NO_CHOICE
        self.device: Device | None = None

    @property
    def user_agent(self) -> bytes:
        """The user agent as sent; only checks after consent may ask for it."""
        return self.headers.get(b"user-agent", b"")


def merged(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return by name those of a request's headers that are read; of a repeated one all values."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in HEADERS_READ:
            found[name] = joined(name, found[name], value) if name in found else value
    return found


def from_query(query: bytes, headers: Mapping[bytes, bytes]) -> Beacon:
    """Return the beacon of a pixel's query; what is wrong with it stands in `fault`.

    headers  as `merged` returns them
    """
    beacon = Beacon(headers)
    head, _, referrer = query.partition(b"&ref=")
    try:
        if len(query) > QUERY_BYTES_MAX:
            raise Malformed(f"query: {len(query)} bytes, at most {QUERY_BYTES_MAX} allowed")
        if len(head) > HEAD_BYTES_MAX or b"&" in referrer:
            _take(beacon, _query_fields(query))
            return beacon
        try:
            beacon.seller, beacon.product, beacon.signature = _page(head)
        except _MoreThanAPage:
            _take(beacon, _query_fields(query))
        else:
            if referrer:
                beacon.referrer = _bounded("ref", _text("ref", referrer))
    except Malformed as error:
        beacon.fault = str(error)
    return beacon


def from_body(body: bytes, headers: Mapping[bytes, bytes]) -> Beacon:
    """Return the beacon of a JSON body; what is wrong with it stands in `fault`."""
    beacon = Beacon(headers)
    try:
        _take(beacon, _body_fields(body))
    except Malformed as error:
        beacon.fault = str(error)
    return beacon


class _MoreThanAPage(Exception):
    """A query that holds more than seller, product and signature before its referrer."""


@lru_cache(maxsize=PAGES_KNOWN_MAX)
def _page(head: bytes) -> tuple[str, str, str]:
    """Return seller, product and signature of a query that holds just these.

    Remembered, because a shop's pages are asked for again and again; what holds more, and so
    perhaps something of a visitor, is refused here and never remembered.
    """
    fields = _query_fields(head)
    if fields.keys() != _PAGE_FIELDS:
        raise _MoreThanAPage
    beacon = Beacon({})
    _take(beacon, fields)
    return beacon.seller, beacon.product, beacon.signature


def _query_fields(query: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        field = _QUERY_NAMES.get(name)
        if field is None:
            if not part:
                continue
            raise Malformed(f"query: only {', '.join(QUERY_FIELDS)} are known")
        if field in fields:
            raise Malformed(f"{field}: given twice")
        fields[field] = _text(field, value)
    return fields


def _text(field: str, value: bytes) -> str:
    if b"+" in value:
        value = value.replace(b"+", b" ")
    if b"%" in value:
        value = _percent_decoded(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed(f"{field}: not percent-encoded UTF-8") from None


def _percent_decoded(value: bytes) -> bytes:
    """Return the bytes that a percent-encoded value stands for.

    Why  quoted-printable is percent-encoding with another sign, and has a decoder in C: a tenth
         of the time that urllib's takes, and this is every beacon's path. A percent sign that
         escapes nothing stands for itself, as browsers have it; quoted-printable would lose it.
    """
    if _LONE_PERCENT.search(value):
        return unquote_to_bytes(value)
    return a2b_qp(value.replace(b"=", b"=3D").replace(b"%", b"="))


def _body_fields(body: bytes) -> Mapping[str, Any]:
    if len(body) > BODY_BYTES_MAX:
        raise Malformed(f"body: more than {BODY_BYTES_MAX} bytes")
    try:
        fields = json.loads(body, object_pairs_hook=_unique)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("body: not JSON") from None
    if not isinstance(fields, dict):
        raise Malformed("body: must be a JSON object")
    for name in fields:
        if name not in FIELDS:
            raise Malformed(f"body: only {', '.join(FIELDS)} are known")
    return fields


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("body: a field is given twice")
    return fields


def _take(beacon: Beacon, fields: Mapping[str, Any]) -> None:
    beacon.seller = _name(fields, "seller")
    beacon.product = _name(fields, "product")
    signature = fields.get("sig")
    if not isinstance(signature, str) or not signature:
        raise Malformed(f"sig: missing; it is {SIGNATURE_CHARACTERS} characters of base64url")
    beacon.signature = signature if signature.isascii() else ""
    beacon.referrer = _url(fields, "ref")
    beacon.url = _url(fields, "url")
    seconds = fields.get("seconds")
    if seconds is not None:
        if isinstance(seconds, bool) or not isinstance(seconds, int):
            raise Malformed("seconds: must be a whole number")
        if not 0 <= seconds <= SECONDS_MAX:
            raise Malformed(f"seconds: must lie between 0 and {SECONDS_MAX}")
        beacon.seconds = seconds


def _name(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{field}: missing; it must be a text of 1 to 128 characters")
    if not is_name(value):
        raise Malformed(f"{field}: must be 1 to 128 characters without control characters")
    return value


def _url(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{field}: must be a text")
    return _bounded(field, value)


def _bounded(field: str, value: str) -> str:
    if len(value) > URL_CHARACTERS_MAX:
        raise Malformed(f"{field}: at most {URL_CHARACTERS_MAX} characters allowed")
    return value
