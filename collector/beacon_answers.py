"""What a beacon's sender is told: the outcome in X-Counted, an image or an error. Pure."""

import json
from collections.abc import Iterable, Mapping

from collector.consent import Outcome
from collector.http.express import Answer
from collector.http.headers import Headers

Parts = tuple[int, Headers, bytes]  # status, headers, body

# One transparent pixel: GIF89a, 1 × 1, two colours, the second of them transparent.
PIXEL = bytes.fromhex(
    "4749463839610100010080010000000000000021f90401000001002c00000000010001000002024c01003b"
)
RETRY_AFTER = b"1"

STATUS = {
    Outcome.MALFORMED: 400,
    Outcome.BAD_SIGNATURE: 403,
    Outcome.OVER_LIMIT: 429,
    Outcome.UNAVAILABLE: 503,
}
WHY = {
    Outcome.BAD_SIGNATURE: "sig: not the signature of this seller and product",
    Outcome.OVER_LIMIT: "this visitor has enough views of this product for today",
    Outcome.UNAVAILABLE: "nothing can be kept at the moment; try again in a second",
}
PIXEL_HEADERS: Headers = [
    (b"content-type", b"image/gif"),
    (b"content-length", b"%d" % len(PIXEL)),
]
OUTCOME_HEADERS: dict[Outcome, Headers] = {
    outcome: [
        (b"cache-control", b"no-store"),
        # So that a page with Cross-Origin-Embedder-Policy may show the pixel.
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"x-counted", outcome.encode()),
        *([(b"retry-after", RETRY_AFTER)] if outcome is Outcome.UNAVAILABLE else []),
    ]
    for outcome in Outcome
}
FIELD_OF = {Outcome.BAD_SIGNATURE: "sig"}


class BeaconAnswers:
    """Makes answers to beacons; `request` is the request's headers by name."""

    def __init__(self, origins: Iterable[str]) -> None:
        """origins: whose scripts may send their cookies and read X-Counted; never a wildcard."""
        self._origins = frozenset(origin.encode() for origin in origins)
        self._known: dict[tuple[str, Outcome, bytes], Answer] = {}

    def pixel(self, outcome: Outcome, why: str, request: Mapping[bytes, bytes]) -> Parts:
        """Return the answer to an image's request: an image, whatever became of it."""
        headers = PIXEL_HEADERS + self._headers(outcome, request)
        if why:  # The body must be the image, so the reason has only a header left.
            headers.append((b"x-counted-why", why.encode("ascii", "replace")))
        return STATUS.get(outcome, 200), headers, PIXEL

    def beacon(self, outcome: Outcome, why: str, request: Mapping[bytes, bytes]) -> Parts:
        """Return the answer to a script's request."""
        headers = self._headers(outcome, request)
        body = b""
        if why:
            field = FIELD_OF.get(outcome) or (why.partition(":")[0] if ":" in why else None)
            body = _error(outcome, why, field)
            headers += _about(body)
        return STATUS.get(outcome, 204), headers, body

    def preflight(self, request: Mapping[bytes, bytes]) -> Parts:
        """Return the answer to a browser that asks whether a script may send a beacon."""
        headers = [(b"vary", b"origin"), *self._cors(request)]
        if len(headers) > 1:
            headers += [
                (b"access-control-allow-methods", b"POST"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", b"86400"),
            ]
        return 204, headers, b""

    def kept(self, kind: str, outcome: Outcome, why: str, request: Mapping[bytes, bytes]) -> Answer:
        """Return the answer of a kind, `pixel` or `beacon`; one without a reason is kept."""
        origin = request.get(b"origin", b"")
        known = kind, outcome, origin if origin in self._origins else b""
        answer = None if why else self._known.get(known)
        if answer is None:
            make = self.pixel if kind == "pixel" else self.beacon
            answer = Answer(*make(outcome, why, request))
            if not why:
                self._known[known] = answer
        return answer

    def _headers(self, outcome: Outcome, request: Mapping[bytes, bytes]) -> Headers:
        answer = OUTCOME_HEADERS[outcome]
        if self._origins:
            return [*answer, (b"vary", b"origin"), *self._cors(request)]
        return answer.copy()

    def _cors(self, request: Mapping[bytes, bytes]) -> Headers:
        origin = request.get(b"origin", b"")
        if origin not in self._origins:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"X-Counted"),
        ]


def wrong_method(allowed: str) -> Parts:
    """Return the answer to a method that a beacon's path doesn't take. It is no beacon.

    allowed  the methods that it takes, as in the header Allow (RFC 9110 section 15.5.6)
    """
    body = _error("method-not-allowed", f"use one of {allowed}", None)
    return 405, [(b"allow", allowed.encode()), (b"cache-control", b"no-store"), *_about(body)], body


def _error(code: str, message: str, field: str | None) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "field": field}}).encode()


def _about(body: bytes) -> Headers:
    return [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
