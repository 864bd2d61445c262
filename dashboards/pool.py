"""Pool: a few database clients, because one client serialises its calls.

A question is a file in queries/ and is asked by its name.
"""

import logging
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from dashboards.refused import unavailable

CLIENTS = 3
WAIT_SECONDS = 10  # For a free client; then the reader gets a 503 and may come back.
SETTINGS = {"max_execution_time": 20, "max_threads": 2}
BLOCK_ROWS = 10_000
QUERIES = Path(__file__).parent / "queries"

log = logging.getLogger(__name__)

Row = Sequence[Any]


class Answer(Protocol):
    """What a query returns."""

    @property
    def result_rows(self) -> Sequence[Row]: ...


class Client(Protocol):
    """The part of a ClickHouse client that readers use."""

    def query(
        self,
        query: str,
        parameters: Mapping[str, Any],
        settings: Mapping[str, Any],
    ) -> Answer: ...

    def insert(self, table: str, data: Sequence[Row], column_names: Sequence[str]) -> object: ...

    def close(self) -> None: ...


@cache
def text(name: str) -> str:
    """Return the SQL of a question."""
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


class Pool:
    """Up to CLIENTS clients, each opened when it is first needed."""

    def __init__(self, connect: Callable[[], Any], failures: tuple[type[Exception], ...]) -> None:
        """connect() opens a client; failures are the errors by which a database is away."""
        self._connect = connect
        self._failures = failures
        self._free: queue.LifoQueue[Client | None] = queue.LifoQueue()
        for _ in range(CLIENTS):
            self._free.put(None)

    def ask(self, name: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """Return the rows that answer a question.

        Errors  Refused (503) when no client is free in time or the database doesn't answer.
        """
        with self._client(name) as client:
            return client.query(text(name), parameters=parameters, settings=SETTINGS).result_rows

    @contextmanager
    def _client(self, purpose: str) -> Iterator[Client]:
        try:
            client = self._free.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            raise unavailable() from None
        try:
            client = client or self._opened()
            yield client
        except self._failures as error:
            # Its text may quote rows; its type and the purpose say enough.
            log.warning("The database did not answer %s: %s", purpose, type(error).__name__)
            raise unavailable() from None
        finally:
            self._free.put(client)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows, at most BLOCK_ROWS at a time. Sending them again must do no harm.

        Errors  Refused (503) as for a question; some of the rows may be stored.
        """
        for first in range(0, len(rows), BLOCK_ROWS):
            block = rows[first : first + BLOCK_ROWS]
            with self._client(f"insert into {table}") as client:
                client.insert(table, block, column_names=columns)

    def open(self) -> None:
        """Open every client now, so that nobody who asks waits for that.

        Errors  Refused (503) when the database doesn't answer: whoever asks tries again
        """
        taken: list[Client | None] = []
        try:
            for _ in range(CLIENTS):
                taken.append(self._free.get_nowait())
                taken[-1] = taken[-1] or self._opened()
        except queue.Empty:
            pass  # Somebody asks already, and opens one.
        finally:
            for client in taken:
                self._free.put(client)

    def _opened(self) -> Client:
        try:
            client: Client = self._connect()
        except Exception as error:  # Whatever the root's own way of connecting raises.
            log.warning("No database client could be opened: %s", type(error).__name__)
            raise unavailable() from None
        return client

    def close(self) -> None:
        """Close every client that is not in use."""
        free: list[Client | None] = []
        with suppress(queue.Empty):
            for _ in range(CLIENTS):
                free.append(self._free.get_nowait())
        for client in free:  # Taken out before any is put back: the last one in is the first out.
            if client is not None:
                client.close()
            self._free.put(None)
