"""The beacons door: GET /pixel.gif and POST /beacon, ahead of everything else.

A plain ASGI callable, because a router with request objects halves the rate. It is the one place
where an address meets a hit, for the length of one call; nothing here writes or logs either.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import partial
from typing import Any

from collector import beacon as beacons
from collector.address import ClientAddress
from collector.anonymise import SourceReader, anonymise
from collector.beacon import BODY_BYTES_MAX, HEADERS_READ, Beacon, merged
from collector.clock import DayClock
from collector.consent import Outcome, Rules, decide
from collector.day_key import DayKeys
from collector.express import Answer, Reply
from collector.headers import Headers
from collector.known_queries import KnownQueries
from collector.salt import SaltDamaged
from collector.spool import Spool, Unavailable
from collector.view_limit import ViewLimit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Tell = Callable[[Outcome, str], None]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# One transparent pixel: GIF89a, 1 × 1, two colours, the second of them transparent.
PIXEL = bytes.fromhex(
    "4749463839610100010080010000000000000021f90401000001002c00000000010001000002024c01003b"
)
BODY_SECONDS_MAX = 10  # Browsers send a beacon's body with its head.
RETRY_AFTER = b"1"
JSON_TYPES = (b"", b"text/plain", b"application/json")

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
NO_ADDRESS = "X-Forwarded-For: the trusted proxy sent something that is not an address"


class BeaconsDoor:
    """Answers beacons; hands every other request to the router behind it."""

    def __init__(
        self,
        router: ASGIApp,
        *,
        rules: Rules,
        sources: SourceReader,
        client_address: ClientAddress,
        clock: DayClock,
        day_keys: DayKeys,
        view_limit: ViewLimit,
        spool: Spool,
        origins: Iterable[str] = (),
        path_prefix: str = "",
    ) -> None:
        self._router = router
        self._rules = rules
        self._sources = sources
        self._client_address = client_address
        self._clock = clock
        self._day_keys = day_keys
        self._view_limit = view_limit
        self._spool = spool
        self._origins = frozenset(origin.encode() for origin in origins)
        self._pixel_path = f"{path_prefix}/pixel.gif"
        self._pixels: dict[tuple[Outcome, bytes], Answer] = {}
        self._queries = KnownQueries()
        self.express = self
        self.path = f"{path_prefix}/pixel.gif?".encode()
        self.reads = HEADERS_READ
        self._beacon_path = f"{path_prefix}/beacon"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            if path == self._pixel_path and method == "GET":
                await self._pixel(scope, send)
                return
            if path == self._beacon_path:
                if method == "POST":
                    await self._beacon(scope, receive, send)
                    return
                if method == "OPTIONS":
                    await self._preflight(scope, send)
                    return
        await self._router(scope, receive, send)

    def answer(self, query: bytes, headers: dict[bytes, bytes], peer: str, reply: Reply) -> None:
        """Answer a pixel; see `express`."""
        self._take(
            self._queries.read(query, headers), peer, partial(self._show, headers, reply), query
        )

    def _show(
        self, request: Mapping[bytes, bytes], reply: Reply, outcome: Outcome, why: str
    ) -> None:
        if why:
            reply(Answer(*self._pixel_answer(outcome, why, request)))
            return
        known = outcome, request.get(b"origin", b"") if self._origins else b""
        answer = self._pixels.get(known)
        if answer is None:
            answer = Answer(*self._pixel_answer(outcome, why, request))
            if known[1] in self._origins or not known[1]:
                self._pixels[known] = answer
        reply(answer)

    async def _pixel(self, scope: Scope, send: Send) -> None:
        headers = merged(scope["headers"])
        outcome, why = await self.count(beacons.from_query(scope["query_string"], headers), scope)
        await _answer(send, *self._pixel_answer(outcome, why, headers))

    def _pixel_answer(
        self, outcome: Outcome, why: str, request: Mapping[bytes, bytes]
    ) -> tuple[int, Headers, bytes]:
        headers = PIXEL_HEADERS + self._headers(outcome, request)
        if why:  # The body must be the image, so the reason has only a header left.
            headers.append((b"x-counted-why", why.encode("ascii", "replace")))
        return STATUS.get(outcome, 200), headers, PIXEL

    async def _beacon(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = merged(scope["headers"])
        beacon = await _read_beacon(headers, receive)
        outcome, why = await self.count(beacon, scope)
        answer = self._headers(outcome, headers)
        status = STATUS.get(outcome, 204)
        body = b""
        if why:
            body = _error(outcome, why)
            answer.append((b"content-type", b"application/json"))
            answer.append((b"content-length", b"%d" % len(body)))
        await _answer(send, status, answer, body)

    async def count(self, beacon: Beacon, scope: Scope) -> tuple[Outcome, str]:
        """Take a beacon the whole way; return what became of it, and why not where it failed."""
        client = scope.get("client")
        told: asyncio.Future[tuple[Outcome, str]] = asyncio.get_running_loop().create_future()

        def tell(outcome: Outcome, why: str) -> None:
            if not told.done():  # a shutdown that ran out of time cancels its waiters
                told.set_result((outcome, why))

        self._take(beacon, client[0] if client else "", tell)
        return await told

    def _take(self, beacon: Beacon, peer: str, tell: Tell, query: bytes = b"") -> None:
        """Take a beacon the whole way; tell what became of it, now or when it is on disk."""
        outcome = decide(beacon, self._rules)
        why = beacon.fault
        if outcome is Outcome.YES:
            refusal = self._keep(beacon, peer, tell, query)
            if refusal is None:
                return
            outcome = refusal
            why = NO_ADDRESS if outcome is Outcome.MALFORMED else ""
        self._refuse(tell, outcome, why or WHY.get(outcome, ""))

    def _refuse(self, tell: Tell, outcome: Outcome, why: str) -> None:
        self._spool.keep_outcome(self._clock.read().day, outcome)
        tell(outcome, why)

    def _keep(self, beacon: Beacon, peer: str, tell: Tell, query: bytes) -> Outcome | None:
        """Hand a beacon's hit to the spool, which sees to telling; else return what it became."""
        address = self._client_address.read(peer, beacon.headers.get(b"x-forwarded-for", b""))
        if address is None:
            return Outcome.MALFORMED
        day, hour = self._clock.read()
        try:
            key = self._day_keys.of(day)
        except (OSError, SaltDamaged):
            self._spool.notice("no-salt", "The day's salt can't be made or read: see operations.md")
            return Outcome.UNAVAILABLE
        hit = anonymise(beacon, address, self._sources, hour=hour, key=key)
        if query and beacon.origin is None:
            self._queries.learn(query, beacon, hit)
        if not self._view_limit.allows(day, hit):
            return Outcome.OVER_LIMIT
        try:
            self._spool.put(day, hit, partial(self._kept, tell))
        except Unavailable:
            return Outcome.UNAVAILABLE
        return None

    def _kept(self, tell: Tell, kept: bool) -> None:
        if kept:
            tell(Outcome.YES, "")
        else:
            self._refuse(tell, Outcome.UNAVAILABLE, WHY[Outcome.UNAVAILABLE])

    def _headers(self, outcome: Outcome, request: Mapping[bytes, bytes]) -> Headers:
        answer = OUTCOME_HEADERS[outcome]
        if self._origins:
            return [*answer, (b"vary", b"origin"), *self._cors(request)]
        return answer.copy()

    def _cors(self, request: Mapping[bytes, bytes]) -> Headers:
        """Let a listed origin's script send its cookies and read X-Counted; never a wildcard."""
        origin = request.get(b"origin", b"")
        if origin not in self._origins:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"X-Counted"),
        ]

    async def _preflight(self, scope: Scope, send: Send) -> None:
        answer = [(b"vary", b"origin"), *self._cors(merged(scope["headers"]))]
        if len(answer) > 1:
            answer += [
                (b"access-control-allow-methods", b"POST"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", b"86400"),
            ]
        await _answer(send, 204, answer, b"")


async def _read_beacon(headers: Mapping[bytes, bytes], receive: Receive) -> Beacon:
    kind = headers.get(b"content-type", b"")
    if kind.partition(b";")[0].strip().lower() not in JSON_TYPES:
        return _faulty("Content-Type: must be text/plain or application/json")
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return _faulty("body: the connection closed before its end")
                body += message.get("body", b"")
                if len(body) > BODY_BYTES_MAX:
                    return _faulty(f"body: more than {BODY_BYTES_MAX} bytes")
                if not message.get("more_body"):
                    return beacons.from_body(body, headers)
    except TimeoutError:
        return _faulty(f"body: not complete after {BODY_SECONDS_MAX} seconds")


def _faulty(fault: str) -> Beacon:
    beacon = Beacon({})
    beacon.fault = fault
    return beacon


def _error(outcome: Outcome, why: str) -> bytes:
    field = FIELD_OF.get(outcome) or (why.partition(":")[0] if ":" in why else None)
    return json.dumps({"error": {"code": outcome, "message": why, "field": field}}).encode()


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
