"""The visits of one day: which requests browsers would have sent, hour by hour. Pure.

A seed and a day always give the same visits. There are more towards the weekend, and a little
more every day; a product that isn't on sale yet is not looked at.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random

from collector.consent_managers import Choice
from collector.demo.crowd import Person, person
from collector.demo.goods import PRODUCTS, Product

SEED = "lanternhall"
VISITORS_A_DAY = 420
GROWTH_A_DAY = 0.018
WEEKDAY = (0.86, 0.84, 0.9, 0.97, 1.08, 1.3, 1.24)  # Monday first
# How many of a thousand come in which hour, midnight first.
HOURS = (
    10, 5, 3, 2, 2, 5, 14, 30, 44, 52, 58, 60, 66, 60, 54, 52, 54, 60, 72, 86, 88, 68, 38, 17,
)  # fmt: skip
VIEWS = (1, 2, 3, 5, 8)
VIEWS_SHARES = (44, 26, 16, 10, 4)
STAYS_OF_SAME_SELLER = 0.6  # Who looks on mostly looks at what the same seller has.
READ_OF_100 = 75  # Of pages of those who agree, so many tell how long they were seen.
# Some take their yes back, about once a week: the engine rewrites each day on which somebody did,
# and a month that is stored all at once would wait for thirty such rewrites.
CHANGED_MINDS_OF_1000 = 10
CHANGED_MINDS_EVERY_DAYS = 6

Sign = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a browser sends it."""

    path: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    address: str


@dataclass(slots=True)
class Hour:
    """What arrives in one hour; withdrawals come after all else."""

    beacons: list[Request] = field(default_factory=list)
    withdrawals: list[Request] = field(default_factory=list)


def visits(day: date, *, nth: int, nth_last: int, sign: Sign, origin: str) -> list[Hour]:
    """Return the requests of a day's 24 hours.

    nth       which day of the history it is, 0 first; nth_last is today
    sign      signs a seller and a product, as a page does
    origin    the shop's, as browsers name it
    """
    chance = Random(f"{SEED} {nth}")  # noqa: S311  # the same crowd every time, no secret
    on_sale = [
        product
        for product in PRODUCTS
        if product.days_on_sale is None or nth_last - nth < product.days_on_sale
    ]
    expected = VISITORS_A_DAY * WEEKDAY[day.weekday()] * (1 + GROWTH_A_DAY * nth)
    hours = [Hour() for _ in HOURS]
    for _ in range(round(expected * chance.uniform(0.92, 1.08))):
        hour = hours[chance.choices(range(24), HOURS)[0]]
        someone = person(chance, day)
        hour.beacons += _beacons(chance, someone, on_sale, sign, origin)
        changes_mind = chance.randrange(1000) < CHANGED_MINDS_OF_1000
        if (
            changes_mind
            and nth % CHANGED_MINDS_EVERY_DAYS == 0
            and someone.choice is Choice.GRANTED
        ):
            hour.withdrawals.append(_withdrawal(someone, origin))
    return hours


def _beacons(
    chance: Random, someone: Person, on_sale: list[Product], sign: Sign, origin: str
) -> Iterator[Request]:
    referrer, query = someone.referrer, someone.query
    product = _any(chance, on_sale)
    for _ in range(chance.choices(VIEWS, VIEWS_SHARES)[0]):
        page = {
            "seller": product.seller.id,
            "product": product.id,
            "sig": sign(product.seller.id, product.id),
        }
        view = page | ({"ref": referrer} if referrer else {}) | ({"url": query} if query else {})
        yield _post("/beacon", view, someone)
        if chance.randrange(100) < READ_OF_100:
            seconds = min(1800, 3 + round(chance.expovariate(1 / 45)))
            if someone.choice is Choice.GRANTED:  # as the page's script does
                yield _post("/beacon", {**page, "seconds": seconds}, someone)
        referrer, query = origin, ""  # the next page is reached from this one
        if chance.random() < STAYS_OF_SAME_SELLER:
            product = _any(chance, [each for each in on_sale if each.seller is product.seller])
        else:
            product = _any(chance, on_sale)


def _any(chance: Random, products: list[Product]) -> Product:
    return chance.choices(products, [each.appeal for each in products])[0]


def _withdrawal(someone: Person, origin: str) -> Request:
    asked = _post("/consent", {"choice": "refused"}, someone)
    headers = (*asked.headers, (b"origin", origin.encode()))
    return Request(asked.path, asked.body, headers, asked.address)


def _post(path: str, content: Mapping[str, str | int], someone: Person) -> Request:
    headers = (*someone.headers, (b"content-type", b"text/plain;charset=UTF-8"))
    return Request(path, json.dumps(content).encode(), headers, someone.address)
