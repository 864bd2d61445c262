"""The warehouse: ClickHouse, embedded (chDB) or a server behind a DSN, with one interface.

Opens clients, brings the tables up to date, inserts a batch as one block, and finds a query by its
file's name. It never logs or repeats what an engine's error says about rows: that may be a hash.
"""

import logging
import os
import re
import threading
from pathlib import Path
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client as Client  # who asks needs no driver
from clickhouse_connect.driver.exceptions import Error

from collector import schema, server_fitness
from collector.statements import statement

MIB: Final = 1024 * 1024
# The engine's own caps are 5 GiB a cache and nine tenths of the machine: it would crowd out the
# beacons. These hold the marks and keys of some hundred million hits.
ENGINE_LIMITS: Final = {
    "mark_cache_size": 64 * MIB,
    "primary_index_cache_size": 64 * MIB,
    "index_mark_cache_size": 8 * MIB,
    "unique_key_index_cache_size_bytes": 8 * MIB,
    "vector_similarity_index_cache_size": 8 * MIB,
    "text_index_tokens_cache_size": 8 * MIB,
    "text_index_header_cache_size": 8 * MIB,
    "text_index_postings_cache_size": 8 * MIB,
    "query_condition_cache_size": 8 * MIB,
    "compiled_expression_cache_size": 32 * MIB,
    "max_server_memory_usage": 1536 * MIB,
}
# Exactly once rests on the drain's read-back, so nothing here may drop, queue or split a block.
INSERT_SETTINGS: Final = {
    "async_insert": 0,
    "insert_deduplicate": 0,
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
    "input_format_allow_errors_num": 0,
    "input_format_defaults_for_omitted_fields": 0,
    "input_format_null_as_default": 0,
}
SERVER_SECONDS_MAX: Final = 60  # A batch takes milliseconds; a minute without an answer is a doubt.


class Unanswered(Exception):
    """The engine refused a statement, or nobody knows whether it ran; the text says which code."""


class UnfitServer(Unanswered):
    """A ClickHouse server that is set up so that a promise would break; the text names what."""


class Warehouse:
    """Opens clients, one for each user: a client serialises its calls. Close it before the end.

    path   directory of the embedded engine, made when missing; one process and one path a process
    dsn    clickhouse://user:password@host:8123/database, or "" for the embedded engine
    server_seconds   how long a server may take for an answer
    """

    def __init__(
        self, path: Path, dsn: str = "", *, server_seconds: float = SERVER_SECONDS_MAX
    ) -> None:
        self.embedded = not dsn
        self._server_seconds = server_seconds
        self._path = path
        self._dsn = dsn
        self._clients: list[Client] = []
        # Entered again by its own thread: an answer that was given up half-way keeps its client
        # until garbage is collected, and that may be while the next client is being opened.
        self._lock = threading.RLock()

    @property
    def path(self) -> Path | None:
        """The embedded engine's directory, None for a server: its files are not ours to see."""
        return self._path if self.embedded else None

    def connect(self, **settings: int) -> Client:
        """Return a client of its own, closed with the warehouse. Settings are the engine's."""
        server = {} if self.embedded else server_fitness.SESSION
        with self._lock:
            client = self._open({**INSERT_SETTINGS, **server, **settings})
            self._clients.append(client)
        return client

    def migrate(self) -> int:
        """Bring the tables up to date; return the schema's number.

        Errors  schema.NewerSchema when a newer version of Collector wrote this data; Unanswered;
                UnfitServer.
        """
        client = self.connect()
        try:
            client.command(statement("migrations"))
            done = {row[0]: bool(row[1]) for row in ask(client, "migrations_run")}
            for migration in schema.missing(done):
                number = {"number": migration.number}
                client.command(statement("note_migration"), parameters={**number, "done": 0})
                client.command(migration.statement)
                client.command(statement("note_migration"), parameters={**number, "done": 1})
            if not self.embedded:
                _check_server(client)
        except Error as error:
            raise Unanswered(told(error)) from None
        finally:
            self.disconnect(client)
        return schema.migrations()[-1].number

    def disconnect(self, client: Client) -> None:
        """Close one client early."""
        with self._lock:
            self._clients.remove(client)
        client.close()

    def close(self) -> None:
        """Close every client; the engine stops with the last one."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    def insert(
        self,
        client: Client,
        table: str,
        columns: tuple[str, ...],
        body: bytes,
        form: str = "JSONCompactEachRow",
    ) -> None:
        """Insert rows given in one of the engine's formats, as one block. Sent once, never again.

        Errors  Unanswered: whether the rows arrived must be read back.
        Why     the driver's own insert leaves rows in a file of the temporary directory when it is
                killed, and re-sends after a reset connection. An anonymous file in memory leaves
                nothing; a plain command is never sent twice.
        """
        target = f"insert into {table} ({', '.join(columns)})"
        try:
            if self.embedded:
                with _in_memory(body) as file:
                    source = f"from infile '/proc/self/fd/{file.fileno()}'"
                    client.command(f"{target} {source} format {form}")
            else:
                client.command(f"{target} format {form}", data=body)
        except Error as error:
            raise Unanswered(told(error)) from None

    def _open(self, settings: dict[str, int]) -> Client:
        if self.embedded:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            options: dict[str, Any] = {
                "interface": "chdb",
                "path": str(self._path),
                "chdb_options": ENGINE_LIMITS,
            }
        else:
            options = {
                "dsn": self._dsn,
                "autogenerate_session_id": False,  # sessions forbid two calls at once
                "query_retries": 0,
                "send_receive_timeout": self._server_seconds,
            }
        try:
            client = clickhouse_connect.get_client(settings=settings, **options)
        except Error as error:
            raise Unanswered(told(error)) from None
        client.show_clickhouse_errors = "scrub"
        return client


def ask(client: Client, name: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    """Return the rows that a query of `queries/` answers with.

    Errors  Unanswered.
    """
    try:
        return list(client.query(statement(name), parameters=parameters).result_rows)
    except Error as error:
        raise Unanswered(told(error)) from None


def fetch(client: Client, name: str, parameters: dict[str, Any], form: str) -> bytes:
    """Return what a query of `queries/` answers with, in one of the engine's formats.

    Errors  Unanswered.
    """
    try:
        return bytes(client.raw_query(statement(name), parameters=parameters, fmt=form))
    except Error as error:
        raise Unanswered(told(error)) from None


def tell(client: Client, name: str, parameters: dict[str, Any] | None = None) -> None:
    """Run a statement of `queries/` that answers nothing.

    Errors  Unanswered: whether it ran must be looked up.
    """
    try:
        client.command(statement(name), parameters=parameters)
    except Error as error:
        raise Unanswered(told(error)) from None


def _check_server(client: Client) -> None:
    level = ask(client, "server_level")
    unfit = [
        *server_fitness.unfit_logs(row[0] for row in ask(client, "server_logs")),
        *server_fitness.unfit_level(level[0][0] if level else ""),
        *server_fitness.unfit_session(
            INSERT_SETTINGS | server_fitness.SESSION, dict(ask(client, "server_session"))
        ),
        *server_fitness.unfit_tables(ask(client, "server_tables")),
    ]
    if unfit:
        raise UnfitServer("ClickHouse: " + "; ".join(unfit))


def mark(batch: int) -> str:
    """Return what stands in the text of a batch's inserts at a server, and nowhere else."""
    return f"'batch {batch}'"


def insert_attempt(client: Client, batch: int, attempt: int, body: bytes) -> None:
    """Insert a batch of hits at a server, unless this attempt was given up. Sent once.

    Errors  Unanswered: the attempt may arrive now, later or never.
    """
    text = statement("insert_attempt").replace("'this batch'", mark(batch)).rstrip()
    try:
        client.command(text, parameters={"batch": batch, "attempt": attempt}, data=body)
    except Error as error:
        raise Unanswered(told(error)) from None


def told(error: Exception) -> str:
    """Return what may be repeated of an engine's error: its number, never its text."""
    code = getattr(error, "code", None)
    if code is None:
        found = re.search(r"Code: (\d+)", str(error))
        code = found and found[1]
    return f"ClickHouse error {code}" if code else "ClickHouse did not answer"


def quieten() -> None:
    """Keep the driver and its transport from repeating a statement. Called once by a root.

    Why     of an answer that breaks off urllib3 logs the whole address, parameters and all.
    """
    for name in ("clickhouse_connect", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _in_memory(body: bytes) -> Any:
    file = os.fdopen(os.memfd_create("batch"), "w+b", buffering=0)
    try:
        written = 0
        while written < len(body):
            written += file.write(memoryview(body)[written:])
    except BaseException:
        file.close()
        raise
    return file
