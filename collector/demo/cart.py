"""The cart: a few products in an essential cookie, and a country that the buyer can change."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from collector.beacons import ASGIApp
from collector.demo.asgi import Answer, call
from collector.demo.goods import PRODUCTS, Product, find
from collector.http.headers import Headers
from geoip import names
from geoip.territory import COUNTRIES

COOKIE = "demo_cart"
ITEMS_MAX = 20
SHIPPING_CENTS = {"home": 450, "eu": 890, "europe": 1490, "world": 2200}
COOKIE_ATTRIBUTES = "; Path={}; HttpOnly; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class Line:
    """A product and how many of it."""

    product: Product
    count: int

    @property
    def cents(self) -> int:
        return self.product.cents * self.count


@dataclass(frozen=True, slots=True)
class Cart:
    """What is in the cart. It is the cookie's value and has no id."""

    items: tuple[Product, ...]

    @property
    def lines(self) -> list[Line]:
        """The products in the catalogue's order."""
        counts = Counter(item.path for item in self.items)
        return [Line(each, counts[each.path]) for each in PRODUCTS if counts[each.path]]

    @property
    def cents(self) -> int:
        """The sum without shipping."""
        return sum(item.cents for item in self.items)

    def with_one_more(self, product: Product) -> "Cart":
        return Cart((*self.items, product)[:ITEMS_MAX])

    def without(self, product: Product) -> "Cart":
        return Cart(tuple(item for item in self.items if item != product))

    def cookie(self, path: str) -> str:
        """Return the Set-Cookie header's value; it lasts as long as the browser runs."""
        value = "~".join(f"{item.seller.id}.{item.id}" for item in self.items)
        ends = "" if self.items else "; Max-Age=0"
        return f"{COOKIE}={value}{ends}{COOKIE_ATTRIBUTES.format(path)}"


def read(request: Request) -> Cart:
    """Return the cart of the browser's cookie; what isn't a product of ours is left out."""
    parts = request.cookies.get(COOKIE, "").split("~")[:ITEMS_MAX]
    found = [find(*part.partition(".")[::2]) for part in parts]
    return Cart(tuple(each for each in found if each is not None))


def euros(cents: int) -> str:
    """Return a sum as it is shown."""
    return f"€{cents // 100}.{cents % 100:02}"


@dataclass(frozen=True, slots=True)
class Country:
    """Asks the location door on a browser's behalf, as a shop's backend on its origin may.

    Why     a page without JavaScript can't send a PUT; one with it does without this.
    """

    application: ASGIApp
    path: str

    async def ask(self, request: Request) -> dict[str, Any]:
        """Return what GET /location answers this browser."""
        answer: dict[str, Any] = json.loads((await self._call(request, "GET")).body)
        return answer

    async def choose(self, request: Request, country: str) -> Answer:
        """Return what PUT /location answers, with its cookie; DELETE's for no country."""
        if not country:
            return await self._call(request, "DELETE")
        body = json.dumps({"country": country}).encode()
        return await self._call(request, "PUT", body)

    async def _call(self, request: Request, method: str, body: bytes = b"") -> Answer:
        headers: Headers = [
            (name, value)
            for name, value in request.headers.raw
            if name in (b"cookie", b"host", b"origin", b"x-forwarded-for")
        ]
        headers.append((b"accept-language", b"en"))
        client = request.client
        return await call(
            self.application,
            method,
            self.path,
            headers=headers,
            body=body,
            client=None if client is None else (client.host, client.port),
            scheme=request.url.scheme,
        )


def countries() -> list[tuple[str, str]]:
    """Return every country's code and English name, by name."""
    pairs = [(code, names.name(code, "en") or code) for code in COUNTRIES]
    return sorted(pairs, key=lambda pair: pair[1].replace("Å", "A"))
