"""The shop: its pages, and the two things that a marketplace's backend does for Collector.

It signs its product pages and signs its sellers in. Everything works without JavaScript; nothing
is fetched from another host.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector import page_tag, tokens
from collector.beacon import from_query, merged
from collector.consent import Outcome, Rules, decide
from collector.demo import cart
from collector.demo.goods import PRODUCTS, SELLERS, Product, find
from collector.demo.kept import COLUMNS, Kept
from collector.demo.look import Look, markup
from collector.page import snippet
from collector.page.consent_pages import BadAnswer, read_form

FORM_BYTES_MAX = 1024
NOBODY = frozenset({Outcome.NO_CONSENT, Outcome.REFUSED, Outcome.GPC, Outcome.DNT})
EVERYBODY = "marketplace"


@dataclass(frozen=True, slots=True)
class Backend:
    """What the marketplace's backend has of Collector.

    page_tag_key, token_key   by `collector key`, for signing pages and signing sellers in
    operator_key              the marketplace's own sign-in is signed with it
    """

    page_tag_key: bytes
    token_key: bytes
    operator_key: bytes


@dataclass(frozen=True, slots=True)
class Shop:
    """The pages.

    rules   those of the beacons door, so that a page can tell what a pixel on it would answer
    kept    finds what is on disk about the request's visitor; asked with consent only
    today   the day that is being counted, in the zone named `timezone`
    """

    look: Look
    backend: Backend
    rules: Rules
    country: cart.Country
    kept: Callable[[Request], Awaitable[Kept]]
    today: Callable[[], date]
    timezone: str

    def application(self) -> Starlette:
        """Return the shop as an ASGI application."""
        home = self.look.home
        routes = [
            Route(home, self._front),
            Route(f"{home}/", self._home),
            Route(f"{home}/p/{{seller}}/{{product}}", self._product),
            Route(f"{home}/cart", self._cart, methods=["GET"]),
            Route(f"{home}/cart", self._change_cart, methods=["POST"]),
            Route(f"{home}/cart/country", self._change_country, methods=["POST"]),
            Route(f"{home}/sellers", self._sellers),
            Route(f"{home}/sign-in", self._sign_in, methods=["POST"]),
            Route(f"{home}/kept", self._kept),
            Route(f"{home}/privacy", self._privacy),
            Route(f"{home}/static/{{file:path}}", self.look.static),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: self._not_found})

    async def _front(self, request: Request) -> Response:
        return RedirectResponse(f"{self.look.home}/", 308)

    async def _home(self, request: Request) -> Response:
        return self._page(request, "home.html", products=PRODUCTS)

    async def _product(self, request: Request) -> Response:
        product = find(request.path_params["seller"], request.path_params["product"])
        if product is None:
            raise HTTPException(404)
        base, signature = self.look.prefix, self._sign(product)
        others = [each for each in PRODUCTS if each.seller is product.seller and each != product]
        return self._page(
            request,
            "product.html",
            product=product,
            others=others,
            script=markup(snippet.script_tag(base, product.seller.id, product.id, signature)),
            pixel=markup(snippet.pixel_tag(base, product.seller.id, product.id, signature)),
        )

    async def _cart(self, request: Request) -> Response:
        basket = cart.read(request)
        place = await self.country.ask(request)
        shipping = cart.SHIPPING_CENTS.get(place["shipping_zone"] or "")
        return self._page(
            request,
            "cart.html",
            cart=basket,
            place=place,
            shipping=shipping,
            countries=cart.countries(),
            euros=cart.euros,
        )

    async def _change_cart(self, request: Request) -> Response:
        form = await _form(request)
        product = find(form.get("seller", ""), form.get("product", ""))
        if product is None:
            raise HTTPException(404)
        basket = cart.read(request)
        is_more = form.get("do") != "remove"
        changed = basket.with_one_more(product) if is_more else basket.without(product)
        response = RedirectResponse(f"{self.look.home}/cart", 303)
        response.headers.append("Set-Cookie", changed.cookie(self.look.home))
        return response

    async def _change_country(self, request: Request) -> Response:
        form = await _form(request)
        answer = await self.country.choose(request, form.get("country", ""))
        if answer.status >= 400:
            raise HTTPException(answer.status)
        response = RedirectResponse(f"{self.look.home}/cart", 303)
        if cookie := answer.header(b"set-cookie"):
            response.headers.append("Set-Cookie", cookie.decode("latin-1"))
        return response

    async def _sellers(self, request: Request) -> Response:
        return self._page(request, "sellers.html", everybody=EVERYBODY)

    async def _sign_in(self, request: Request) -> Response:
        who = (await _form(request)).get("who", "")
        if who not in {seller.id for seller in SELLERS} | {EVERYBODY}:
            raise HTTPException(404)
        token = tokens.mint(
            "login",
            self.backend.operator_key if who == EVERYBODY else self.backend.token_key,
            now=int(time.time()),
            seller=None if who == EVERYBODY else who,
        )
        return self._page(request, "signing_in.html", token=token)

    async def _kept(self, request: Request) -> Response:
        outcome = self._outcome(request)
        found = None if outcome in NOBODY else await self.kept(request)
        return self._page(
            request,
            "kept.html",
            found=found,
            columns=COLUMNS,
            day=self.today(),
            timezone=self.timezone,
        )

    async def _privacy(self, request: Request) -> Response:
        return self._page(request, "privacy.html")

    async def _not_found(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._page(request, "not_found.html", status=status)

    def _page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> Response:
        outcome = self._outcome(request)
        items = len(cart.read(request).items)
        return self.look.page(request, template, outcome, status=status, items=items, **values)

    def _outcome(self, request: Request) -> Outcome:
        """Return what a pixel on this page would answer; no address is read for it."""
        product = PRODUCTS[0]
        query = urlencode(
            {"seller": product.seller.id, "product": product.id, "sig": self._sign(product)}
        )
        return decide(from_query(query.encode(), merged(request.headers.raw)), self.rules)

    def _sign(self, product: Product) -> str:
        return page_tag.sign(product.seller.id, product.id, self.backend.page_tag_key)


async def _form(request: Request) -> dict[str, str]:
    """Return a small form's fields; 413 or 400 where it is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise HTTPException(413)
    try:
        return read_form(body)
    except BadAnswer:
        raise HTTPException(400) from None
