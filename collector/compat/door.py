"""The compatibility door: GoatCounter's `/count` and Plausible's `/api/event`, off by default.

Their scripts stay as they are and get the answers that they expect; what becomes of a visit is
decided by the same checks as for our own beacons, and told in X-Counted as well.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from collector.beacon import BODY_BYTES_MAX, Beacon, merged
from collector.compat.dialects import (
    BadVisit,
    Listed,
    Pattern,
    Sign,
    Visit,
    read_goatcounter,
    read_plausible,
    to_beacon,
)
from collector.consent import Outcome

Count = Callable[[Beacon, Any], Awaitable[tuple[Outcome, str]]]
RETRY_AFTER = "1"


@dataclass(frozen=True, slots=True)
class CompatDoor:
    """What the routes need.

    count    takes a beacon the whole way, with the ASGI scope that it came in
    pixel    the image that GoatCounter's script may ask for
    """

    count: Count
    known: tuple[Pattern, ...]
    listed: Listed
    sign: Sign
    pixel: bytes
    origins: frozenset[str] = frozenset()
    path_prefix: str = ""

    def routes(self) -> list[BaseRoute]:
        """Return the routes; none at all without a pattern."""
        if not self.known:
            return []
        count, event = f"{self.path_prefix}/count", f"{self.path_prefix}/api/event"
        return [
            Route(count, self._goatcounter, methods=["GET", "POST"]),
            Route(event, self._plausible, methods=["POST"]),
            Route(count, self._preflight, methods=["OPTIONS"]),
            Route(event, self._preflight, methods=["OPTIONS"]),
        ]

    async def _goatcounter(self, request: Request) -> Response:
        """200 and the image; 400 and the image with the reason; 202 for what is left out."""
        headers = self._headers(request)
        try:
            outcome, why = await self._visit(read_goatcounter(request.url.query), request)
        except BadVisit as error:
            headers |= {"X-Goatcounter": str(error), "X-Counted": Outcome.MALFORMED}
            return Response(self.pixel, 400, headers, "image/gif")
        status = {Outcome.YES: 200, Outcome.MALFORMED: 400, Outcome.OVER_LIMIT: 429}
        if outcome is not None:
            headers["X-Counted"] = outcome
            if outcome is Outcome.UNAVAILABLE:
                headers["Retry-After"] = RETRY_AFTER
                return Response(self.pixel, 503, headers, "image/gif")
        if why:
            headers["X-Goatcounter"] = why
        code = status.get(outcome, 202) if outcome is not None else 202
        return Response(self.pixel, code, headers, "image/gif")

    async def _plausible(self, request: Request) -> Response:
        """202 and `ok`; with x-plausible-dropped for what is left out; 400 and the errors."""
        headers = self._headers(request)
        try:
            outcome, why = await self._visit(read_plausible(await _body(request)), request)
        except BadVisit as error:
            headers["X-Counted"] = Outcome.MALFORMED
            return JSONResponse({"errors": {error.field: [error.why]}}, 400, headers)
        if outcome is not None:
            headers["X-Counted"] = outcome
        if outcome is Outcome.UNAVAILABLE:
            headers["Retry-After"] = RETRY_AFTER
            return PlainTextResponse(why, 503, headers)
        if outcome is not Outcome.YES:
            headers["x-plausible-dropped"] = "1"
        return PlainTextResponse("ok", 202, headers)

    async def _visit(self, visit: Visit | None, request: Request) -> tuple[Outcome | None, str]:
        """Return what became of it; None for what is not about a product's page."""
        if visit is None:
            return None, ""
        beacon = to_beacon(
            visit,
            merged(request.headers.raw),
            known=self.known,
            listed=self.listed,
            sign=self.sign,
        )
        return await self.count(beacon, request.scope) if beacon is not None else (None, "")

    async def _preflight(self, request: Request) -> Response:
        headers = self._headers(request)
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = "GET, POST"
            headers["Access-Control-Allow-Headers"] = "content-type"
            headers["Access-Control-Max-Age"] = "86400"
        return Response(status_code=204, headers=headers)

    def _headers(self, request: Request) -> dict[str, str]:
        """Let a listed origin's page send its cookies and read the answer; never a wildcard."""
        headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}
        if self.origins:
            headers["Vary"] = "Origin"
        origin = request.headers.get("origin", "")
        if origin in self.origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
            headers["Access-Control-Expose-Headers"] = "X-Counted"
        return headers


async def _body(request: Request) -> bytes:
    """Return the body, cut once it is longer than any that will be read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            break
    return body
