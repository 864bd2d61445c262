"""The backlog: what waits in the spool, read file by file without a Python loop over rows.

SQLite itself picks, sorts and writes the rows that ClickHouse will read, outside the interpreter's
lock: 10,000 rows take 12 ms that nobody else waits for. Nothing here writes to a spool file.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from collector.ledger import Batch
from collector.spool_file import SCHEMA_VERSION, SpoolFile, is_finished, reading
from collector.statements import statement

BATCH_ROWS_MAX: Final = 10_000
HIT_COLUMNS: Final = (
    "day", "hour", "seller", "product", "visitor", "view",
    "source", "campaign", "device", "browser", "os", "seconds", "batch",
)  # fmt: skip
# What was withdrawn of this file. In memory: SQLite's temporary files would hold the hashes.
WITHDRAWN: Final = """
create temp table withdrawn (
    seller text, visitor integer, to_row integer, before_batch integer
)"""
WITHDRAWN_INDEX: Final = "create index withdrawn_visitor on withdrawn (visitor)"


class Unreadable(Exception):
    """A spool file can't be used; the text names no hit. Others go on."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Erasure(NamedTuple):
    """A withdrawal as a beacons worker wrote it into its own file.

    visitor  signed, as SQLite keeps it
    marks    by run, the highest row at that moment; a run that isn't named had none
    """

    run: str
    row: int
    seller: str
    visitor: int
    marks: dict[str, int]


class Waiting:
    """One spool file, opened, with the bounds of what this cycle may take.

    last_row    the highest row that was committed when it was opened
    finished    nobody can write to it any more
    """

    def __init__(self, file: SpoolFile, connection: sqlite3.Connection, finished: bool) -> None:
        self.file = file
        self.finished = finished
        self._connection = connection
        connection.isolation_level = None  # no transaction stays open behind a read
        connection.execute("pragma temp_store = memory")
        if finished:
            # A killed worker's last rows may be in memory only; on disk first, then counted.
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        self.last_row: int = self._one("select max(row) from hits") or 0
        connection.execute(WITHDRAWN)
        connection.execute(WITHDRAWN_INDEX)

    def erasures(self, after_row: int) -> list[Erasure]:
        """Return the withdrawals that its worker wrote behind a row."""
        with self._guarded():
            rows = self._connection.execute(
                "select row, seller, visitor, marks from erasures where row > ? order by row",
                (after_row,),
            ).fetchall()
            return [
                Erasure(self.file.run, row, seller, visitor, json.loads(marks))
                for row, seller, visitor, marks in rows
            ]

    def withdraw(self, erasures: Iterable[tuple[Erasure, int]]) -> None:
        """Leave out what was withdrawn, each with the batch that it ends before. Called once."""
        run = self.file.run
        self._connection.executemany(
            "insert into withdrawn values (?, ?, ?, ?)",
            [
                (each.seller, each.visitor, each.marks.get(run, 0), before_batch)
                for each, before_batch in erasures
            ],
        )

    def bounds(self, after_row: int) -> Iterator[tuple[int, int]]:
        """Yield the bounds of the batches that wait behind a row, each of at most 10,000 rows."""
        for first in range(after_row + 1, self.last_row + 1, BATCH_ROWS_MAX):
            yield first, min(first + BATCH_ROWS_MAX - 1, self.last_row)

    def body(self, batch: Batch) -> tuple[int, bytes]:
        """Return the rows of a batch that count: how many, and as JSONCompactEachRow."""
        with self._guarded():
            row = self._connection.execute(statement("spool_batch"), _bounds(batch)).fetchone()
        return int(row[0]), row[1] or b""

    def count(self, batch: Batch) -> int:
        """Return how many rows of a batch count."""
        with self._guarded():
            row = self._connection.execute(statement("spool_count"), _bounds(batch)).fetchone()
        return int(row[0])

    def _one(self, question: str) -> Any:
        return self._connection.execute(question).fetchone()[0]

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise _unreadable(self.file.name, error) from None


@contextlib.contextmanager
def opened(file: SpoolFile) -> Iterator[Waiting | None]:
    """Open a spool file for one cycle; None while its worker is still making it.

    Errors  Unreadable when it is damaged or was not written by this version's beacons.
    """
    finished = is_finished(file)
    if file.path.stat().st_size == 0:
        # Its worker is about to make it, or was killed before it could answer anybody.
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(reading(file.path))
            waiting = _checked(file, connection, finished)
        except sqlite3.Error as error:
            raise _unreadable(file.name, error) from None
        yield waiting


def _checked(file: SpoolFile, connection: sqlite3.Connection, finished: bool) -> Waiting | None:
    version = connection.execute("pragma user_version").fetchone()[0]
    tables = {row[0] for row in connection.execute("select name from sqlite_schema")}
    if not tables and version in (0, SCHEMA_VERSION):
        return None
    if version != SCHEMA_VERSION or not {"hits", "erasures", "closed"} <= tables:
        raise Unreadable(
            "spool-foreign",
            f"{file.name}: not a spool file of this version (schema {version}, "
            f"expected {SCHEMA_VERSION}); move it out of the spool, or start the version that"
            " wrote it",
        )
    return Waiting(file, connection, finished)


def _bounds(batch: Batch) -> dict[str, Any]:
    return {**batch._asdict(), "day": batch.day.isoformat()}


def _unreadable(name: str, error: Exception) -> Unreadable:
    return Unreadable(
        "spool-unreadable",
        f"{name}: can't be read ({error}); its hits aren't counted until it can",
    )
