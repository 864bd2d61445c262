"""Withdrawal, on the reports side: what people took back, and from which batch on they count again.

Beacons workers write erasures into their own spool files; this reads them, tells ClickHouse, and
says which rows of a spool file no longer count. The hashes stay in memory; the ledger knows only
which row of which file an erasure was.
"""

import json
import logging
import threading
from collections.abc import Collection
from datetime import date
from typing import Final

from collector.backlog import Erasure, Waiting
from collector.delivery import Delivery
from collector.ledger import Ledger, Mark
from collector.warehouse import Unanswered, Warehouse, ask, tell

logger = logging.getLogger("collector.withdrawal")

ERASED_COLUMNS: Final = ("day", "seller", "visitor", "before_batch")
DELETE_SECONDS: Final = 600
Told = tuple[str, int, int]  # seller, visitor, before_batch, as ClickHouse has them


class Withdrawals:
    """The erasures of every day that still has a spool. For the drain's thread."""

    def __init__(self, ledger: Ledger, warehouse: Warehouse) -> None:
        self._ledger = ledger
        self._warehouse = warehouse
        self._erasures: dict[date, dict[tuple[str, int], Erasure]] = {}
        self._marks: dict[date, dict[tuple[str, int], Mark]] = {}
        self._there: dict[date, set[Told]] = {}
        self._to_delete: set[date] = set()
        self._refused: tuple[date, ...] = ()  # Days whose last deletion failed.
        self._failed = False
        self._deleted_at = 0.0
        self._deleting = threading.Thread()

    def keep(self, days: Collection[date]) -> None:
        """Forget every other day's."""
        for kept in (self._erasures, self._marks, self._there):
            for day in kept.keys() - set(days):
                del kept[day]
        self._to_delete.intersection_update(days)

    def read(self, each: Waiting) -> None:
        """Read what a spool file has new; errors as Waiting.erasures."""
        file = each.file
        known = self._erasures.setdefault(file.day, {})
        after = max((row for run, row in known if run == file.run), default=0)
        known.update(((new.run, new.row), new) for new in each.erasures(after))

    def doubt(self) -> None:
        """Ask ClickHouse again what it knows."""
        self._there.clear()

    def apply(self, delivery: Delivery) -> None:
        """See to it that no number counts what was withdrawn; then the ledger says so.

        Errors  Unanswered; the next call tells ClickHouse again, which changes nothing.
        """
        for day, erasures in self._erasures.items():
            marks = self._marks.get(day)
            if marks is None or erasures.keys() - marks.keys():
                self._ledger.mark_erasures((day, run, row) for run, row in erasures)
                marks = self._load(day)
            if erasures:
                self._tell(day, delivery)
            if new := [mark for key, mark in marks.items() if key in erasures and not mark.applied]:
                self._ledger.applied(new)
                self._load(day)

    def delete(self, now: float) -> None:
        """Have the engine delete what was withdrawn since the last time, every ten minutes at most.

        Not waited for: it looks through the day first, which takes seconds over ten million hits,
        and the next withdrawal is to be applied meanwhile.
        """
        if self._deleting.is_alive():
            return
        self._to_delete.update(self._refused)
        self._refused = ()
        if not self._to_delete:
            return
        if not 0 <= now - self._deleted_at < DELETE_SECONDS:
            days = list(filter(self._ledger.takes_batches, sorted(self._to_delete)))
            self._to_delete.clear()
            self._deleted_at = now
            self._deleting = threading.Thread(target=self._delete, args=(days,), name="delete")
            self._deleting.start()

    def rest(self) -> None:
        """Return when nothing is being deleted any more."""
        if self._deleting.is_alive():
            self._deleting.join()

    def _delete(self, days: list[date]) -> None:
        try:
            client = self._warehouse.connect()
            try:
                for day in days:
                    tell(client, "delete_withdrawn", {"day": day})
            finally:
                self._warehouse.disconnect(client)
        except Unanswered as error:
            # One that a day's close cuts short is ordinary. They count no more in any case, and go
            # in ten minutes, after a start, or with the day. Twice in a row is not ordinary.
            self._refused = tuple(days)
            level = logging.WARNING if self._failed else logging.INFO
            logger.log(level, "what was withdrawn is not counted but still stored: %s", error)
            self._failed = True
        else:
            self._failed = False

    def of(self, day: date) -> list[tuple[Erasure, int]]:
        """Return a day's erasures, each with the batch that it ends before."""
        marks = self._marks[day]
        return [(each, marks[key].before_batch) for key, each in self._erasures[day].items()]

    def _tell(self, day: date, delivery: Delivery) -> None:
        told = {
            (each.seller, each.visitor % 2**64, before_batch)  # SQLite keeps it signed
            for each, before_batch in self.of(day)
        }
        if day not in self._there:
            values = {"day": day}
            self._there[day] = {
                tuple(row) for row in ask(delivery.client, "erasures_there", values)
            }
            self._to_delete.add(day)
        new = sorted(told - self._there[day])
        if new:
            body = "\n".join(json.dumps([day.isoformat(), *row]) for row in new).encode()
            self._warehouse.insert(delivery.client, "erased", ERASED_COLUMNS, body)
            self._there[day].update(new)
            self._to_delete.add(day)

    def _load(self, day: date) -> dict[tuple[str, int], Mark]:
        self._marks[day] = {(mark.run, mark.row): mark for mark in self._ledger.marks(day)}
        return self._marks[day]
