"""A dashboard that runs: the real engine, a real server on a socket, a calendar that tests set."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import uvicorn
from clickhouse_connect.driver.client import Client
from starlette.applications import Starlette

from collector import tokens
from dashboards.asking import Asking
from dashboards.pool import Pool
from dashboards.snapshot import State

KEY = b"k" * 32
OPERATOR_KEY = b"o" * 32
SESSION_KEY = b"s" * 32
START_SECONDS = 20
TODAY = date(2026, 11, 18)  # A Wednesday.

HITS = (
    "day",
    "hour",
    "seller",
    "product",
    "visitor",
    "view",
    "source",
    "campaign",
    "device",
    "browser",
    "os",
    "seconds",
    "batch",
)


@dataclass
class Book:
    """A calendar: TODAY, and thirty open days before it unless a test says otherwise."""

    today_is: date = TODAY
    states: dict[date, State] = field(
        default_factory=lambda: {TODAY - timedelta(n): "open" for n in range(31)}
    )
    highest_batch: int = 1000
    withdrawals: int = 0

    def today(self) -> date:
        """The day being counted."""
        return self.today_is

    def days(self, first: date, last: date) -> dict[date, State]:
        """States of the days that ran."""
        return {day: state for day, state in self.states.items() if first <= day <= last}

    def drained(self) -> int:
        """The highest batch stored."""
        return self.highest_batch

    def erasures(self) -> int:
        """How many withdrawals were applied."""
        return self.withdrawals


def token(
    scope: str,
    seller: str | None = None,
    products: frozenset[str] | None = None,
    ttl_seconds: int | None = None,
) -> str:
    """Return a signed token."""
    of_operator = scope == "operator" or (scope == "login" and seller is None)
    key = OPERATOR_KEY if of_operator else KEY
    return tokens.mint(
        scope,
        key,
        now=int(time.time()),
        seller=seller,
        products=products,
        ttl_seconds=ttl_seconds,
    )


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)

    @property
    def text(self) -> str:
        """The body, read as text."""
        return self.content.decode()

    @property
    def message(self) -> str:
        """The sentence of an error."""
        return str(self.json["error"]["message"])


@dataclass(frozen=True)
class Site:
    """A running server, and how to ask it."""

    port: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **query: Any,
    ) -> Answer:
        """Send one request; parameter names lose a trailing underscore (`from_`)."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {key.rstrip("_"): str(value) for key, value in query.items()}
        target = f"{path}?{urlencode(given)}" if given else path
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        try:
            connection.request(method, target, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {key.lower(): value for key, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def sign_in(
        self, seller: str | None, products: frozenset[str] | None = None, prefix: str = ""
    ) -> str:
        """Sign in as a browser does; return the Cookie header."""
        login = token("login", seller, products)
        answer = self.ask(
            f"{prefix}/dashboard/login",
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({"token": login}).encode(),
        )
        assert answer.status == 303, answer.text
        return answer.headers["set-cookie"].partition(";")[0]


@contextmanager
def serving(app: Starlette) -> Iterator[Site]:
    """Run an application on a socket of its own until the block ends."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server died while starting"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.01)
    try:
        yield Site(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        assert not thread.is_alive(), "the server did not stop in time"


@dataclass
class Visits:
    """Writes hits as the drain does: every row with its batch."""

    client: Client
    seller: str

    def add(
        self,
        product: str,
        visitors: int | range,
        *,
        day: date = TODAY,
        views: int = 1,
        batch: int = 1,
        hour: int = 9,
        **said: str | int,
    ) -> None:
        """Add views of each visitor (numbers, or so many from 1)."""
        people = range(1, visitors + 1) if isinstance(visitors, int) else visitors
        values = {
            "day": day,
            "hour": hour,
            "seller": self.seller,
            "product": product,
            "view": 1,
            "source": "direct",
            "campaign": "",
            "device": "desktop",
            "browser": "Firefox",
            "os": "Linux",
            "seconds": 0,
            "batch": batch,
        } | said
        rows = [
            [values.get(name, visitor) for name in HITS] for visitor in people for _ in range(views)
        ]
        self.client.insert("hits", rows, column_names=HITS)

    def count(
        self, product: str, day: date, visitors: int, views: int, *, seller: str | None = None
    ) -> None:
        """Add a day's sealed totals; product '' is the seller's own figure."""
        self.counts(
            [[day, "day", seller or self.seller, product, "", "", visitors, views, 0, day, 1]]
        )

    def counts(self, rows: list[list[Any]]) -> None:
        """Add rows as a close does."""
        self.client.insert("counts", rows, column_names=COUNTS)

    def cell(self, product: str, period: str, start: date, by: str, value: str, n: int) -> None:
        """Add a published cell of a breakdown."""
        self.counts([[start, period, self.seller, product, by, value, n, 0, 0, start, 1]])

    def withdraw(self, visitor: int, day: date, before_batch: int) -> None:
        """Erase a visitor's hits in the batches before one."""
        self.client.insert(
            "erased",
            [[day, self.seller, visitor, before_batch]],
            column_names=["day", "seller", "visitor", "before_batch"],
        )


COUNTS = (
    "day",
    "period",
    "seller",
    "product",
    "dimension",
    "value",
    "visitors",
    "views",
    "seconds",
    "closed",
    "seal",
)


def asks(connect: Callable[[], Client], book: Book, keep_counts_days: int = 0) -> Asking:
    """Return what asks an engine about days, without a server; its pool is to be closed, too."""
    return Asking(
        Pool(connect, failures=()),
        book,
        noon,
        today_step_minutes=0,
        keep_counts_days=keep_counts_days,
        changed=lambda: 0,
    )


def between(first: date, last: date, **more: Any) -> dict[str, Any]:
    """Return the parameters of a range, and more."""
    return {"from_": first, "to": last, **more}


def noon() -> datetime:
    """Twelve o'clock on TODAY."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
