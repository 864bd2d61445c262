"""Catalogue: what the marketplace calls its products. Names; nothing here is about visitors."""

import sqlite3
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from dashboards.kept import Kept

SCHEMA = """
create table if not exists products (
    seller text not null,
    product text not null,
    title text not null,
    url text,
    listed_on text,
    retired integer not null,
    primary key (seller, product)
) without rowid
"""
PUT = """
insert into products (seller, product, title, url, listed_on, retired) values (?, ?, ?, ?, ?, ?)
on conflict (seller, product) do update set
    title = excluded.title, url = excluded.url,
    listed_on = excluded.listed_on, retired = excluded.retired
where (title, url, listed_on, retired)
    is not (excluded.title, excluded.url, excluded.listed_on, excluded.retired)
"""
LISTED = "select product, title, url, listed_on, retired from products where seller = ?"
BUSY_SECONDS = 10
SELLERS_KEPT = 500
LISTINGS_KEPT_MAX = 50_000  # Of all sellers that are kept together: some 20 MB.


@dataclass(frozen=True, slots=True)
class Listing:
    """One product as its shop presents it.

    listed_on   the day it went on sale, YYYY-MM-DD, or None
    retired     no longer on sale: its numbers stay, "nobody came" is no news
    """

    seller: str
    product: str
    title: str
    url: str | None = None
    listed_on: str | None = None
    retired: bool = False


class Catalogue:
    """A small SQLite file; every use opens its own connection, so any thread may call.

    forgotten   how many sellers were forgotten since the start
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.forgotten = 0
        self._commits = 0
        self._kept: Kept[dict[str, Listing]] = Kept(
            SELLERS_KEPT, rows_max=LISTINGS_KEPT_MAX, rows=len
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute("pragma journal_mode = wal")
            database.execute(SCHEMA)

    def put(self, listings: Iterable[Listing]) -> int:
        """Add or replace listings, all or none; return how many are new or changed."""
        with self._open() as database:
            before = database.total_changes
            database.executemany(PUT, (astuple(listing) for listing in listings))
            return database.total_changes - before

    def products(self, seller: str, only: frozenset[str] | None = None) -> dict[str, Listing]:
        """Return a seller's listings by product; `only` limits them to some products."""
        listed = self._kept.get(seller, self._version(), lambda: self._listed(seller))
        if only is None:
            return dict(listed)
        return {product: listed[product] for product in only & listed.keys()}

    def _listed(self, seller: str) -> dict[str, Listing]:
        with self._open() as database:
            rows = database.execute(LISTED, (seller,)).fetchall()
        return {
            product: Listing(seller, product, title, url, listed_on, bool(retired))
            for product, title, url, listed_on, retired in rows
        }

    def _version(self) -> Hashable:
        """Return what changes with every commit, of another process too.

        Two commits within one tick of the file system's clock look alike, so ours are numbered.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        seen: list[int] = [self._commits]
        for file in (self.path, log):
            with suppress(FileNotFoundError):  # The last connection to close removes the log.
                found = file.stat()
                seen += (found.st_mtime_ns, found.st_size)
        return tuple(seen)

    def sellers(self) -> list[str]:
        """Return every seller who has a listing."""
        with self._open() as database:
            rows = database.execute("select distinct seller from products order by seller")
            return [seller for (seller,) in rows]

    def forget(self, seller: str) -> int:
        """Remove a seller's listings; return how many there were."""
        self.forgotten += 1
        with self._open() as database:
            return database.execute("delete from products where seller = ?", (seller,)).rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        try:
            before = database.total_changes
            with database:
                yield database
            self._commits += database.total_changes > before
        finally:
            database.close()
