"""The drain: from spool files to ClickHouse, every row exactly once.

Each step is one cycle, in an order that a withdrawal rests on: (a) note each spool file's last
row, (b) read every withdrawal, (c) apply the new ones, (d) form batches up to the noted rows. One
that is seen at (b) is applied before; one that isn't was written after (a), so it covers all rows
of this cycle's batches and ends before the next cycle's.

Nothing is sent before its bounds are in the ledger, and nothing is sent twice without a look at
what arrived. What nobody can explain stops the drain and sounds an alarm; it never guesses.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from collector.backlog import HIT_COLUMNS, Unreadable, Waiting, opened
from collector.ledger import Batch, DayRefused, Ledger
from collector.spool_file import SpoolFile, files
from collector.warehouse import Unanswered, Warehouse, ask
from collector.withdrawal import Withdrawals

STEP_BATCHES_MAX: Final = 8  # About a third of a second; then the caller may want to stop.
CODES: Final = frozenset(
    {
        "batch-differs",
        "batch-refused",
        "day-counted",
        "ledger-lost",
        "ledger-unwritable",
        "rows-late",
        "spool-foreign",
        "spool-missing",
        "spool-truncated",
        "spool-unreadable",
        "warehouse-away",
    }
)


class _Stop(Exception):
    """An alarm that leaves nothing to be done before somebody has looked."""


class _Skip(Exception):
    """One spool file can't go on; the others do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Drain:
    """Moves what waits in the spool. For one thread; close it before the warehouse.

    spool      the directory of the days' directories
    now        seconds since 1970, for the alarms' times
    """

    def __init__(
        self, spool: Path, ledger: Ledger, warehouse: Warehouse, now: Callable[[], float]
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._warehouse = warehouse
        self._client = warehouse.connect()
        self._now = now
        self._trusts_ledger = False
        self._trusted_days: set[date] = set()
        self._finished: set[SpoolFile] = set()
        self._withdrawals = Withdrawals(ledger, warehouse, self._client)
        self._sounded: set[tuple[str, str]] = set()
        self._waiting = 0
        self._left = 0
        self._rows = 0
        self.behind = False  # whether the last step left full batches, so the next need not wait

    def step(self) -> int:
        """Take what waits, up to eight batches; return how many rows arrived.

        Never raises for what the world does: that becomes an alarm in the ledger, and the next
        step tries again.
        """
        self._rows = 0
        self.behind = False
        self._left = STEP_BATCHES_MAX
        self._sounded.clear()
        try:
            with contextlib.ExitStack() as stack:
                self._cycle(stack)
        except Unanswered as error:
            self._sound(
                "warehouse-away", "", f"{error}; hits wait in the spool until it answers again"
            )
        except sqlite3.Error as error:
            self._sound("ledger-unwritable", "", f"ledger.sqlite: can't be written ({error})")
        except _Stop:
            pass
        else:
            self._hush()
            self.behind = self._left == 0 and self._waiting > 0
        return self._rows

    def waiting(self) -> int:
        """Return how many spool rows the last step left behind, for whatever reason."""
        return self._waiting

    def close(self) -> None:
        """Let the engine's client go. What a step had begun is in the ledger."""
        self._warehouse.disconnect(self._client)

    def _cycle(self, stack: contextlib.ExitStack) -> None:
        waiting = self._open(stack)
        self._trust_ledger()
        self._withdraw(waiting)
        self._settle(waiting)
        self._take(waiting)

    def _trust_ledger(self) -> None:
        """Stop when hits hold a batch that the ledger never numbered: it would be sent again."""
        if self._trusts_ledger:
            return
        last = ask(self._client, "last_batch")[0][0]
        known = self._ledger.next_batch() - 1
        if last > known:
            self._sound(
                "ledger-lost",
                "",
                f"ClickHouse holds batch {last} and ledger.sqlite knows none after {known}: it was"
                " lost or is an old copy; nothing is drained, so that nothing is counted twice",
            )
            raise _Stop
        self._trusts_ledger = True

    def _open(self, stack: contextlib.ExitStack) -> dict[SpoolFile, Waiting]:
        """Open every file that may have something new, and with it note its last row: (a)."""
        found = files(self._spool)
        days = {file.day for file in found}
        self._withdrawals.keep(days)
        for day in sorted(days):
            self._ledger.saw(day)
        waiting = {}
        for file in found:
            if file not in self._finished:
                with self._one_file(file), contextlib.suppress(FileNotFoundError):
                    each = stack.enter_context(opened(file))
                    if each is not None:
                        waiting[file] = each
                    elif self._ledger.batched_to(file.day, file.run):
                        raise _Skip("spool-truncated", f"{file.name}: empty, but was counted from")
        self._finished.intersection_update(found)
        self._waiting = sum(
            each.last_row - self._ledger.batched_to(file.day, file.run)
            for file, each in waiting.items()
        )
        return waiting

    def _withdraw(self, waiting: dict[SpoolFile, Waiting]) -> None:
        """Read, after every file's last row was noted, what was withdrawn: (b). Apply it: (c)."""
        for file, each in list(waiting.items()):
            with self._one_file(file, waiting):
                self._withdrawals.read(each)
        self._withdrawals.apply()
        for each in waiting.values():
            each.withdraw(self._withdrawals.of(each.file.day))

    def _settle(self, waiting: dict[SpoolFile, Waiting]) -> None:
        """Find out what became of every batch whose arrival was never noted."""
        by_run = {(file.day, file.run): file for file in waiting}
        for batch in self._ledger.in_doubt():
            file = by_run.get((batch.day, batch.run))
            if file is None:
                self._miss(batch)
            elif file in waiting:
                with self._one_file(file, waiting):
                    self._settle_one(batch, waiting[file])

    def _settle_one(self, batch: Batch, each: Waiting) -> None:
        if not self._ledger.takes_batches(batch.day):
            raise _Skip(
                "rows-late", f"{each.file.name}: batch {batch.number} is of a day that is over"
            )
        expected, body = each.body(batch)
        if self._arrived(batch, expected):
            self._ledger.arrived(batch.number)
        else:
            self._send(batch, each, expected, body)

    def _miss(self, batch: Batch) -> None:
        name = f"{batch.day}/{batch.run}.sqlite"
        if not any(subject == name for _, subject in self._sounded):
            self._sound(
                "spool-missing",
                name,
                f"{name}: not there, and nobody knows whether its batch {batch.number} arrived;"
                " put the file back",
            )

    def _take(self, waiting: dict[SpoolFile, Waiting]) -> None:
        """Form and send batches up to the rows noted at (a), the oldest first: (d)."""
        for file, each in list(waiting.items()):
            with self._one_file(file, waiting):
                self._take_one(each)
                if each.finished and self._ledger.batched_to(file.day, file.run) == each.last_row:
                    self._finished.add(file)

    def _take_one(self, each: Waiting) -> None:
        day, run = each.file.day, each.file.run
        after = self._ledger.batched_to(day, run)
        if after > each.last_row:
            raise _Skip(
                "spool-truncated",
                f"{each.file.name}: ends at row {each.last_row}, but row {after} was counted"
                " already; put the whole file back",
            )
        bounds = list(itertools.islice(each.bounds(after), self._left))
        if not bounds:
            return
        self._trust_day(day)
        try:
            batches = self._ledger.form(day, run, bounds)
        except DayRefused as error:
            raise _Skip(
                "rows-late", f"{each.file.name}: rows behind {after} wait, but {error}"
            ) from None
        for batch in batches:
            self._send(batch, each, *each.body(batch))
            self._waiting -= batch.last_row - batch.first_row + 1
            self._left -= 1

    def _trust_day(self, day: date) -> None:
        if day in self._trusted_days:
            return
        if self._ledger.takes_batches(day) and ask(
            self._client, "day_is_counted", {"day": day}
        ) != [(0,)]:
            raise _Skip(
                "day-counted",
                f"{day}: counted for good already, but ledger.sqlite calls it open: it was lost or"
                " is an old copy",
            )
        self._trusted_days.add(day)

    def _send(self, batch: Batch, each: Waiting, expected: int, body: bytes) -> None:
        """Send a batch, and note its arrival; after an error, look."""
        if expected:
            try:
                self._warehouse.insert(self._client, "hits", HIT_COLUMNS, body)
            except Unanswered as error:
                if not self._arrived(batch, expected):
                    raise _Skip(
                        "batch-refused",
                        f"{each.file.name}: ClickHouse refused batch {batch.number} ({error});"
                        " it is tried again",
                    ) from None
        self._ledger.arrived(batch.number)
        self._rows += expected

    def _arrived(self, batch: Batch, expected: int) -> bool:
        """Read back; all rows or none is an answer, anything else stops the drain."""
        values = {"day": batch.day, "batch": batch.number}
        found = ask(self._client, "hits_in_batch", values)[0][0]
        if found not in (0, expected):
            self._sound(
                "batch-differs",
                str(batch.number),
                f"batch {batch.number} of {batch.day}: {found} of its {expected} rows are in"
                " ClickHouse; nothing is drained until that is resolved",
            )
            raise _Stop
        return bool(found == expected)

    @contextlib.contextmanager
    def _one_file(
        self, file: SpoolFile, waiting: dict[SpoolFile, Waiting] | None = None
    ) -> Iterator[None]:
        """Turn what is wrong with one file into an alarm and leave it out of this cycle."""
        try:
            yield
        except (Unreadable, _Skip) as error:
            self._sound(error.code, file.name, str(error))
        except OSError as error:
            self._sound("spool-unreadable", file.name, f"{file.name}: {error.strerror}")
        else:
            return
        if waiting is not None:
            del waiting[file]

    def _sound(self, code: str, subject: str, sentence: str) -> None:
        self._sounded.add((code, subject))
        self._ledger.alarms.sound(code, subject, sentence, self._now())

    def _hush(self) -> None:
        """Forget the drain's alarms that this whole cycle gave no reason for."""
        for alarm in self._ledger.alarms.sounding():
            if alarm.code in CODES and (alarm.code, alarm.subject) not in self._sounded:
                self._ledger.alarms.hush(alarm.code, alarm.subject)
