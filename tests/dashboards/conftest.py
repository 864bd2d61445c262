"""What the dashboard's tests share: one engine for the run, a seller of one's own for each test."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from collector.access import Access
from collector.warehouse import Warehouse
from dashboards.app import Options, create_app
from dashboards.catalogue import Catalogue
from dashboards.shares import Shares
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

Connect = Callable[[], Client]


@pytest.fixture(scope="session")
def connect(warehouse: Warehouse) -> Connect:
    """Open a client of the run's engine."""
    return warehouse.connect


@pytest.fixture(scope="session")
def client(connect: Connect) -> Client:
    """A client of the engine."""
    return connect()


@pytest.fixture
def visits(client: Client) -> Visits:
    """A seller whom no other test knows."""
    return Visits(client, f"seller-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def book() -> Book:
    """The calendar of the test's server."""
    return Book()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Access]:
    """Tokens and sessions of the test's server."""
    access = Access(
        tmp_path / "access.sqlite",
        token_key=KEY,
        operator_key=OPERATOR_KEY,
        session_key=SESSION_KEY,
        now=time.time,
    )
    yield access
    access.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """An empty catalogue."""
    return Catalogue(tmp_path / "catalogue.sqlite")


@pytest.fixture
def shares(tmp_path: Path) -> Shares:
    """No links yet."""
    return Shares(tmp_path / "shares.sqlite")


Serve = Callable[..., Site]


@pytest.fixture
def serve(
    connect: Connect, book: Book, door: Access, catalogue: Catalogue, shares: Shares
) -> Iterator[Serve]:
    """Start a server with some options; several in one test if need be."""
    with ExitStack() as running:

        def start(now: Callable[[], datetime] = noon, **options: Any) -> Site:
            app = create_app(
                authorise=door.authorise,
                sessions=door,
                connect=connect,
                calendar=book,
                now=now,
                catalogue=catalogue,
                shares=shares,
                options=Options(**({"today_step_minutes": 0} | options)),
            )
            return running.enter_context(serving(app))

        yield start


@pytest.fixture
def site(serve: Serve) -> Site:
    """A server that shows today's hits at once."""
    return serve()


@pytest.fixture
def broken_site(book: Book, door: Access, catalogue: Catalogue, tmp_path: Path) -> Iterator[Site]:
    """A server whose engine is away: nothing listens on the port that it connects to."""
    nowhere = Warehouse(tmp_path, dsn="clickhouse://127.0.0.1:9/nothing")
    app = create_app(
        authorise=door.authorise,
        sessions=door,
        connect=nowhere.connect,
        calendar=book,
        now=noon,
        catalogue=catalogue,
        shares=Shares(tmp_path / "shares.sqlite"),
        options=Options(),
    )
    with serving(app) as site:
        yield site


@pytest.fixture
def serve_kept(serve: Serve) -> Site:
    """A server that keeps counts for 62 days."""
    return serve(keep_counts_days=62)
