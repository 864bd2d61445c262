"""The beacons door: GET /pixel.gif and POST /beacon, ahead of everything else.

A plain ASGI callable, because a router with request objects halves the rate. It is the one place
where an address meets a hit, for the length of one call; nothing here writes or logs either.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from datetime import date
from functools import partial
from typing import Any

from collector import beacon as beacons
from collector.address import ClientAddress
from collector.anonymise import SourceReader, anonymise
from collector.beacon import BODY_BYTES_MAX, HEADERS_READ, Beacon, merged
from collector.beacon_answers import WHY, BeaconAnswers, wrong_method
from collector.clock import DayClock
from collector.consent import Outcome, Rules, decide
from collector.day_key import DayKeys
from collector.hit import Hit
from collector.http.express import Lane, Lanes, Reply
from collector.http.headers import Headers
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

BODY_SECONDS_MAX = 10  # Browsers send a beacon's body with its head.
JSON_TYPES = (b"", b"text/plain", b"application/json")
WRONG_TYPE = "Content-Type: must be text/plain or application/json"
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
        express: Lanes | None = None,
    ) -> None:
        """express: what the router behind it answers without ASGI."""
        self._router = router
        self._rules = rules
        self._sources = sources
        self._client_address = client_address
        self._clock = clock
        self._day_keys = day_keys
        self._view_limit = view_limit
        self._spool = spool
        self._answers = BeaconAnswers(origins)
        self._queries = KnownQueries()
        self._pixel_path = f"{path_prefix}/pixel.gif"
        self._beacon_path = f"{path_prefix}/beacon"
        pixel = Lane(HEADERS_READ, self._pixel_at_once)
        beacon = Lane(HEADERS_READ, self._beacon_at_once, BODY_BYTES_MAX)
        self.express: Lanes = {
            (b"GET", self._pixel_path.encode()): pixel,
            (b"POST", self._beacon_path.encode()): beacon,
            **(express or {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            if path == self._pixel_path:
                if method == "GET":
                    await self._pixel(scope, send)
                else:
                    await _answer(send, *wrong_method("GET"))
                return
            if path == self._beacon_path:
                if method == "POST":
                    await self._beacon(scope, receive, send)
                elif method == "OPTIONS":
                    await self._preflight(scope, send)
                else:
                    await _answer(send, *wrong_method("OPTIONS, POST"))
                return
        await self._router(scope, receive, send)

    def _pixel_at_once(
        self, query: bytes, headers: dict[bytes, bytes], body: bytes, peer: str, reply: Reply
    ) -> None:
        beacon = self._queries.read(query, headers)
        self._take(beacon, peer, partial(self._tell, "pixel", headers, reply), query)

    def _beacon_at_once(
        self, query: bytes, headers: dict[bytes, bytes], body: bytes, peer: str, reply: Reply
    ) -> None:
        beacon = _read_body(headers, body)
        self._take(beacon, peer, partial(self._tell, "beacon", headers, reply))

    def _tell(
        self, kind: str, request: dict[bytes, bytes], reply: Reply, outcome: Outcome, why: str
    ) -> None:
        reply(self._answers.kept(kind, outcome, why, request))

    async def _pixel(self, scope: Scope, send: Send) -> None:
        headers = merged(scope["headers"])
        outcome, why = await self.count(beacons.from_query(scope["query_string"], headers), scope)
        await _answer(send, *self._answers.pixel(outcome, why, headers))

    async def _beacon(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = merged(scope["headers"])
        outcome, why = await self.count(await _read_beacon(headers, receive), scope)
        await _answer(send, *self._answers.beacon(outcome, why, headers))

    async def _preflight(self, scope: Scope, send: Send) -> None:
        await _answer(send, *self._answers.preflight(merged(scope["headers"])))

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
            self._spool.put(day, hit, partial(self._kept, tell, day, hit))
        except Unavailable:
            self._view_limit.take_back(day, hit)
            return Outcome.UNAVAILABLE
        return None

    def _kept(self, tell: Tell, day: date, hit: Hit, kept: bool) -> None:
        if kept:
            tell(Outcome.YES, "")
        else:
            self._view_limit.take_back(day, hit)
            self._refuse(tell, Outcome.UNAVAILABLE, WHY[Outcome.UNAVAILABLE])


async def _read_beacon(headers: Mapping[bytes, bytes], receive: Receive) -> Beacon:
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
                    return _read_body(headers, body)
    except TimeoutError:
        return _faulty(f"body: not complete after {BODY_SECONDS_MAX} seconds")


def _read_body(headers: Mapping[bytes, bytes], body: bytes) -> Beacon:
    kind = headers.get(b"content-type", b"")
    if kind.partition(b";")[0].strip().lower() not in JSON_TYPES:
        return _faulty(WRONG_TYPE)
    return beacons.from_body(body, headers)


def _faulty(fault: str) -> Beacon:
    beacon = Beacon({})
    beacon.fault = fault
    return beacon


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
