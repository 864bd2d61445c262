"""The ledger's file: one SQLite connection for the threads of the reports process, durable."""

import contextlib
import sqlite3
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

BUSY_SECONDS: Final = 10


class UnreadableLedger(RuntimeError):
    """The ledger's file can't be used; the text says why and what to do."""


class LedgerFile:
    """Every commit is on disk when it returns; calls of several threads take turns."""

    def __init__(self, path: Path, tables: Sequence[str], *, version: int) -> None:
        """Open or make the file.

        Errors  UnreadableLedger when it is damaged, or a newer version wrote it;
                sqlite3.OperationalError while the disk is full or refuses.
        """
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(path.name, tables, version)
        except sqlite3.OperationalError:
            self.close()
            raise  # a full disk, or rights: nothing is wrong with the file
        except sqlite3.DatabaseError as error:
            self.close()
            raise UnreadableLedger(
                f"{path.name}: damaged ({error}); put back a copy, or start a new one as"
                " docs/operations.md says under ledger-lost"
            ) from None
        except UnreadableLedger:
            self.close()
            raise

    def rows(self, question: str, values: Sequence[object] = ()) -> list[Any]:
        """Return what a question answers with."""
        with self._lock:
            return self._connection.execute(question, values).fetchall()

    def number(self, question: str, values: Sequence[object] = ()) -> int:
        """Return the one number that a question answers with, 0 for none."""
        rows = self.rows(question, values)
        return int(rows[0][0] or 0) if rows else 0

    def stamp(self) -> Hashable:
        """Return what is something else after every write, by this process or by another one.

        None within a transaction: what is read there may be taken back.
        """
        with self._lock:
            if self._is_open():
                return None
            return self._connection.total_changes, self.number("pragma data_version")

    def write(self, statement: str, values: Sequence[object] = ()) -> int | None:
        """Run a statement; return the number of the row that it inserted, if it did."""
        with self._lock:
            return self._connection.execute(statement, values).lastrowid

    def write_many(self, statement: str, many: Iterable[Sequence[object]]) -> None:
        """Run a statement for each of the values, all or none."""
        with self.transaction():
            self._connection.executemany(statement, many)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable at the end. Inside another one it is part of that one."""
        with self._lock:
            if self._is_open():
                yield
                return
            self._connection.execute("begin immediate")
            try:
                yield
                self._connection.execute("commit")
            except BaseException:
                if self._is_open():
                    self._connection.execute("rollback")
                raise

    def _is_open(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        """Close the file; nothing waits in memory."""
        with self._lock:
            self._connection.close()

    def _prepare(self, name: str, tables: Sequence[str], version: int) -> None:
        found = self.number("pragma user_version")
        if found > version:
            raise UnreadableLedger(
                f"{name}: a newer version wrote it (its schema is {found}, this version knows"
                f" {version}); start the newer version again"
            )
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        with self.transaction():
            for statement in tables:
                self._connection.execute(statement)
            self._connection.execute(f"pragma user_version = {version}")
