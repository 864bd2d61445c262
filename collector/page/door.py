"""The consent door: scripts, consent and own visits, for browsers. Routes behind the beacons.

It reads cookies and the browser's refusal signals, never an address or a user agent; removing
what was counted is the composition root's `withdraw`, which does.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from collector.consent_cookies import Reader, cookie_values
from collector.consent_managers import Choice
from collector.page import consent_pages as pages
from collector.page.scripts import NOBODY, Look, Script

Withdraw = Callable[[Any], Awaitable[bool]]
RETRY_AFTER = "1"
GPC_LAST_UPDATE = "2026-11-22"


@dataclass(frozen=True, slots=True)
class ConsentDoor:
    """What the routes need.

    read_choice  reads the visitor's choice from the raw Cookie header
    withdraw     takes the ASGI scope and removes today's hits of its browser and connection;
                 returns once that is on disk, False when it can't be kept
    own_consent  our own cookie decides, so a choice made here is kept in it
    """

    read_choice: Reader
    withdraw: Withdraw
    today: Callable[[], date]
    beacon_js: Script
    consent_js: Script
    own_consent: bool = True
    consent_cookie: str = "statistics_consent"
    own_cookie: str = "collector_own"
    cookie_domain: str = ""
    public_url: str = ""
    origins: frozenset[str] = frozenset()
    path_prefix: str = ""
    honour_gpc: bool = True
    honour_dnt: bool = True
    look: Look = NOBODY

    def routes(self) -> list[BaseRoute]:
        """Return the routes, each below PATH_PREFIX; gpc.json also where browsers look for it."""
        prefix = self.path_prefix
        made: list[BaseRoute] = [
            Route(f"{prefix}/beacon.js", self._beacon_js, methods=["GET"]),
            Route(f"{prefix}/consent.js", self._consent_js, methods=["GET"]),
            Route(f"{prefix}/consent", self._show, methods=["GET"]),
            Route(f"{prefix}/consent", self._choose, methods=["POST"]),
            Route(f"{prefix}/consent", self._preflight, methods=["OPTIONS"]),
            Route(f"{prefix}/own", self._show_own, methods=["GET"]),
            Route(f"{prefix}/own", self._choose_own, methods=["POST"]),
        ]
        for path in {"/.well-known/gpc.json", f"{prefix}/.well-known/gpc.json"}:
            made.append(Route(path, self._gpc, methods=["GET"]))
        return made

    async def _beacon_js(self, request: Request) -> Response:
        return _scripted(self.beacon_js, request)

    async def _consent_js(self, request: Request) -> Response:
        return _scripted(self.consent_js, request)

    async def _gpc(self, request: Request) -> Response:
        return JSONResponse({"gpc": self.honour_gpc, "lastUpdate": GPC_LAST_UPDATE})

    async def _show(self, request: Request) -> Response:
        choice = self.read_choice(_cookies(request))
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"choice": _word(choice)}, headers=self._cors(request))
        said = request.query_params.get("said")
        body = pages.consent_page(
            lang=_language(request),
            choice=choice,
            signalled=self._signalled(request),
            # Only what the cookie says too: a link can't claim that something was removed.
            said=choice if said == choice.value else Choice.NONE,
            action=f"{self.path_prefix}/consent",
            look=self.look,
            own_consent=self.own_consent,
        )
        return _paged(body)

    async def _choose(self, request: Request) -> Response:
        refusal = self._foreign(request)
        if refusal is not None:
            return refusal
        cors = self._cors(request)
        try:
            answer = pages.read_answer(
                request.headers.get("content-type", ""), await _body(request)
            )
        except pages.BadAnswer as error:
            return _error(400, "malformed", str(error), cors)
        if not self.own_consent and answer.choice is Choice.GRANTED:
            why = "choice: this site's consent manager keeps it, in a cookie of its own"
            return _error(409, "not-ours", why, cors)
        if answer.choice is Choice.REFUSED:
            carried = self.read_choice(_cookies(request)) is Choice.GRANTED
            if (carried or answer.withdrawn) and not await self.withdraw(request.scope):
                why = "nothing can be kept at the moment; try again in a second"
                return _error(503, "unavailable", why, {**cors, "Retry-After": RETRY_AFTER})
        response: Response = JSONResponse({"choice": answer.choice.value}, headers=cors)
        if answer.is_form:
            query = f"lang={answer.language}&said={answer.choice.value}"
            response = RedirectResponse(f"{self.path_prefix}/consent?{query}", 303)
        if self.own_consent:
            value = pages.own_consent_value(answer.choice, self.today())
            response.headers.append("Set-Cookie", self._cookie(request, self.consent_cookie, value))
        return response

    async def _show_own(self, request: Request) -> Response:
        body = pages.own_page(
            lang=_language(request),
            left_out=bool(cookie_values(_cookies(request), self.own_cookie.encode())),
            action=f"{self.path_prefix}/own",
            look=self.look,
        )
        return _paged(body)

    async def _choose_own(self, request: Request) -> Response:
        refusal = self._foreign(request)
        if refusal is not None:
            return refusal
        try:
            fields = pages.read_form(await _body(request))
        except pages.BadAnswer as error:
            return _error(400, "malformed", str(error), {})
        if fields.get("own") not in ("yes", "no"):
            return _error(400, "malformed", 'own: must be "yes" or "no"', {})
        lang = pages.language(fields.get("lang", ""), "")
        response = RedirectResponse(f"{self.path_prefix}/own?lang={lang}", 303)
        value = "1" if fields["own"] == "yes" else ""
        response.headers.append("Set-Cookie", self._cookie(request, self.own_cookie, value))
        return response

    async def _preflight(self, request: Request) -> Response:
        cors = self._cors(request)
        if "Access-Control-Allow-Origin" in cors:
            cors["Access-Control-Allow-Methods"] = "GET, POST"
            cors["Access-Control-Allow-Headers"] = "content-type"
            cors["Access-Control-Max-Age"] = "86400"
        return Response(status_code=204, headers=cors)

    def _signalled(self, request: Request) -> bool:
        headers = request.headers
        gpc = self.honour_gpc and headers.get("sec-gpc") == "1"
        return gpc or (self.honour_dnt and headers.get("dnt") == "1")

    def _foreign(self, request: Request) -> Response | None:
        """Refuse who is neither our own page nor one of ORIGINS: it must not grant or erase."""
        origin = request.headers.get("origin", "")
        if origin in self.origins or (origin and self._is_own(origin, request)):
            return None
        why = "Origin: neither this server's own nor one of ORIGINS"
        return _error(403, "foreign-origin", why, {"Vary": "Origin"})

    def _is_own(self, origin: str, request: Request) -> bool:
        # A proxy may have changed Host; the browser's own word can't be forged by a page.
        if request.headers.get("sec-fetch-site") == "same-origin":
            return True
        parts = _parts(origin)
        own = urlsplit(self.public_url)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme in ("http", "https") and parts.netloc == request.headers.get("host")

    def _cors(self, request: Request) -> dict[str, str]:
        """Let a listed origin's page send its cookies and read the answer; never a wildcard."""
        headers = {"Cache-Control": "no-store", "Vary": "Origin, Accept"}
        origin = request.headers.get("origin", "")
        if origin in self.origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    def _cookie(self, request: Request, name: str, value: str) -> str:
        origin = _parts(request.headers.get("origin", ""))
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        # Browsers count loopback names as secure, so that a developer sees what visitors will.
        local = host == "localhost" or host.endswith(".localhost")
        return pages.cookie_header(
            name,
            value,
            secure=origin.scheme == "https" or self.public_url.startswith("https://") or local,
            domain=self.cookie_domain,
            cross_site=request.headers.get("sec-fetch-site") == "cross-site",
        )


def _parts(origin: str) -> SplitResult:
    """Return an origin's parts; none of one that can't be read."""
    try:
        return urlsplit(origin)
    except ValueError:
        return urlsplit("")


def _scripted(script: Script, request: Request) -> Response:
    status, headers, body = script.answer(request.headers.raw)
    response = Response(body, status)
    response.raw_headers = headers
    return response


def _paged(body: bytes) -> Response:
    headers = {**dict(pages.PAGE_HEADERS), "Vary": "Accept, Accept-Language"}
    return Response(body, 200, headers, media_type="text/html")


def _error(status: int, code: str, why: str, headers: dict[str, str]) -> Response:
    field_name = why.partition(":")[0] if ":" in why else None
    body = {"error": {"code": code, "message": why, "field": field_name}}
    return JSONResponse(body, status, headers)


def _word(choice: Choice) -> str | None:
    return None if choice is Choice.NONE else choice.value


def _cookies(request: Request) -> bytes:
    return b"; ".join(value for name, value in _raw(request) if name == b"cookie")


def _raw(request: Request) -> Iterable[tuple[bytes, bytes]]:
    return request.headers.raw


def _language(request: Request) -> str:
    return pages.language(
        request.query_params.get("lang", ""), request.headers.get("accept-language", "")
    )


async def _body(request: Request) -> bytes:
    """Return the body, cut one byte past what is allowed: enough to know that it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > pages.ANSWER_BYTES_MAX:
            break
    return body
