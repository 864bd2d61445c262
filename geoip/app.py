"""The door: POST /location for the marketplace's server, GET, PUT and DELETE for a buyer's browser.

A plain ASGI callable, because Starlette's request objects cost half of the rate. It may hold an
address for one request. It writes nothing; it logs only the kind of an error that we didn't
expect, because an error's text could quote an address.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

from starlette.routing import Route

from geoip import names, question
from geoip.address import IPAddress
from geoip.answer import Answers, basis_of
from geoip.browser import Site, chosen_country, read
from geoip.country import NOWHERE, Countries
from geoip.exchange import (
    METHODS,
    Header,
    Receive,
    Refused,
    Send,
    answer_headers,
    body,
    error_json,
    send_answer,
)
from geoip.question import Lookup, Malformed
from geoip.zones import Zones

Scope = MutableMapping[str, Any]
Authorise = Callable[[frozenset[str], str | None], object]
ClientAddress = Callable[[Scope], IPAddress | None]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Parsed = TypeVar("Parsed")
Reply = tuple[int, bytes, list[Header]]

PATH = "/location"
SCOPES = frozenset({"location"})
QUERY_BYTES_MAX = 1024
PREFLIGHT_SECONDS = 600

_log = logging.getLogger("geoip")


class Request(NamedTuple):
    """What is read of a request; `headers` by name, those in READ, repeated ones joined."""

    method: str
    scheme: str
    query: bytes
    headers: Mapping[bytes, bytes]
    peer: str


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
        self.countries = countries
        self._site = site
        self.clock = clock
        self._answers = Answers(zones)
        # Lookups by basis, and refusals; never by country.
        self.tally: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        request = Request(
            scope["method"], scope["scheme"], scope["query_string"], read(scope["headers"]),
            client[0] if client else "",
        )  # fmt: skip
        try:
            self._admit(request)
            content = await body(receive) if request.method in ("POST", "PUT") else b""
            reply = self._reply(request, content)
        except Exception as error:  # the last line before a traceback that could quote an address
            reply = self._failure(error)
        await send_answer(send, request.method, *self._whole(request, reply))

    def at_once(
        self, method: str, query: bytes, headers: Mapping[bytes, bytes], content: bytes, peer: str
    ) -> tuple[int, list[Header], bytes]:
        """Return status, headers and body of the answer to a whole request, GET or POST.

        headers  those in READ, by name, repeated ones joined
        """
        request = Request(method, "", query, headers, peer)
        try:
            self._admit(request)
            reply = self._reply(request, content)
        except Exception as error:  # as above
            reply = self._failure(error)
        return self._whole(request, reply)

    def _admit(self, request: Request) -> None:
        """Refuse whoever may not ask, before a body is read."""
        if request.method == "POST":
            header = request.headers.get(b"authorization")
            try:
                self._authorise(SCOPES, None if header is None else header.decode("latin-1"))
            except PermissionError as error:
                raise Refused(401, "unauthorised", str(error), "Authorization") from None
        elif request.method in ("PUT", "DELETE"):
            self._require_origin(request)

    def _reply(self, request: Request, content: bytes) -> Reply:
        method = request.method
        if method == "OPTIONS":
            return 204, b"", [(b"allow", METHODS.encode())]
        language = _language(request)
        if method == "POST":
            return 200, self._post(content, language), []
        if method in ("GET", "HEAD"):
            chosen = chosen_country(request.headers.get(b"cookie", b""))
            return self._browser(request, chosen, language)
        if method == "PUT":
            choice = _read(question.read_choice, content)
            status, content, extra = self._browser(request, choice, language)
            return status, content, [*extra, _set_cookie(self._site.set_cookie(choice))]
        if method == "DELETE":
            status, content, extra = self._browser(request, None, language)
            return status, content, [*extra, _set_cookie(self._site.forget_cookie())]
        raise Refused(405, "method-not-allowed", f"use one of {METHODS}")

    def _failure(self, error: Exception) -> Reply:
        if isinstance(error, Refused):
            self.tally["refused"] += 1
            content = error_json(error.code, str(error), error.field)
            return error.status, content, error.headers()
        self.tally["failed"] += 1
        _log.error("%s while answering; nothing was kept", type(error).__name__)
        return 500, error_json("internal", "something failed on our side", None), []

    def _whole(self, request: Request, reply: Reply) -> tuple[int, list[Header], bytes]:
        status, content, extra = reply
        if b"origin" in request.headers:
            extra = [*extra, *self._cors(request.method, request.headers[b"origin"])]
        return status, answer_headers(request.method, status, content, extra), content

    def _post(self, content: bytes, language: str) -> bytes:
        asked = _read(question.read, content)
        language = asked.language or language
        now = self.clock()
        if not asked.is_batch:
            return self._one(asked.lookups[0], language, now)
        results = b", ".join([self._one(lookup, language, now) for lookup in asked.lookups])
        return b'{"results": [%b]}' % results

    def _one(self, lookup: Lookup | Malformed, language: str, now: float) -> bytes:
        if isinstance(lookup, Malformed):
            self.tally["malformed"] += 1
            return error_json("malformed", str(lookup), lookup.field)
        address = lookup.address
        found = NOWHERE if address is None else self.countries.find(address)
        self.tally[basis_of(found, lookup.chosen)] += 1
        return self._answers.full(
            found,
            chosen=lookup.chosen,
            postcode=lookup.postcode,
            language=language,
            looked_up=address is not None,
            database=self.countries.database,
            now=now,
        )

    def _browser(self, request: Request, chosen: str | None, language: str) -> Reply:
        # With a choice the address isn't even read.
        address = None
        if chosen is None:
            scope = {"headers": list(request.headers.items()), "client": (request.peer, 0)}
            address = self._client_address(scope)
        found = NOWHERE if address is None else self.countries.find(address)
        self.tally[basis_of(found, chosen)] += 1
        content = self._answers.short(found, chosen=chosen, language=language)
        return 200, content, _in(language)

    def notices(self) -> list[str]:
        """Return a sentence for everything about the database that an operator should read."""
        database, now = self.countries.database, self.clock()
        notices = []
        if problem := self.countries.problem:
            notices.append(f"country database refused: {problem}; {database.path} answers instead")
        if database.is_stale(now):
            notices.append(
                f"country database: {database.age_days(now)} days old; "
                "`collector geoip update` fetches a new one"
            )
        return notices

    def before(self, application: Application, path_prefix: str = "") -> Application:
        """Return an application that answers this door's path itself and leaves the rest.

        Why     Starlette's middleware and router cost a lookup a fifth of its time.
        """
        path = f"{path_prefix}{PATH}"

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] == path:
                await self(scope, receive, send)
            else:
                await application(scope, receive, send)

        return answer

    def routes(self, path_prefix: str = "") -> list[Route]:
        """Return the door for a Starlette router."""
        return [Route(f"{path_prefix}{PATH}", endpoint=self)]

    def _require_origin(self, request: Request) -> None:
        origin = request.headers.get(b"origin")
        host = request.headers.get(b"host")
        if origin is None or not (
            self._site.is_ours(origin, host, request.scheme) or self._site.is_allowed(origin)
        ):
            raise Refused(
                403,
                "forbidden-origin",
                "only a page of this site, or of an origin in ORIGINS, may change the choice",
                "Origin",
            )

    def _cors(self, method: str, origin: bytes) -> list[Header]:
        if not self._site.is_allowed(origin):
            return []
        allowed = [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
        ]
        if method == "OPTIONS":
            allowed += [
                (b"access-control-allow-methods", b"GET, PUT, DELETE"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ]
        return allowed


def _language(request: Request) -> str:
    """Return the language by `?lang=`, else by Accept-Language; refuse an address in the URL."""
    if request.query:
        query = request.query[:QUERY_BYTES_MAX].decode("latin-1")
        fields = parse_qs(query, keep_blank_values=True)
        if "ip" in fields:
            raise Refused(400, "malformed", "an address belongs in the body, never in a URL", "ip")
        if "lang" in fields:
            if language := names.offered(fields["lang"][0]):
                return language
            known = ", ".join(sorted(names.LANGUAGES))
            raise Refused(400, "malformed", f"lang: must be one of {known}", "lang")
    accepted = request.headers.get(b"accept-language")
    return names.DEFAULT_LANGUAGE if accepted is None else names.negotiated(accepted)


def _read(reader: Callable[[bytes], Parsed], content: bytes) -> Parsed:
    try:
        return reader(content)
    except Malformed as error:
        raise Refused(400, "malformed", str(error), error.field) from None


def _set_cookie(cookie: str) -> Header:
    return b"set-cookie", cookie.encode()


def _in(language: str) -> list[Header]:
    return [(b"content-language", language.encode())]
