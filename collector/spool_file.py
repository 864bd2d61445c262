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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from collector.hit import Hit
from collector.salt import sync_directory

SCHEMA_VERSION = 1
SCHEMA = """
create table hits (
    row integer primary key,
    hour integer not null, seller text not null, product text not null,
    visitor integer not null, view integer not null,
    source text not null, campaign text not null,
    device text not null, browser text not null, os text not null,
    seconds integer not null
) strict;
create table sellers (seller text primary key) strict, without rowid;
create table outcomes (outcome text primary key, beacons integer not null) strict, without rowid;
create table erasures (
    row integer primary key, seller text not null, visitor integer not null, marks text not null
) strict;
create table notices (code text primary key, sentence text not null) strict, without rowid;
create table closed (at integer not null) strict;
"""
HIT_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_HITS = (
    "insert into hits (row, hour, seller, product, visitor, view, source, campaign, device,"
    " browser, os, seconds) values "
)
# Many hits by one statement: one for each hit takes a quarter more time.
HITS_AT_ONCE = 64
ADD_OUTCOME = (
    "insert into outcomes values (?, ?)"
    " on conflict (outcome) do update set beacons = beacons + excluded.beacons"
)
BUSY_SECONDS = 5.0
CHECKPOINT_PAGES = 4000  # 16 MB of log between checkpoints: each one costs two more fsyncs.
RUN_BYTES = 6


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
    """Return every spool file, oldest day first."""
    found = []
    for path in spool.glob("*/*.sqlite"):
        with contextlib.suppress(ValueError):
            found.append(SpoolFile(date.fromisoformat(path.parent.name), path.stem, path))
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


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a spool file, which its worker may be writing, to read from it.

    Not read-only: after its worker was killed somebody must replay the log, and a reader that may
    not write can't.
    """
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("pragma secure_delete=on")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma temp_store=memory")  # a temporary file would hold pseudonyms
        yield connection
    finally:
        connection.close()


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
            for path in (*_with_log(self.path), lock_path):
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
            for first in range(0, len(hits), HITS_AT_ONCE):
                self._insert_some(hits[first : first + HITS_AT_ONCE])
            # A withdrawal asks for today's sellers; reading them off the hits would take a scan.
            new = {hit.seller for hit in hits} - self._sellers
            if new:
                connection.executemany(
                    "insert or ignore into sellers values (?)", [(seller,) for seller in new]
                )
                self._sellers |= new
        if outcomes:
            connection.executemany(ADD_OUTCOME, list(outcomes.items()))

    def _insert_some(self, hits: Sequence[Hit]) -> None:
        values: list[object] = []
        # Numbered here: SQLite would give a deleted last row's number to the next one, and a
        # withdrawal's mark would then cover a hit that came after it.
        for number, hit in enumerate(hits, self._next_row):
            values += _row(number, hit)
        self._connection.execute(_insertion(len(hits)), values)
        self._next_row += len(hits)

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


@cache
def _insertion(hits: int) -> str:
    """Return the statement that inserts so many hits."""
    return INSERT_HITS + ", ".join([HIT_VALUES] * hits)


def _row(number: int, hit: Hit) -> tuple[object, ...]:
    visitor = hit.visitor
    if visitor >= 1 << 63:
        return (number, *hit[:3], visitor - (1 << 64), *hit[4:])
    return (number, *hit)


def _with_log(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def _make_directory(directory: Path) -> None:
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)
