"""The spool file: one worker's hits of one day, in SQLite, under an exclusive lock.

A file whose lock is free is finished: its worker wrote the `closed` row or died. SQLite's own
locks say nothing about that, and opening the database a second time in the same process would
drop them, so the lock is a file of its own.
"""

import contextlib
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from collector.hit import Hit
from collector.salt import sync_directory

SCHEMA_VERSION = 2
# A group's hits are one value: a row for each took a twentieth of all that a pixel costs.
#
# first, last  the rows that its hits are, as batches and withdrawals number them
# visitors     JSON: their pseudonyms, signed; null for a hit that was blanked
# hits         JSON: an array each, in the order of Hit; null for a hit that was blanked
SCHEMA = """
create table groups (
    first integer primary key, last integer not null, visitors text not null, hits text not null
) strict;
create table sellers (seller text primary key) strict, without rowid;
create table outcomes (outcome text primary key, beacons integer not null) strict, without rowid;
create table erasures (
    row integer primary key, seller text not null, visitor integer not null, marks text not null
) strict;
create table notices (code text primary key, sentence text not null) strict, without rowid;
create table closed (at integer not null) strict;
"""
INSERT_GROUP = "insert into groups values (?, ?, ?, ?)"
GROUP_HITS_MAX = 1000  # A batch that begins within a value reads the whole of it.
ADD_OUTCOME = (
    "insert into outcomes values (?, ?)"
    " on conflict (outcome) do update set beacons = beacons + excluded.beacons"
)
BUSY_SECONDS = 5.0
CHECKPOINT_PAGES = 4000  # 16 MB of log between checkpoints: each one costs two more fsyncs.
RUN_BYTES = 6

_encode = msgspec.json.Encoder().encode


class SpoolFile(NamedTuple):
    """A spool file as others see it: its day, its worker run and where it is."""

    day: date
    run: str
    path: Path

    @property
    def name(self) -> str:
        """The file as an operator finds it below the spool's directory."""
        return f"{self.day}/{self.path.name}"

    @property
    def lock_path(self) -> Path:
        """The lock that its worker holds for as long as it may write."""
        return self.path.with_suffix(".lock")


def files(spool: Path) -> list[SpoolFile]:
    """Return every spool file, oldest day first; a day that is shredded meanwhile has none."""
    found = []
    for directory in spool.glob("*/"):
        with contextlib.suppress(ValueError, FileNotFoundError):
            day = date.fromisoformat(directory.name)
            found += [SpoolFile(day, path.stem, path) for path in directory.glob("*.sqlite")]
    return sorted(found)


def closed_mark(spool: Path, day: date) -> Path:
    """Return the mark that the day's close leaves: while it is there, no new file is made."""
    return spool / f"{day.isoformat()}.closed"


class DayIsClosed(OSError):
    """The day's close has begun; a hit of that day would never be counted."""


def is_finished(file: SpoolFile) -> bool:
    """Return whether nobody can write to the file any more: its lock is free."""
    try:
        descriptor = os.open(file.lock_path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def encoded(values: Sequence[object]) -> str:
    """Return values as the text of a JSON array."""
    return _encode(values).decode()


def signed(visitor: int) -> int:
    """Return a 64-bit pseudonym as SQLite's signed integer."""
    return visitor - (1 << 64) if visitor >= 1 << 63 else visitor


class SpoolWriter:
    """One run's file of one day. Insert in one thread, commit in another, never at once."""

    def __init__(self, spool: Path, day: date) -> None:
        """Make the file, durable and locked.

        Errors  OSError or sqlite3.Error when the directory can't be written; DayIsClosed.
        """
        self.day = day
        self.run = secrets.token_hex(RUN_BYTES)
        directory = spool / day.isoformat()
        if closed_mark(spool, day).exists():
            raise DayIsClosed(f"{day} is closed already")
        _make_directory(spool)
        _make_directory(directory)
        self.path = directory / f"{self.run}.sqlite"
        lock_path = directory / f"{self.run}.lock"
        self._lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Asked with the lock held: the close makes its mark first and looks for locks then, so
            # one of the two sees the other.
            if closed_mark(spool, day).exists():
                raise DayIsClosed(f"{day} is closed already")
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            sync_directory(directory)
            self._connection = self._open()
        except BaseException:
            # A full disk is tried again every second, and must not fill up with empty files.
            for path in (*with_log(self.path), lock_path):
                path.unlink(missing_ok=True)
            os.close(self._lock)
            raise
        self._sellers: set[str] = set()
        self._next_row = 1

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in (
                "journal_mode=wal",
                "synchronous=full",
                "secure_delete=on",
                f"wal_autocheckpoint={CHECKPOINT_PAGES}",
                f"user_version={SCHEMA_VERSION}",
            ):
                connection.execute(f"pragma {pragma}")
            connection.executescript("begin;" + SCHEMA + "commit;")
        except BaseException:
            connection.close()
            raise
        return connection

    def insert(self, hits: Sequence[Hit], outcomes: Mapping[str, int]) -> None:
        """Write hits and outcomes into the open transaction; nothing is durable before commit."""
        connection = self._connection
        if not connection.in_transaction:
            connection.execute("begin immediate")
        if hits:
            for first in range(0, len(hits), GROUP_HITS_MAX):
                self._insert_group(hits[first : first + GROUP_HITS_MAX])
            # A withdrawal asks for today's sellers; reading them off the hits would take a scan.
            new = {hit.seller for hit in hits} - self._sellers
            if new:
                connection.executemany(
                    "insert or ignore into sellers values (?)", [(seller,) for seller in new]
                )
                self._sellers |= new
        if outcomes:
            connection.executemany(ADD_OUTCOME, list(outcomes.items()))

    def _insert_group(self, hits: Sequence[Hit]) -> None:
        first = self._next_row
        self._next_row += len(hits)
        visitors = encoded([signed(hit.visitor) for hit in hits])
        self._connection.execute(INSERT_GROUP, (first, self._next_row - 1, visitors, encoded(hits)))

    def insert_erasures(self, erasures: Iterable[tuple[str, int, str]]) -> None:
        """Write erasures (seller, unsigned visitor, marks) into the open transaction."""
        connection = self._connection
        if not connection.in_transaction:
            connection.execute("begin immediate")
        connection.executemany(
            "insert into erasures (seller, visitor, marks) values (?, ?, ?)",
            [(seller, signed(visitor), marks) for seller, visitor, marks in erasures],
        )

    def notice(self, code: str, sentence: str) -> None:
        """Leave a sentence for /readyz and status of the other process."""
        self._connection.execute(
            "insert into notices values (?, ?) on conflict (code) do update"
            " set sentence = excluded.sentence",
            (code, sentence),
        )

    def commit(self) -> None:
        """Make what was inserted durable: fsynced when this returns."""
        if self._connection.in_transaction:
            self._connection.execute("commit")

    def finish(self) -> None:
        """Say that nothing more will come, and let the lock go."""
        try:
            self._connection.execute("insert into closed values (?)", (int(time.time()),))
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the lock go without a word: what was committed stays, the rest is lost."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        os.close(self._lock)


def with_log(path: Path) -> list[Path]:
    """Return a database file and what SQLite may keep beside it."""
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def _make_directory(directory: Path) -> None:
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)
