"""The backlog: what waits in the spool, read file by file without a Python loop over rows.

SQLite itself picks, sorts and writes the rows that ClickHouse will read, outside the interpreter's
lock: 10,000 rows take 17 ms that nobody else waits for. Nothing here writes to a spool file.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from collector.hit import Hit
from collector.ledger import Batch
from collector.spool_file import SpoolFile, is_finished
from collector.spool_reader import VERSIONS_READ, last_row, reading, version
from collector.statements import statement

BATCH_ROWS_MAX: Final = 10_000
HIT_COLUMNS: Final = ("day", "batch", *Hit._fields)
# What was withdrawn of this file. In memory: SQLite's temporary files would hold the hashes.
WITHDRAWN: Final = """
create temp table withdrawn (
    seller text, visitor integer, to_row integer, before_batch integer
)"""
WITHDRAWN_INDEX: Final = "create index withdrawn_visitor on withdrawn (visitor)"
LEFT_OUT: Final = "create temp table left_out (row integer primary key)"


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
        if finished:
            # A killed worker's last rows may be in memory only; on disk first, then counted.
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        self.last_row = last_row(connection)
        for made in (WITHDRAWN, WITHDRAWN_INDEX, LEFT_OUT):
            connection.execute(made)
        self._has_withdrawn = False

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
        rows = [
            (each.seller, each.visitor, each.marks.get(run, 0), before_batch)
            for each, before_batch in erasures
        ]
        self._connection.executemany("insert into withdrawn values (?, ?, ?, ?)", rows)
        self._has_withdrawn = bool(rows)

    def bounds(self, after_row: int) -> Iterator[tuple[int, int]]:
        """Yield the bounds of the batches that wait behind a row, each of at most 10,000 rows."""
        for first in range(after_row + 1, self.last_row + 1, BATCH_ROWS_MAX):
            yield first, min(first + BATCH_ROWS_MAX - 1, self.last_row)

    def body(self, batch: Batch) -> tuple[int, bytes]:
        """Return the rows of a batch that count: how many, and as JSONCompactEachRow."""
        with self._guarded():
            row = self._ask("spool_batch", batch)
        return int(row[0]), row[1] or b""

    def count(self, batch: Batch) -> int:
        """Return how many rows of a batch count."""
        with self._guarded():
            row = self._ask("spool_count", batch)
        return int(row[0])

    def _ask(self, question: str, batch: Batch) -> tuple[Any, ...]:
        bounds = {**batch._asdict(), "begin": f'["{batch.day}",{batch.number},'}
        if self._has_withdrawn:
            self._connection.execute("delete from left_out")
            self._connection.execute(statement("spool_leave_out"), bounds)
        row: tuple[Any, ...] = self._connection.execute(statement(question), bounds).fetchone()
        return row

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
    # The version last: its worker writes it before the tables, and may do both now.
    tables = {row[0] for row in connection.execute("select name from sqlite_schema")}
    found = version(connection)
    if not tables and found in (0, *VERSIONS_READ):
        return None
    if found not in VERSIONS_READ or not {VERSIONS_READ[found], "erasures", "closed"} <= tables:
        raise Unreadable(
            "spool-foreign",
            f"{file.name}: not a spool file that this version reads (schema {found}, expected"
            f" {' or '.join(map(str, VERSIONS_READ))}); move it out of the spool, or start the"
            " version that wrote it",
        )
    return Waiting(file, connection, finished)


def _unreadable(name: str, error: Exception) -> Unreadable:
    return Unreadable(
        "spool-unreadable",
        f"{name}: can't be read ({error}); its hits aren't counted until it can",
    )
