"""The marketplace's backend: tells Collector what the goods are called and what it counted itself.

It does so as any marketplace would, over HTTP with an operator's token. What it counted itself is
page views, of everybody who came, and orders; both are numbers per day and product.
"""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from collector import keys, secret, tokens
from collector.demo.crowd import ROBOT
from collector.demo.goods import PRODUCTS
from collector.demo.visits import SEED, visits
from collector.settings import Settings, bind_parts

ANSWER_SECONDS = 60
TOKEN_SECONDS = 120
BUYERS_OF_1000 = 12  # So many page views end in an order.


def tell_names(settings: Settings, last: date) -> None:
    """Send the catalogue; `last` is the history's last day. Errors as `_send`."""
    shop = f"{settings.beacons_public_url}{settings.path_prefix}/demo/"
    rows = [
        {
            "seller": each.seller.id,
            "product": each.id,
            "title": each.title,
            "url": shop + each.path,
            "listed_on": _listed_on(each.days_on_sale, last),
        }
        for each in PRODUCTS
    ]
    _send(settings, "PUT", "/operator/products", rows)


def tell_totals(settings: Settings, last: date, days: int) -> None:
    """Send page views and orders of the history's days that were over. Errors as `_send`."""
    _send(settings, "POST", "/operator/totals", list(totals(last, days)))


def totals(last: date, days: int) -> Iterator[dict[str, str | int]]:
    """Yield what the shop counted itself on each day before `last`: by product, everybody."""
    for nth in range(days):
        day = last - timedelta(days - nth)
        chance = Random(f"{SEED} orders {nth}")  # noqa: S311  # the same buyers every time
        plan = visits(day, nth=nth, nth_last=days, sign=lambda seller, product: "", origin="")
        seen: Counter[tuple[str, str]] = Counter()
        for request in (each for hour in plan for each in hour.beacons):
            page = json.loads(request.body)
            if "seconds" not in page and dict(request.headers)[b"user-agent"] != ROBOT.encode():
                seen[page["seller"], page["product"]] += 1
        for (seller, product), views in sorted(seen.items()):
            orders = sum(chance.randrange(1000) < BUYERS_OF_1000 for _ in range(views))
            yield {
                "date": day.isoformat(),
                "seller": seller,
                "product": product,
                "page_views": views,
                "orders": orders,
            }


def _listed_on(days_on_sale: int | None, last: date) -> str | None:
    if days_on_sale is None:
        return None
    return (last - timedelta(days_on_sale - 1)).isoformat()


def _send(settings: Settings, method: str, path: str, rows: list[dict[str, Any]]) -> None:
    """Send rows to the reports process.

    Errors  RuntimeError with its sentence when it refuses them; OSError when it isn't there.
    """
    token = tokens.mint(
        "operator",
        keys.derive(secret.load(settings), "operator"),
        now=int(time.time()),
        ttl_seconds=TOKEN_SECONDS,
    )
    host, port = bind_parts(settings.reports_bind)
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, settings.path_prefix + path, json.dumps(rows), headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {json.loads(content)['error']['message']}")
