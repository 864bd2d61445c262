"""Shares: links that show a seller's pages to whoever has them, until a day or until revoked.

A small SQLite file. Of a link only a digest is kept: who reads the file can't open one.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dashboards.shelf import Shelf

SCHEMA = """
create table if not exists shares (
    number integer primary key autoincrement,
    digest blob not null unique,
    seller text not null,
    products text,
    made_on text not null,
    until text not null
) strict
"""
FILE_NAME = "shares.sqlite"
BUSY_SECONDS = 10
PER_SELLER_MAX = 50
SEPARATOR = "\x1f"  # No product's name holds a control character.


@dataclass(frozen=True, slots=True)
class Share:
    """One link: made_on and until are days; on the day `until` it still works."""

    number: int
    made_on: date
    until: date


class TooManyShares(Exception):
    """A seller has as many links as fit."""


class Shares:
    """Every use opens its own connection, so any thread may call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute("pragma journal_mode = wal")
            database.execute(SCHEMA)

    def make(self, shelf: Shelf, today: date, until: date) -> str:
        """Return the key of a new link to a shelf.

        Errors  TooManyShares
        """
        key = secrets.token_urlsafe(24)
        products = None if shelf.products is None else SEPARATOR.join(sorted(shelf.products))
        row = (_digest(key), shelf.seller, products, today.isoformat(), until.isoformat())
        with self._open() as database:
            database.execute("delete from shares where until < ?", (today.isoformat(),))
            asked = "select count(*) from shares where seller = ?"
            if database.execute(asked, (shelf.seller,)).fetchone()[0] >= PER_SELLER_MAX:
                raise TooManyShares
            database.execute(
                "insert into shares (digest, seller, products, made_on, until)"
                " values (?, ?, ?, ?, ?)",
                row,
            )
        return key

    def shelf(self, key: str, today: date) -> Shelf | None:
        """Return what a link shows today, or None when it shows nothing any more."""
        with self._open() as database:
            row = database.execute(
                "select seller, products from shares where digest = ? and until >= ?",
                (_digest(key), today.isoformat()),
            ).fetchone()
        if row is None:
            return None
        seller, products = row
        only = None if products is None else frozenset(filter(None, products.split(SEPARATOR)))
        return Shelf(seller, only)

    def of(self, seller: str, today: date) -> list[Share]:
        """Return a seller's links that still work, newest first."""
        with self._open() as database:
            rows = database.execute(
                "select number, made_on, until from shares where seller = ? and until >= ?"
                " order by number desc",
                (seller, today.isoformat()),
            ).fetchall()
        return [
            Share(number, date.fromisoformat(made_on), date.fromisoformat(until))
            for number, made_on, until in rows
        ]

    def end(self, seller: str, number: int) -> None:
        """End one of a seller's links at once."""
        with self._open() as database:
            database.execute("delete from shares where seller = ? and number = ?", (seller, number))

    def end_all(self, seller: str | None = None) -> int:
        """End all links of a seller, or of everybody; return how many there were."""
        with self._open() as database:
            return database.execute(
                "delete from shares where ? is null or seller = ?", (seller, seller)
            ).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        try:
            with database:
                yield database
        finally:
            database.close()


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
