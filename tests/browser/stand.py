"""A dashboard at which browsers look: a seller with a year of numbers, and one without any."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from collector.access import Access
from collector.warehouse import Warehouse
from dashboards.app import Options, create_app
from dashboards.catalogue import Catalogue
from dashboards.shares import Shares
from tests.dashboards.filled import year
from tests.dashboards.running import (
    KEY,
    OPERATOR_KEY,
    SESSION_KEY,
    Book,
    Site,
    Visits,
    noon,
    serving,
)

Start = Callable[..., Site]
CHOSEN = date(2021, 3, 2)  # A day on which visitors chose, of which no other test speaks.


class Stand:
    """A dashboard, its seller with a year of numbers, and one whom nobody visited."""

    def __init__(self, start: Start, visits: Visits) -> None:
        self.start = start
        self.visits = visits
        self.site = start()

    def sign_in(self, context: BrowserContext, seller: str | None) -> None:
        """Give a browser the seller's session."""
        name, _, value = self.site.sign_in(seller).partition("=")
        cookie = {"name": name, "value": value, "domain": "127.0.0.1", "path": "/dashboard"}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie in playwright's words


@pytest.fixture(scope="module")
def stand(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One stand for the module: its tests only look."""
    folder = tmp_path_factory.mktemp("dashboard")
    book, catalogue = Book(), Catalogue(folder / "catalogue.sqlite")
    visits = Visits(warehouse.connect(), f"Atelier {uuid.uuid4().hex[:6]}")
    year(visits, book, catalogue)
    book.states[CHOSEN] = "sealed"
    visits.counts(
        [
            [CHOSEN, "day", "", "", "outcome", outcome, 0, beacons, 0, CHOSEN, 1]
            for outcome, beacons in (("yes", 60), ("refused", 30), ("bot", 12))
        ]
    )
    access = Access(
        folder / "access.sqlite",
        token_key=KEY,
        operator_key=OPERATOR_KEY,
        session_key=SESSION_KEY,
        now=time.time,
    )
    with ExitStack() as running:

        def start(**options: Any) -> Site:
            app = create_app(
                authorise=access.authorise,
                sessions=access,
                connect=warehouse.connect,
                calendar=book,
                now=noon,
                catalogue=catalogue,
                shares=Shares(folder / "shares.sqlite"),
                options=Options(
                    brand_name="Handmade", own_visits_url="https://shop.example/own", **options
                ),
            )
            return running.enter_context(serving(app))

        yield Stand(start, visits)
    access.close()
