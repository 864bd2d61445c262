"""Delivery: one batch into ClickHouse, whole and once, whatever happened to its first attempt.

After any doubt the batch is read back by its number: none of its rows there, it is sent; all of
them, it is done; anything else stops the drain. Before the first delivery both sides are looked
over: what the ledger doesn't know would be sent twice, what ClickHouse lost would be missing.
"""

from collections.abc import Collection
from datetime import date

from collector.backlog import HIT_COLUMNS, Waiting
from collector.ledger import Batch, Ledger
from collector.warehouse import (
    Client,
    Unanswered,
    Warehouse,
    ask,
    insert_attempt,
    mark,
    tell,
)


class Stop(Exception):
    """An alarm that leaves nothing to be done before somebody has looked."""

    def __init__(self, code: str, subject: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.subject = subject


class Skip(Exception):
    """One spool file can't go on; the others do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Delivery:
    """Sends batches and notes their arrival. For the drain's thread."""

    def __init__(self, ledger: Ledger, warehouse: Warehouse) -> None:
        self._ledger = ledger
        self._warehouse = warehouse
        self._connected: Client | None = None
        self._has_looked = False
        self._trusted_days: set[date] = set()

    @property
    def client(self) -> Client:
        """A client of its own, opened and its tables brought up as soon as the engine answers.

        Errors  Unanswered, schema.NewerSchema.
        """
        if self._connected is None:
            self._warehouse.migrate()
            self._connected = self._warehouse.connect()
        return self._connected

    def close(self) -> None:
        """Let the client go."""
        if self._connected is not None:
            self._warehouse.disconnect(self._connected)
            self._connected = None

    def doubt(self) -> None:
        """Look everything over again before the next batch: the engine may have been restarted."""
        self._has_looked = False

    def look_over(self, days: Collection[date]) -> None:
        """Compare ledger and hits once a start, and once after each time without an answer.

        Stops when hits hold a batch that the ledger never numbered. A batch that the ledger knows
        as arrived and of which nothing is there is in doubt again: a part that broke, by a power
        cut or by a full disk that the engine overlooked, is set aside whole when the engine starts.

        days    that have a spool
        """
        if self._has_looked:
            return
        last = ask(self.client, "last_batch")[0][0]
        known = self._ledger.next_batch() - 1
        if last > known:
            raise Stop(
                "ledger-lost",
                "",
                f"ClickHouse holds batch {last} and ledger.sqlite knows none after {known}: it was"
                " lost or is an old copy; nothing is drained, so that nothing is counted twice",
            )
        for day in filter(self._ledger.settles_batches, days):
            there = {row[0] for row in ask(self.client, "batches_there", {"day": day})}
            self._ledger.doubt(
                batch.number for batch in self._ledger.batches(day) if batch.number not in there
            )
        # After a ledger was lost. A day with a spool is judged when it has something to say.
        counted = {row[0] for row in ask(self.client, "days_counted")}
        self._ledger.learn_sealed(counted - set(days))
        self._has_looked = True

    def trust_day(self, day: date) -> None:
        """Refuse a day that is open in the ledger and counted for good in ClickHouse."""
        if day in self._trusted_days or not self._ledger.takes_batches(day):
            return
        if ask(self.client, "day_is_counted", {"day": day})[0][0]:
            raise Skip(
                "day-counted",
                f"{day}: counted for good already, but ledger.sqlite calls it open: it was lost or"
                " is an old copy",
            )
        self._trusted_days.add(day)

    def settle(self, batch: Batch, waiting: Waiting) -> int:
        """Find out what became of an earlier attempt; return how many rows were sent now."""
        if not self._ledger.settles_batches(batch.day):
            raise Skip(
                "rows-late",
                f"{waiting.file.name}: nobody knows whether batch {batch.number} arrived, and"
                f" {batch.day} is counted",
            )
        attempt = 0 if self._warehouse.embedded else self._give_up(batch)
        expected, body = waiting.body(batch)
        if self._has_arrived(batch, expected):
            self._ledger.arrived(batch.number)
            return 0
        return self._send(batch, waiting, expected, body, attempt)

    def send(self, batch: Batch, waiting: Waiting) -> int:
        """Send a batch that was just formed; return how many rows that were."""
        return self._send(batch, waiting, *waiting.body(batch))

    def _give_up(self, batch: Batch) -> int:
        """Make sure that no earlier attempt can still arrive; return the next one's number.

        One that a server hasn't begun will find the fence raised; one that passed before is among
        the running queries and is waited for.
        """
        attempt = 1 + int(ask(self.client, "attempt_now", {"batch": batch.number})[0][0])
        tell(self.client, "attempt_next", {"batch": batch.number, "attempt": attempt})
        if ask(self.client, "attempts_running", {"mark": mark(batch.number)})[0][0]:
            raise Skip(
                "batch-running",
                f"{batch.day}/{batch.run}.sqlite: ClickHouse still works at an earlier attempt at"
                f" batch {batch.number}; it is waited for",
            )
        return attempt

    def _send(
        self, batch: Batch, waiting: Waiting, expected: int, body: bytes, attempt: int = 0
    ) -> int:
        if expected:
            try:
                if self._warehouse.embedded:
                    self._warehouse.insert(self.client, "hits", HIT_COLUMNS, body)
                else:
                    insert_attempt(self.client, batch.number, attempt, body)
            except Unanswered as error:
                if not self._has_arrived(batch, expected):
                    raise Skip(
                        "batch-refused",
                        f"{waiting.file.name}: ClickHouse refused batch {batch.number} ({error});"
                        " it is tried again",
                    ) from None
        self._ledger.arrived(batch.number)
        return expected

    def _has_arrived(self, batch: Batch, expected: int) -> bool:
        values = {"day": batch.day, "batch": batch.number}
        found = int(ask(self.client, "hits_in_batch", values)[0][0])
        if found not in (0, expected):
            raise Stop(
                "batch-differs",
                str(batch.number),
                f"batch {batch.number} of {batch.day}: {found} of its {expected} rows are in"
                " ClickHouse; nothing is drained until that is resolved",
            )
        return found == expected
