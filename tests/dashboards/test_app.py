"""The door for sellers as a whole: how it starts and ends."""

import time

from clickhouse_connect.driver.client import Client

from collector.access import Access
from dashboards.app import Options, create_app
from dashboards.catalogue import Catalogue
from dashboards.pool import CLIENTS
from dashboards.shares import Shares
from tests.dashboards.conftest import Connect
from tests.dashboards.running import Book, noon, serving


class Slow:
    """A client of a database that takes its time to let anybody in."""

    seconds = 0.5

    def __init__(self, client: Client, is_open: list[bool]) -> None:
        time.sleep(self.seconds)
        self.query = client.query
        self._client = client
        self._is_open = is_open
        self._number = len(is_open)
        is_open.append(True)

    def close(self) -> None:
        self._is_open[self._number] = False
        self._client.close()


def test_an_end_right_after_the_start_leaves_no_client_open(
    connect: Connect, book: Book, door: Access, catalogue: Catalogue, shares: Shares
) -> None:
    """Clients are still being opened, in a thread that nobody can stop: they are closed behind it,
    not beside it."""
    is_open: list[bool] = []
    app = create_app(
        authorise=door.authorise,
        sessions=door,
        connect=lambda: Slow(connect(), is_open),
        calendar=book,
        now=noon,
        catalogue=catalogue,
        shares=shares,
        options=Options(),
    )
    with serving(app):
        assert len(is_open) < CLIENTS
    assert is_open == [False] * CLIENTS
