"""Withdrawal, on the reports side: what people took back, and from which batch on they count again.

Beacons workers write erasures into their own spool files; this reads them, tells ClickHouse, and
says which rows of a spool file no longer count. The hashes stay in memory; the ledger knows only
which row of which file an erasure was.
"""

import json
from collections.abc import Collection
from datetime import date
from typing import Final

from collector.backlog import Erasure, Waiting
from collector.delivery import Delivery
from collector.ledger import Ledger, Mark
from collector.warehouse import Warehouse

ERASED_COLUMNS: Final = ("day", "seller", "visitor", "before_batch")


class Withdrawals:
    """The erasures of every day that still has a spool. For the drain's thread."""

    def __init__(self, ledger: Ledger, warehouse: Warehouse) -> None:
        self._ledger = ledger
        self._warehouse = warehouse
        self._erasures: dict[date, dict[tuple[str, int], Erasure]] = {}
        self._marks: dict[date, dict[tuple[str, int], Mark]] = {}

    def keep(self, days: Collection[date]) -> None:
        """Forget every other day's."""
        for kept in (self._erasures, self._marks):
            for day in kept.keys() - set(days):
                del kept[day]

    def read(self, each: Waiting) -> None:
        """Read what a spool file has new; errors as Waiting.erasures."""
        file = each.file
        known = self._erasures.setdefault(file.day, {})
        after = max((row for run, row in known if run == file.run), default=0)
        known.update(((new.run, new.row), new) for new in each.erasures(after))

    def apply(self, delivery: Delivery) -> None:
        """See to it that no number counts what was withdrawn; then the ledger says so.

        Errors  Unanswered; the next call tells ClickHouse again, which changes nothing.
        """
        for day, erasures in self._erasures.items():
            marks = self._marks.get(day)
            if marks is None or erasures.keys() - marks.keys():
                self._ledger.mark_erasures((day, run, row) for run, row in erasures)
                marks = self._load(day)
            new = {key: mark for key, mark in marks.items() if not mark.applied}
            told = {key: (erasures[key], mark) for key, mark in new.items() if key in erasures}
            if told:
                body = "\n".join(_row(day, *pair) for pair in told.values()).encode()
                self._warehouse.insert(delivery.client, "erased", ERASED_COLUMNS, body)
                self._ledger.applied(mark for _, mark in told.values())
                self._load(day)

    def of(self, day: date) -> list[tuple[Erasure, int]]:
        """Return a day's erasures, each with the batch that it ends before."""
        marks = self._marks[day]
        return [(each, marks[key].before_batch) for key, each in self._erasures[day].items()]

    def _load(self, day: date) -> dict[tuple[str, int], Mark]:
        self._marks[day] = {(mark.run, mark.row): mark for mark in self._ledger.marks(day)}
        return self._marks[day]


def _row(day: date, erasure: Erasure, mark: Mark) -> str:
    visitor = erasure.visitor % 2**64  # SQLite keeps it signed
    return json.dumps([day.isoformat(), erasure.seller, visitor, mark.before_batch])
