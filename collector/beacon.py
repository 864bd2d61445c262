"""The beacon: what a product page sent, exactly as it arrived.

A Beacon may hold a user agent and cookies, so it lives for one request and nothing here writes.
The address isn't even in it: it is read from the connection after every reason not to count.
`anonymise` turns a Beacon into a Hit; import rules keep this module away from `spool`. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from collector.hit import is_name
from collector.page_tag import SIGNATURE_CHARACTERS

BODY_BYTES_MAX = 8 * 1024  # Twice the longest referrer and the longest names together.
QUERY_BYTES_MAX = 8 * 1024
FIELDS = ("seller", "product", "sig", "ref", "url", "seconds")
QUERY_FIELDS = ("seller", "product", "sig", "ref", "url")
URL_CHARACTERS_MAX = 4096
SECONDS_MAX = 1800
COOKIE_BYTES_MAX = 32 * 1024  # More than any browser sends; then the visitor has no choice made.

REQUEST_HEADERS = frozenset(
    [b"user-agent", b"sec-gpc", b"dnt", b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"]
)
PREFETCH_HEADERS = (b"sec-purpose", b"purpose", b"x-moz", b"x-purpose")


class Malformed(ValueError):
    """A beacon that can't be read; the text names the field and what would do."""


class Beacon:
    """One beacon, raw.

    fault    why it can't be read, or an empty text
    seconds  None for a view, else 0–1800
    headers  those of REQUEST_HEADERS that came, by lower-case name
    cookies  the Cookie headers, joined with "; "
    """

    __slots__ = (
        "cookies",
        "fault",
        "headers",
        "product",
        "referrer",
        "seconds",
        "seller",
        "signature",
        "url",
    )

    def __init__(self) -> None:
        self.fault = ""
        self.seller = ""
        self.product = ""
        self.signature = ""
        self.referrer = ""
        self.url = ""
        self.seconds: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.cookies = b""

    @property
    def user_agent(self) -> str:
        """The user agent as sent; only checks after consent may ask for it."""
        return self.headers.get(b"user-agent", b"").decode("latin-1")


def from_query(query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Beacon:
    """Return the beacon of a pixel's query; what is wrong with it stands in `fault`."""
    beacon = Beacon()
    _take_headers(beacon, headers)
    try:
        _take(beacon, _query_fields(query))
    except Malformed as error:
        beacon.fault = str(error)
    return beacon


def from_body(body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Beacon:
    """Return the beacon of a JSON body; what is wrong with it stands in `fault`."""
    beacon = Beacon()
    _take_headers(beacon, headers)
    try:
        _take(beacon, _body_fields(body))
    except Malformed as error:
        beacon.fault = str(error)
    return beacon


def _take_headers(beacon: Beacon, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep the headers that a check asks for; of a repeated one, all values."""
    kept = beacon.headers
    for name, value in headers:
        if name == b"cookie":
            beacon.cookies = beacon.cookies + b"; " + value if beacon.cookies else value
        elif name in REQUEST_HEADERS:
            kept[name] = kept[name] + b"," + value if name in kept else value


def _query_fields(query: bytes) -> dict[str, Any]:
    if len(query) > QUERY_BYTES_MAX:
        raise Malformed(f"query: {len(query)} bytes, at most {QUERY_BYTES_MAX} allowed")
    fields: dict[str, Any] = {}
    for part in query.decode("latin-1").split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if name not in QUERY_FIELDS:
            raise Malformed(f"query: only {', '.join(QUERY_FIELDS)} are known")
        if name in fields:
            raise Malformed(f"{name}: given twice")
        if "%" in value or "+" in value:
            try:
                value = unquote_plus(value, errors="strict")
            except UnicodeDecodeError:
                raise Malformed(f"{name}: not percent-encoded UTF-8") from None
        elif not value.isascii():
            raise Malformed(f"{name}: not percent-encoded UTF-8")
        fields[name] = value
    return fields


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
    if len(value) > URL_CHARACTERS_MAX:
        raise Malformed(f"{field}: at most {URL_CHARACTERS_MAX} characters allowed")
    return value
