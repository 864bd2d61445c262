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

from collector.backlog import Unreadable, Waiting, opened
from collector.delivery import Delivery, Skip, Stop
from collector.ledger import Batch, DayRefused, Ledger
from collector.schema import NewerSchema
from collector.spool_file import SpoolFile, files
from collector.warehouse import Unanswered, Warehouse
from collector.withdrawal import Withdrawals

STEP_BATCHES_MAX: Final = 8  # About a third of a second; then the caller may want to stop.
# The drain's own alarms; each has an entry in docs/operations.md. A step that meets no reason for
# one ends it.
CODES: Final = frozenset(
    {
        "batch-differs",
        "batch-refused",
        "batch-running",
        "day-counted",
        "ledger-lost",
        "ledger-unwritable",
        "rows-late",
        "schema-newer",
        "spool-foreign",
        "spool-missing",
        "spool-truncated",
        "spool-unreadable",
        "warehouse-away",
    }
)


class Drain:
    """Moves what waits in the spool. For one thread; close it before warehouse and ledger.

    spool   the directory of the days' directories
    now     seconds since 1970, for the alarms' times
    behind  whether the last step left full batches, so that the next one need not wait
    """

    def __init__(
        self, spool: Path, ledger: Ledger, warehouse: Warehouse, now: Callable[[], float]
    ) -> None:
        self._spool = spool
        self._ledger = ledger
        self._now = now
        self._delivery = Delivery(ledger, warehouse)
        self._withdrawals = Withdrawals(ledger, warehouse)
        self._finished: set[SpoolFile] = set()
        self._sounded: set[tuple[str, str]] = set()
        self._rows = 0
        self._left = 0
        self._waiting = 0
        self.behind = False

    def step(self) -> int:
        """Take what waits, up to eight batches; return how many rows arrived.

        Never raises for what the world does: that becomes an alarm in the ledger, and the next
        step tries again.
        """
        self._rows = 0
        self._left = STEP_BATCHES_MAX
        self._sounded.clear()
        try:
            with contextlib.ExitStack() as stack:
                self._cycle(stack)
        except Unanswered as error:
            self._doubt()
            self._sound("warehouse-away", "", f"{error}; hits wait in the spool until it does")
        except NewerSchema as error:
            self._sound("schema-newer", "", str(error))
        except sqlite3.Error as error:
            self._sound("ledger-unwritable", "", f"ledger.sqlite: can't be written ({error})")
        except Stop as error:
            self._sound(error.code, error.subject, str(error))
        else:
            self._hush()
        self.behind = self._left == 0 and self._waiting > 0
        return self._rows

    def waiting(self) -> int:
        """Return how many spool rows the last step left behind, for whatever reason."""
        return self._waiting

    def rest(self) -> None:
        """Return when nothing goes on behind the last step."""
        self._withdrawals.rest()

    def close(self) -> None:
        """Let the engine's client go. What a step had begun is in the ledger."""
        self.rest()
        self._delivery.close()

    def _cycle(self, stack: contextlib.ExitStack) -> None:
        found = files(self._spool)
        days = {file.day for file in found} | _directories(self._spool)
        waiting = self._open(stack, found, days)
        self._delivery.look_over(days)
        self._withdraw(waiting)
        self._settle(waiting)
        self._take(waiting)
        self._withdrawals.delete(self._now())

    def _doubt(self) -> None:
        """Trust nothing that was learnt from an engine that may have been restarted."""
        self._finished.clear()
        self._delivery.doubt()
        self._withdrawals.doubt()

    def _open(
        self, stack: contextlib.ExitStack, found: list[SpoolFile], days: set[date]
    ) -> dict[SpoolFile, Waiting]:
        """Open every file that may have something new, and with it note its last row: (a)."""
        self._finished.intersection_update(found)
        self._withdrawals.keep(days)
        doubted = {(batch.day, batch.run) for batch in self._ledger.in_doubt()}
        waiting = {}
        for file in found:
            if file not in self._finished or (file.day, file.run) in doubted:
                with self._one_file(file), contextlib.suppress(FileNotFoundError):
                    each = stack.enter_context(opened(file))
                    if each is not None:
                        waiting[file] = each
                    elif self._ledger.batched_to(file.day, file.run):
                        raise Skip("spool-truncated", f"{file.name}: empty, but was counted from")
        self._waiting = sum(
            each.last_row - self._ledger.batched_to(file.day, file.run)
            for file, each in waiting.items()
        )
        for day in sorted(days):
            self._ledger.saw(day)
        return waiting

    def _withdraw(self, waiting: dict[SpoolFile, Waiting]) -> None:
        """Read, after every file's last row was noted, what was withdrawn: (b). Apply it: (c)."""
        for file, each in list(waiting.items()):
            with self._one_file(file, waiting):
                self._withdrawals.read(each)
        self._withdrawals.apply(self._delivery)
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
                    self._rows += self._delivery.settle(batch, waiting[file])

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
                self._take_one(file, each)

    def _take_one(self, file: SpoolFile, each: Waiting) -> None:
        after = self._ledger.batched_to(file.day, file.run)
        if after > each.last_row:
            raise Skip(
                "spool-truncated",
                f"{file.name}: ends at row {each.last_row}, but row {after} was counted already;"
                " put the whole file back",
            )
        for batch in self._form(file, each, after):
            self._rows += self._delivery.send(batch, each)
            self._waiting -= batch.last_row - batch.first_row + 1
            self._left -= 1
            after = batch.last_row
        if each.finished and after == each.last_row:
            self._finished.add(file)

    def _form(self, file: SpoolFile, each: Waiting, after: int) -> list[Batch]:
        bounds = list(itertools.islice(each.bounds(after), self._left))
        if not bounds:
            return []
        self._delivery.trust_day(file.day)
        try:
            return self._ledger.form(file.day, file.run, bounds)
        except DayRefused as error:
            raise Skip("rows-late", f"{file.name}: rows after {after} wait, but {error}") from None

    @contextlib.contextmanager
    def _one_file(
        self, file: SpoolFile, waiting: dict[SpoolFile, Waiting] | None = None
    ) -> Iterator[None]:
        """Turn what is wrong with one file into an alarm and leave it out of this cycle."""
        try:
            yield
        except (Unreadable, Skip) as error:
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


def _directories(spool: Path) -> set[date]:
    found = set()
    for path in spool.glob("*/"):
        with contextlib.suppress(ValueError):
            found.add(date.fromisoformat(path.name))
    return found
