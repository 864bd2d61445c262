"""The ledger: which spool rows went into which batch, and which batches are known to have arrived.

A SQLite file of the reports process alone, durable at every commit. It holds numbers, days and run
names; no hash and no seller. Losing it is noticed: hits then hold batches that it doesn't know.
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple

from collector import alarms
from collector.alarms import Alarms
from collector.close import closes
from collector.close.closes import Closes
from collector.ledger_file import LedgerFile

VERSION: Final = 1

State = Literal["open", "sealed", "lost"]
# The day's close passes through more states than a reader needs. From `loaded` on, counts hold the
# whole day and hits may already be going.
READ_AS: Final[Mapping[str, State]] = {
    "losing": "lost",
    "loaded": "sealed",
    "dropping": "sealed",
    "gone": "sealed",
    "sealed": "sealed",
    "lost": "lost",
}
TAKES_BATCHES: Final = ("open", "closed")
SETTLES_BATCHES: Final = (*TAKES_BATCHES, "drained")

TABLES: Final = (
    """create table if not exists batches (
        number integer primary key autoincrement,
        day text not null,
        run text not null,
        first_row integer not null,
        last_row integer not null,
        state text not null check (state in ('pending', 'stored'))
    )""",
    "create index if not exists batches_of_a_run on batches (day, run, last_row)",
    "create index if not exists batches_in_doubt on batches (number) where state = 'pending'",
    "create table if not exists days (day text primary key, state text not null)",
    """create table if not exists erasures (
        day text not null,
        run text not null,
        row integer not null,
        before_batch integer not null,
        applied integer not null default 0,
        primary key (day, run, row)
    )""",
    alarms.TABLE,
    *closes.TABLES,
    "create table if not exists progress (name text primary key, value integer not null)",
    "insert or ignore into progress values ('drained', 0), ('erasures', 0)",
)


class Batch(NamedTuple):
    """Rows first_row to last_row, both included, of one run's spool file of one day."""

    number: int
    day: date
    run: str
    first_row: int
    last_row: int


class Mark(NamedTuple):
    """Which erasure (day, run and row of its own spool file), and where it ends in hits."""

    day: date
    run: str
    row: int
    before_batch: int
    applied: bool


class DayRefused(RuntimeError):
    """A batch was to be formed for a day that takes none any more."""


class Ledger:
    """What the reports process knows for certain. May be read from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; errors as LedgerFile."""
        self._file = LedgerFile(path, TABLES, version=VERSION)
        self.alarms = Alarms(self._file)
        self.closes = Closes(self._file)
        self._known_days: tuple[Hashable, Mapping[date, State]] = (None, {})

    def close(self) -> None:
        """Close the file; nothing waits in memory."""
        self._file.close()

    # What readers ask.

    def days(self, first: date, last: date) -> Mapping[date, State]:
        """Return how each day between both, inclusive, is read.

        Absent: nothing ran that day, or it is being put back and not whole yet.
        """
        # A page asks a dozen times, and years of days take a millisecond to read.
        stamp = self._file.stamp()
        known, days = self._known_days
        if stamp is None or known != stamp:
            rows = self._file.rows(
                "select day, state from days where state != ? order by day", (closes.RESTORING,)
            )
            days = {date.fromisoformat(day): READ_AS.get(state, "open") for day, state in rows}
            self._known_days = stamp, days  # As old as the stamp or newer: asked anew if newer.
        return {day: state for day, state in days.items() if first <= day <= last}

    def drained(self) -> int:
        """Return the highest batch number that is known to have arrived."""
        return self._file.number("select value from progress where name = 'drained'")

    def erasures(self) -> int:
        """Return a number that rises whenever withdrawals were applied."""
        return self._file.number("select value from progress where name = 'erasures'")

    # Days.

    def saw(self, day: date) -> None:
        """Note that something ran on a day; it is open until the day's close says otherwise."""
        known = self._file.rows("select 1 from days where day = ?", (day.isoformat(),))
        if not known:
            self._file.write(
                "insert or ignore into days (day, state) values (?, 'open')", (day.isoformat(),)
            )

    def learn_sealed(self, days: Iterable[date]) -> None:
        """Note days that counts hold as sealed, where nothing is known of them."""
        self._file.write_many(
            "insert or ignore into days (day, state) values (?, 'sealed')",
            [(day.isoformat(),) for day in days],
        )

    def takes_batches(self, day: date) -> bool:
        """Return whether a new batch of that day may be formed."""
        return self._state(day) in TAKES_BATCHES

    def settles_batches(self, day: date) -> bool:
        """Return whether a batch in doubt may still be sent: the day isn't counted yet."""
        return self._state(day) in SETTLES_BATCHES

    def _state(self, day: date) -> str | None:
        rows = self._file.rows("select state from days where day = ?", (day.isoformat(),))
        return str(rows[0][0]) if rows else None

    # Batches.

    def next_batch(self) -> int:
        """Return the number that the next batch will have."""
        return 1 + self._file.number("select seq from sqlite_sequence where name = 'batches'")

    def batched_to(self, day: date, run: str) -> int:
        """Return the last row of a spool file that is in a batch, 0 when none is."""
        return self._file.number(
            "select max(last_row) from batches where day = ? and run = ?", (day.isoformat(), run)
        )

    def form(self, day: date, run: str, bounds: Iterable[tuple[int, int]]) -> list[Batch]:
        """Note batches of one spool file before their first attempt; return them numbered.

        Errors  DayRefused when the day takes none any more; then none is noted.
        """
        formed = []
        with self._file.transaction():
            if not self.takes_batches(day):
                raise DayRefused(f"{day}: closed and counted; a late batch would not be counted")
            for first_row, last_row in bounds:
                number = self._file.write(
                    "insert into batches (day, run, first_row, last_row, state)"
                    " values (?, ?, ?, ?, 'pending')",
                    (day.isoformat(), run, first_row, last_row),
                )
                assert number is not None, "SQLite numbers every row"
                formed.append(Batch(number, day, run, first_row, last_row))
        return formed

    def in_doubt(self) -> list[Batch]:
        """Return the batches that were formed and not noted as arrived, oldest first."""
        rows = self._file.rows(
            "select number, day, run, first_row, last_row from batches"
            " where state = 'pending' order by number"
        )
        return [
            Batch(number, date.fromisoformat(day), run, first_row, last_row)
            for number, day, run, first_row, last_row in rows
        ]

    def batches(self, day: date) -> list[Batch]:
        """Return every batch of a day, oldest first."""
        rows = self._file.rows(
            "select number, run, first_row, last_row from batches where day = ? order by number",
            (day.isoformat(),),
        )
        return [
            Batch(number, day, run, first_row, last_row)
            for number, run, first_row, last_row in rows
        ]

    def arrived(self, number: int) -> None:
        """Note that a batch is in ClickHouse, whole."""
        with self._file.transaction():
            self._file.write("update batches set state = 'stored' where number = ?", (number,))
            self._file.write(
                "update progress set value = max(value, ?) where name = 'drained'", (number,)
            )

    def doubt(self, numbers: Iterable[int]) -> None:
        """Note that batches may not have arrived after all."""
        self._file.write_many(
            "update batches set state = 'pending' where number = ?", [(each,) for each in numbers]
        )

    # Withdrawals.

    def mark_erasures(self, found: Iterable[tuple[date, str, int]]) -> None:
        """Note erasures by day, run and row: they end before the next batch. Known ones stay."""
        with self._file.transaction():
            self._file.write_many(
                "insert or ignore into erasures (day, run, row, before_batch) values (?, ?, ?, ?)",
                [(day.isoformat(), run, row, self.next_batch()) for day, run, row in found],
            )

    def marks(self, day: date) -> list[Mark]:
        """Return every erasure that was noted for a day."""
        rows = self._file.rows(
            "select run, row, before_batch, applied from erasures where day = ? order by run, row",
            (day.isoformat(),),
        )
        return [Mark(day, run, row, before, bool(applied)) for run, row, before, applied in rows]

    def applied(self, marks: Iterable[Mark]) -> None:
        """Note that erasures are in ClickHouse: no number counts them from now on."""
        with self._file.transaction():
            self._file.write_many(
                "update erasures set applied = 1 where day = ? and run = ? and row = ?",
                [(mark.day.isoformat(), mark.run, mark.row) for mark in marks],
            )
            self._file.write("update progress set value = value + 1 where name = 'erasures'")
