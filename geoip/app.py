"""The door: POST /location for the marketplace's server, GET, PUT and DELETE for a buyer's browser.

A plain ASGI callable, because Starlette's request objects cost half of the rate. It may hold an
address for one request. It writes nothing; it logs only the kind of an error that we didn't
expect, because an error's text could quote an address.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.routing import Route

from geoip import names, question
from geoip.address import IPAddress
from geoip.answer import Answers, basis_of
from geoip.browser import Site, chosen_country, once
from geoip.country import NOWHERE, Countries
from geoip.exchange import METHODS, Header, Receive, Refused, Send, body, error_json, send_answer
from geoip.question import Lookup, Malformed
from geoip.zones import Zones

Scope = MutableMapping[str, Any]
Authorise = Callable[[frozenset[str], str | None], object]
ClientAddress = Callable[[Scope], IPAddress | None]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Parsed = TypeVar("Parsed")
Once = dict[bytes, str | None]  # headers that were sent once
Reply = tuple[int, bytes, list[Header]]

PATH = "/location"
SCOPES = frozenset({"location"})
QUERY_BYTES_MAX = 1024
PREFLIGHT_SECONDS = 600

_log = logging.getLogger("geoip")


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
        headers = once(scope["headers"])
        extra: list[Header]
        try:
            status, content, extra = await self._answer(scope, headers, receive)
        except Refused as refusal:
            self.tally["refused"] += 1
            status, content = refusal.status, error_json(refusal.code, str(refusal), refusal.field)
            extra = refusal.headers()
        except Exception as error:  # the last line before a traceback that could quote an address
            self.tally["failed"] += 1
            _log.error("geoip: %s while answering; nothing was kept", type(error).__name__)
            status, content = 500, error_json("internal", "something failed on our side", None)
            extra = []
        if b"origin" in headers:
            extra += self._cors(scope["method"], headers[b"origin"])
        await send_answer(send, scope["method"], status, content, extra)

    async def _answer(self, scope: Scope, headers: Once, receive: Receive) -> Reply:
        method = scope["method"]
        if method == "OPTIONS":
            return 204, b"", [(b"allow", METHODS.encode())]
        language = _language(scope["query_string"], headers)
        if method == "POST":
            return await self._post(headers, receive, language)
        if method in ("GET", "HEAD"):
            return self._browser(scope, chosen_country(scope["headers"]), language)
        if method == "PUT":
            self._require_origin(headers, scope["scheme"])
            choice = _read(question.read_choice, await body(receive))
            status, content, extra = self._browser(scope, choice, language)
            return status, content, [*extra, _set_cookie(self._site.set_cookie(choice))]
        if method == "DELETE":
            self._require_origin(headers, scope["scheme"])
            status, content, extra = self._browser(scope, None, language)
            return status, content, [*extra, _set_cookie(self._site.forget_cookie())]
        raise Refused(405, "method-not-allowed", f"use one of {METHODS}")

    async def _post(self, headers: Once, receive: Receive, language: str) -> Reply:
        try:
            self._authorise(SCOPES, headers.get(b"authorization"))
        except PermissionError as error:
            raise Refused(401, "unauthorised", str(error), "Authorization") from None
        asked = _read(question.read, await body(receive))
        language = asked.language or language
        now = self.clock()
        if not asked.is_batch:
            return 200, self._one(asked.lookups[0], language, now), []
        results = b", ".join([self._one(lookup, language, now) for lookup in asked.lookups])
        return 200, b'{"results": [%b]}' % results, []

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

    def _browser(self, scope: Scope, chosen: str | None, language: str) -> Reply:
        # With a choice the address isn't even read.
        address = None if chosen is not None else self._client_address(scope)
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

    def _require_origin(self, headers: Once, scheme: str) -> None:
        origin = headers.get(b"origin")
        if origin is None or not (
            self._site.is_ours(origin, headers.get(b"host"), scheme)
            or self._site.is_allowed(origin)
        ):
            raise Refused(
                403,
                "forbidden-origin",
                "only a page of this site, or of an origin in ORIGINS, may change the choice",
                "Origin",
            )

    def _cors(self, method: str, origin: str | None) -> list[Header]:
        if origin is None or not self._site.is_allowed(origin):
            return []
        allowed = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        ]
        if method == "OPTIONS":
            allowed += [
                (b"access-control-allow-methods", b"GET, PUT, DELETE"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ]
        return allowed


def _language(query: bytes, headers: Once) -> str:
    """Return the language by `?lang=`, else by Accept-Language; refuse an address in the URL."""
    if query:
        fields = parse_qs(query[:QUERY_BYTES_MAX].decode("latin-1"), keep_blank_values=True)
        if "ip" in fields:
            raise Refused(400, "malformed", "an address belongs in the body, never in a URL", "ip")
        if "lang" in fields:
            if language := names.offered(fields["lang"][0]):
                return language
            known = ", ".join(sorted(names.LANGUAGES))
            raise Refused(400, "malformed", f"lang: must be one of {known}", "lang")
    accepted = headers.get(b"accept-language")
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
