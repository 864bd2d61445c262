"""Compatibility: what GoatCounter's and Plausible's own scripts say, as one of our beacons. Pure.

Their pages carry no signature of ours. So a configured pattern says where in an address seller and
product stand, and only a pair that the catalogue lists is signed for them; any other stays
unsigned and makes no row. Identifiers that these clients may send are not read.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from collector.beacon import BODY_BYTES_MAX, SECONDS_MAX, URL_CHARACTERS_MAX, Beacon
from collector.hit import is_name

QUERY_FIELDS_MAX = 30
PATTERNS_MAX = 20
_PLACE = re.compile(r"\{(seller|product)\}")

# Which pair of seller and product the catalogue lists; without a seller, the one seller who has
# that product. None where there is none, or more than one.
Listed = Callable[[str | None, str], tuple[str, str] | None]
Sign = Callable[[str, str], str]


class BadPattern(ValueError):
    """A pattern that can't work; the text says what would do."""


class BadVisit(ValueError):
    """A client's message that can't be read; `field` is the client's own name for what is wrong."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Visit:
    """A client's page view or time report.

    address  the page's path, or its whole URL
    product  a product that the page names itself, or an empty text
    seconds  None for a view
    """

    address: str
    product: str = ""
    referrer: str = ""
    query: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """One address pattern, such as `/p/{product}` or `https://shop.example/{seller}/{product}`."""

    origin: str
    path: re.Pattern[str]

    def match(self, address: str) -> tuple[str | None, str] | None:
        """Return seller (None where the pattern has none) and product, or None."""
        try:
            parts = urlsplit(address)
        except ValueError:  # a bracket without its end, an address that is none
            return None
        if self.origin and f"{parts.scheme}://{parts.netloc}" != self.origin:
            return None
        found = self.path.fullmatch(parts.path)
        if found is None:
            return None
        try:
            named = {name: unquote(text, errors="strict") for name, text in _groups(found)}
        except UnicodeDecodeError:
            return None
        return named.get("seller"), named["product"]


def patterns(text: str) -> tuple[Pattern, ...]:
    """Return the patterns of a comma-separated setting; none for an empty one.

    Errors  BadPattern with one sentence.
    """
    made = tuple(_pattern(part.strip()) for part in text.split(",") if part.strip())
    if len(made) > PATTERNS_MAX:
        raise BadPattern(f"at most {PATTERNS_MAX} patterns")
    return made


def read_goatcounter(query: str) -> Visit | None:
    """Return the visit of a `/count` query; None for what is not a page view.

    Errors  BadVisit.
    Source  GoatCounter's count.js: p path, r referrer, e event, q the page's query, b a robot.
    """
    try:
        fields = {
            name: values[0]
            for name, values in parse_qs(
                query, max_num_fields=QUERY_FIELDS_MAX, errors="strict"
            ).items()
        }
    except ValueError:
        raise BadVisit("query", "not a form's fields in UTF-8") from None
    if fields.get("e") in ("1", "true") or fields.get("b", "0") != "0":
        return None
    if not fields.get("p"):
        raise BadVisit("p", "missing; it is the page's path")
    return Visit(
        address=_bounded("p", fields["p"]),
        referrer=_bounded("r", fields.get("r", "")),
        query=_bounded("q", fields.get("q", "")),
    )


def read_plausible(body: bytes) -> Visit | None:
    """Return the visit of an event; None for what is neither a view nor time on the page.

    Errors  BadVisit.
    Source  Plausible's tracker: n name, u URL, r referrer, p properties, e milliseconds engaged.
    """
    if len(body) > BODY_BYTES_MAX:
        raise BadVisit("body", f"more than {BODY_BYTES_MAX} bytes")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise BadVisit("body", "not JSON") from None
    if not isinstance(fields, dict):
        raise BadVisit("body", "must be a JSON object")
    name = fields.get("n", fields.get("name"))
    url = _text("url", fields.get("u", fields.get("url")))
    if not isinstance(name, str) or not name:
        raise BadVisit("event_name", "missing")
    if not url:
        raise BadVisit("url", "missing")
    product = _property(fields.get("p", fields.get("props")), "product")
    if name == "engagement":
        seconds = _seconds(fields.get("e"))
        return Visit(url, product, seconds=seconds) if seconds else None
    if name != "pageview":
        return None
    referrer = _text("referrer", fields.get("r", fields.get("referrer")))
    return Visit(url, product, referrer, url.partition("#")[0].partition("?")[2])


def to_beacon(
    visit: Visit,
    headers: Mapping[bytes, bytes],
    *,
    known: tuple[Pattern, ...],
    listed: Listed,
    sign: Sign,
) -> Beacon | None:
    """Return the visit as a beacon, signed if the catalogue lists it; None off product pages."""
    pair = next((found for each in known if (found := each.match(visit.address))), None)
    if pair is None and not visit.product:
        return None
    seller, product = pair or (None, "")
    beacon = Beacon(headers)
    product = visit.product or product
    may_be = is_name(product) and (seller is None or is_name(seller))
    found = listed(seller, product) if may_be else None
    if found is not None:
        beacon.seller, beacon.product = found
        beacon.signature = sign(*found)
    beacon.referrer = visit.referrer
    beacon.url = f"?{visit.query.lstrip('?')}" if visit.query else ""
    beacon.seconds = visit.seconds
    return beacon


def _pattern(text: str) -> Pattern:
    parts = urlsplit(text)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    places = _PLACE.findall(parts.path)
    if (
        not parts.path.startswith("/")
        or parts.query
        or parts.fragment
        or (parts.scheme and not origin)
    ):
        raise BadPattern("must be a path or URL such as /p/{product}, without ? and #")
    if places.count("product") != 1 or places.count("seller") > 1:
        raise BadPattern("must hold {product} once, and {seller} at most once")
    rest = _PLACE.sub("", parts.path)
    if "{" in rest or "}" in rest or "}{" in parts.path:
        raise BadPattern("only {seller} and {product} are known, with something between them")
    pieces = re.split(r"\{(?:seller|product)\}", parts.path.rstrip("/"))
    expression = re.escape(pieces[0])
    for place, piece in zip(places, pieces[1:], strict=True):
        expression += f"(?P<{place}>[^/]+?)" + re.escape(piece)
    return Pattern(origin, re.compile(expression + "/?"))


def _groups(found: re.Match[str]) -> list[tuple[str, str]]:
    return list(found.groupdict().items())


def _bounded(field: str, text: str) -> str:
    if len(text) > URL_CHARACTERS_MAX:
        raise BadVisit(field, f"at most {URL_CHARACTERS_MAX} characters allowed")
    return text


def _text(field: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadVisit(field, "must be a text")
    return _bounded(field, value)


def _property(properties: object, name: str) -> str:
    """Return a text among a page's own properties, which come as an object or as its JSON."""
    if isinstance(properties, str):
        try:
            properties = json.loads(properties)
        except (ValueError, RecursionError):
            return ""
    value = properties.get(name) if isinstance(properties, dict) else None
    return value if isinstance(value, str) else ""


def _seconds(milliseconds: object) -> int:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return 0
    if not milliseconds > 0:  # so that NaN, which Python reads in JSON, is nothing either
        return 0
    return int(min(milliseconds, SECONDS_MAX * 1000) / 1000 + 0.5)
