"""A spool, a ledger and a drain put together as the reports process has them."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from collector.drain import Drain
from collector.hit import Hit
from collector.ledger import Ledger
from collector.warehouse import Warehouse
from tests.collector.spooling import Worker


class Desk:
    """One test's, over the run's engine."""

    def __init__(self, folder: Path, warehouse: Warehouse) -> None:
        self.spool = folder / "spool"
        self.ledger_path = folder / "ledger.sqlite"
        self.warehouse = warehouse
        self.now = 1_767_345_600.0
        self.client = warehouse.connect()
        self.start()

    def start(self) -> None:
        """Start as after a crash: nothing is remembered but what is on disk."""
        self.ledger = Ledger(self.ledger_path)
        self.drain = Drain(self.spool, self.ledger, self.warehouse, lambda: self.now)

    def stop(self) -> None:
        """Stop; the engine stays."""
        self.drain.close()
        self.ledger.close()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def rows(self, table: str = "visible_hits") -> Counter[tuple[Any, ...]]:
        """Return what counts, as (day, *hit)."""
        columns = ", ".join(("day", *Hit._fields))
        found = self.client.query(f"select {columns} from {table}").result_rows
        return Counter(tuple(row) for row in found)

    def alarms(self) -> dict[str, str]:
        """Return what is wrong, the sentence by its code."""
        return {alarm.code: alarm.sentence for alarm in self.ledger.alarms.sounding()}

    def change_ledger(self, statement: str) -> None:
        """Write into the ledger behind its back."""
        with closing(sqlite3.connect(self.ledger_path)) as base, base:
            base.execute(statement)


def expected(*workers: Worker) -> Counter[tuple[Any, ...]]:
    """Return what the workers committed, as (day, *hit)."""
    return Counter((worker.writer.day, *row) for worker in workers for row in worker.rows)


def visitors(desk: Desk) -> Counter[tuple[object, object]]:
    """Return how often each visitor counts, by seller."""
    rows = desk.client.query("select seller, visitor from visible_hits").result_rows
    return Counter((seller, visitor) for seller, visitor in rows)
