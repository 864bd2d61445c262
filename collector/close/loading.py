"""Loading: a day's integers into counts and pools, read back until they are equal.

May be done again from any point: rows carry the number of their seal or the day of their close, so
what an interrupted try left is found, and removed before the next one.
"""

from datetime import date
from pathlib import Path
from typing import Any, Final

from collector.close.integers import COUNT_COLUMNS, POOL_COLUMNS, Manifest, Sums, bodies
from collector.warehouse import Client, Warehouse, ask, tell

TRIES_MAX: Final = 2


class NotEqual(Exception):
    """What was read back is not what was written; the text says of which table and day."""


class Loading:
    """Loads one day's integers."""

    def __init__(
        self, warehouse: Warehouse, client: Client, directory: Path, manifest: Manifest
    ) -> None:
        self._warehouse = warehouse
        self._client = client
        self._directory = directory
        self._manifest = manifest

    def load(self) -> None:
        """Return when counts and pools hold the integers, once.

        Errors  Unanswered when the engine doesn't answer; NotEqual when it keeps answering wrongly.
        """
        for table in ("counts", "pools"):
            for _ in range(TRIES_MAX):
                if self.is_loaded(table):
                    break
                self._unload(table)
                self._insert(table)
            if not self.is_loaded(table):
                raise NotEqual(
                    f"{self._manifest.day}: {table} don't hold what was counted; the day stays"
                    " open, nothing of it is deleted"
                )

    def is_loaded(self, table: str) -> bool:
        """Return whether a table holds exactly what the integers say."""
        manifest = self._manifest
        if table == "counts":
            return self._sums("seal_loaded_counts", self._rows_asked()) == manifest.counts
        return self._sums("seal_loaded_pools", {"day": manifest.day}) == manifest.pools

    def unload(self) -> None:
        """Take back what was loaded."""
        for table in ("counts", "pools"):
            self._unload(table)

    def _unload(self, table: str) -> None:
        manifest = self._manifest
        if table == "counts":
            tell(self._client, "seal_unload_counts", self._rows_asked())
            return
        for (partition,) in ask(self._client, "pools_of_close", {"day": manifest.day}):
            drop_partition(self._client, "pools", partition)

    def _rows_asked(self) -> dict[str, Any]:
        manifest = self._manifest
        return {"seal": manifest.seal, "day": manifest.day, "earliest": manifest.earliest}

    def _insert(self, table: str) -> None:
        columns = COUNT_COLUMNS if table == "counts" else POOL_COLUMNS
        for body in bodies(self._directory, table):
            self._warehouse.insert(self._client, table, columns, body)

    def _sums(self, question: str, asked: dict[str, Any]) -> Sums:
        return Sums(*map(int, ask(self._client, question, asked)[0]))


def close_pool(client: Client, period: str, start: date, day: date) -> None:
    """Drop a pool that a day's close has emptied; what later closes put there stays."""
    asked = {"period": period, "start": start, "day": day}
    for (partition,) in ask(client, "pool_partitions", asked):
        drop_partition(client, "pools", partition)


def drop_partition(client: Client, table: str, partition: str) -> None:
    """Drop one partition by the engine's name for it; one that isn't there is no error."""
    tell(client, "drop_partition", {"name": table, "id": partition})
