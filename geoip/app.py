"""The door: POST /location for the marketplace's server, GET, PUT and DELETE for a buyer's browser.

A plain ASGI callable, because Starlette's request objects cost half of the rate. It may hold an
address for one request. It writes nothing; it logs only the kind of an error that we didn't
expect, because an error's text could quote an address.
"""

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.routing import Route

from geoip import names, question
from geoip.address import IPAddress
from geoip.answer import Answers, basis_of
from geoip.browser import Site, chosen_country, header
from geoip.country import NOWHERE, Countries
from geoip.question import BODY_BYTES_MAX, Lookup, Malformed
from geoip.zones import Zones

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Authorise = Callable[[frozenset[str], str | None], object]
ClientAddress = Callable[[Scope], IPAddress | None]
Parsed = TypeVar("Parsed")

PATH = "/location"
SCOPES = frozenset({"location"})
METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
BODY_SECONDS_MAX = 10.0  # The server has no deadline of its own for a slow sender.
QUERY_BYTES_MAX = 1024
PREFLIGHT_SECONDS = 600

_log = logging.getLogger("geoip")


class Refused(Exception):
    """A request that is answered with an error; the sentence never quotes what came."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class Location:
    """The door as an ASGI application.

    authorise       raises PermissionError with a sentence when the header grants nothing
    client_address  the browser's address by the root's proxy rules, or None
    clock           seconds since 1970
    """

    def __init__(
        self,
        *,
        authorise: Authorise,
        client_address: ClientAddress,
        countries: Countries,
        zones: Zones,
        site: Site,
        clock: Callable[[], float],
    ) -> None:
        self._authorise = authorise
        self._client_address = client_address
        self._countries = countries
        self._site = site
        self._clock = clock
        self._answers = Answers(zones)
        # Lookups by basis, and refusals; never by country.
        self.tally: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extra: list[tuple[bytes, bytes]] = []
        try:
            status, text, extra = await self._answer(scope, receive)
        except Refused as refusal:
            self.tally["refused"] += 1
            status, text = refusal.status, _error(refusal.code, str(refusal), refusal.field)
            extra = _extra_for(refusal)
        except Exception as error:  # the last line before a traceback that could quote an address
            _log.error("geoip: %s while answering; nothing was kept", type(error).__name__)
            status, text = 500, _error("internal", "something failed on our side", None)
        extra += self._cors(scope)
        await _send(send, status, b"" if scope["method"] == "HEAD" else text.encode(), extra)

    async def _answer(
        self, scope: Scope, receive: Receive
    ) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        method = scope["method"]
        if method == "OPTIONS":
            return 204, "", [(b"allow", METHODS.encode())]
        language = _language(scope)
        if method == "POST":
            return await self._post(scope, receive, language)
        if method in ("GET", "HEAD"):
            return self._browser(scope, chosen_country(scope["headers"]), language)
        if method == "PUT":
            self._require_origin(scope)
            choice = _read(question.read_choice, await _body(receive))
            status, text, extra = self._browser(scope, choice, language)
            return status, text, [*extra, (b"set-cookie", self._site.set_cookie(choice).encode())]
        if method == "DELETE":
            self._require_origin(scope)
            status, text, extra = self._browser(scope, None, language)
            return status, text, [*extra, (b"set-cookie", self._site.forget_cookie().encode())]
        raise Refused(405, "method-not-allowed", f"use one of {METHODS}")

    async def _post(
        self, scope: Scope, receive: Receive, language: str
    ) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        try:
            self._authorise(SCOPES, header(scope["headers"], b"authorization"))
        except PermissionError as error:
            raise Refused(401, "unauthorised", str(error), "Authorization") from None
        asked = _read(question.read, await _body(receive))
        language = asked.language or language
        now = self._clock()
        if not asked.is_batch:
            return 200, self._one(asked.lookups[0], language, now), _in(language)
        results = ", ".join([self._one(lookup, language, now) for lookup in asked.lookups])
        return 200, f'{{"results": [{results}]}}', _in(language)

    def _one(self, lookup: Lookup | Malformed, language: str, now: float) -> str:
        if isinstance(lookup, Malformed):
            self.tally["malformed"] += 1
            return _error("malformed", str(lookup), lookup.field)
        address = lookup.address
        found = NOWHERE if address is None else self._countries.find(address)
        self.tally[basis_of(found, lookup.chosen)] += 1
        return self._answers.full(
            found,
            chosen=lookup.chosen,
            postcode=lookup.postcode,
            language=language,
            looked_up=address is not None,
            database=self._countries.database,
            now=now,
            id_=secrets.token_hex(8),
        )

    def _browser(
        self, scope: Scope, chosen: str | None, language: str
    ) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        # With a choice the address isn't even read.
        address = None if chosen is not None else self._client_address(scope)
        found = NOWHERE if address is None else self._countries.find(address)
        self.tally[basis_of(found, chosen)] += 1
        text = self._answers.short(found, chosen=chosen, postcode=None, language=language)
        return 200, text, _in(language)

    def _require_origin(self, scope: Scope) -> None:
        origin = header(scope["headers"], b"origin")
        host = header(scope["headers"], b"host")
        if origin is None or not (
            self._site.is_ours(origin, host, scope["scheme"]) or self._site.is_allowed(origin)
        ):
            raise Refused(
                403,
                "forbidden-origin",
                "only a page of this site, or of an origin in ORIGINS, may change the choice",
                "Origin",
            )

    def _cors(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        origin = header(scope["headers"], b"origin")
        if origin is None or not self._site.is_allowed(origin):
            return []
        allowed = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        ]
        if scope["method"] == "OPTIONS":
            allowed += [
                (b"access-control-allow-methods", b"GET, PUT, DELETE"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ]
        return allowed


def routes(
    *,
    authorise: Authorise,
    client_address: ClientAddress,
    countries: Countries,
    zones: Zones,
    site: Site,
    clock: Callable[[], float],
) -> list[Route]:
    """Return the door as Starlette routes; the arguments are those of `Location`."""
    door = Location(
        authorise=authorise,
        client_address=client_address,
        countries=countries,
        zones=zones,
        site=site,
        clock=clock,
    )
    return [Route(PATH, endpoint=door)]


def _language(scope: Scope) -> str:
    """Return the language by `?lang=`, else by Accept-Language; refuse an address in the URL."""
    query = scope["query_string"]
    if query:
        fields = parse_qs(query[:QUERY_BYTES_MAX].decode("latin-1"), keep_blank_values=True)
        if "ip" in fields:
            raise Refused(400, "malformed", "an address belongs in the body, never in a URL", "ip")
        if "lang" in fields:
            if language := names.offered(fields["lang"][0]):
                return language
            known = ", ".join(sorted(names.LANGUAGES))
            raise Refused(400, "malformed", f"lang: must be one of {known}", "lang")
    accepted = header(scope["headers"], b"accept-language")
    return names.DEFAULT_LANGUAGE if accepted is None else names.negotiated(accepted)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "malformed", "the sender hung up", "body")
                body += message.get("body", b"")
                if len(body) > BODY_BYTES_MAX:
                    raise Refused(413, "too-large", f"body: at most {BODY_BYTES_MAX} bytes", "body")
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Refused(
            408, "too-slow", f"body: send it within {BODY_SECONDS_MAX:.0f} seconds", "body"
        ) from None


def _read(reader: Callable[[bytes], Parsed], body: bytes) -> Parsed:
    try:
        return reader(body)
    except Malformed as error:
        raise Refused(400, "malformed", str(error), error.field) from None


def _in(language: str) -> list[tuple[bytes, bytes]]:
    return [(b"content-language", language.encode())]


def _extra_for(refusal: Refused) -> list[tuple[bytes, bytes]]:
    if refusal.status == 401:
        return [(b"www-authenticate", b"Bearer")]
    return [(b"allow", METHODS.encode())] if refusal.status == 405 else []


def _error(code: str, message: str, field: str | None) -> str:
    return json.dumps({"error": {"code": code, "message": message, "field": field}})


async def _send(send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept-Language, Cookie, Origin"),
        (b"x-content-type-options", b"nosniff"),
        *extra,
    ]
    if status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
