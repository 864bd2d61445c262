"""The closes: how far each day's close has come, when each step was taken and what it found.

Part of the ledger's file. Every arrow of the state machine is one transaction here, so a process
that starts knows where the last one stopped. It holds days, times and integers.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from collector.ledger_file import LedgerFile

TABLES: Final = (
    """create table if not exists closes (
        day text primary key,
        seal integer not null unique,
        waited real not null default 0,
        notes text not null default '{}'
    )""",
    "create table if not exists minimums (month text primary key, minimum integer not null)",
)

ENDED: Final = ("sealed", "lost")
"""States from which nothing follows."""

RESTORING: Final = "restoring"
"""A day that a backup is being put back for; an interrupted restore is begun again."""

SAFE: Final = ("loaded", "dropping", "gone", "sealed")
"""States in which counts hold the whole day."""


class Close(NamedTuple):
    """One day's close.

    seal    its number; rows of counts carry it
    waited  seconds that a process was running since the day was over and before it was sealed
    notes   what each step found, by name; times in seconds since 1970 end in `_at`
    """

    day: date
    state: str
    seal: int
    waited: float
    notes: Mapping[str, float]


class Closes:
    """The record. May be read from any thread."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def due(self, today: date) -> list[Close]:
        """Return the closes of days before today that haven't ended, oldest first."""
        marks = ",".join("?" * len((*ENDED, RESTORING)))
        return self._closes(
            f"days.day < ? and days.state not in ({marks})",
            (today.isoformat(), *ENDED, RESTORING),
        )

    def unfinished(self) -> list[Close]:
        """Return every close that has begun and not ended."""
        return [close for close in self.due(date.max) if close.state != "open"]

    def of(self, day: date) -> Close | None:
        """Return one day's close, None when nothing ran that day."""
        found = self._closes("days.day = ?", (day.isoformat(),))
        return found[0] if found else None

    def between(self, first: date, last: date) -> list[Close]:
        """Return the closes of all days between both, inclusive, oldest first."""
        return self._closes("days.day between ? and ?", (first.isoformat(), last.isoformat()))

    def next_day(self, after: date) -> date | None:
        """Return the first later day on which something ran."""
        rows = self._file.rows("select min(day) from days where day > ?", (after.isoformat(),))
        return date.fromisoformat(rows[0][0]) if rows[0][0] else None

    def advance(self, day: date, state: str, **notes: float) -> None:
        """Take one arrow, durably, with what its step found."""
        with self._file.transaction():
            self._begin(day)
            self._note(day, notes)
            self._file.write("update days set state = ? where day = ?", (state, day.isoformat()))

    def note(self, day: date, **notes: float) -> None:
        """Keep what was found without taking an arrow."""
        with self._file.transaction():
            self._begin(day)
            self._note(day, notes)

    def wait(self, day: date, seconds: float) -> None:
        """Add to the time that a day has waited for its seal while a process was running."""
        with self._file.transaction():
            self._begin(day)
            self._file.write(
                "update closes set waited = waited + ? where day = ?", (seconds, day.isoformat())
            )

    def begin_restore(self, day: date) -> int | None:
        """Return the seal number under which a day may be put back; None when the day is here.

        Why     a day that this installation counted, or is counting, is never doubled.
        """
        with self._file.transaction():
            known = self.of(day)
            if known is not None and known.state not in (RESTORING, "lost"):
                return None
            self._file.write(
                "insert into days (day, state) values (?, ?)"
                " on conflict (day) do update set state = excluded.state",
                (day.isoformat(), RESTORING),
            )
            self._begin(day)
            restored = self.of(day)
        assert restored is not None, "it was just written"
        return restored.seal

    def note_lost(self, day: date) -> None:
        """Take over from a backup that a day was lost, if nothing is known of it here."""
        self._file.write(
            "insert or ignore into days (day, state) values (?, 'lost')", (day.isoformat(),)
        )

    def forget_batches(self, day: date) -> None:
        """Forget which rows went into which batch: of a day without hits nobody asks."""
        with self._file.transaction():
            for table in ("batches", "erasures"):
                self._file.write(
                    f"delete from {table} where day = ?",  # noqa: S608 - one of two names
                    (day.isoformat(),),
                )

    def minimum(self, month: date, setting: int) -> int:
        """Return the smallest breakdown cell of a month: the setting when the month was first met.

        Why     a change holds from the next month, so that two minimums never mix in one pool.
        """
        self._file.write(
            "insert or ignore into minimums (month, minimum) values (?, ?)",
            (month.isoformat(), setting),
        )
        return self._file.number(
            "select minimum from minimums where month = ?", (month.isoformat(),)
        )

    def _closes(self, condition: str, values: tuple[str, ...]) -> list[Close]:
        rows = self._file.rows(
            "select days.day, days.state, coalesce(closes.seal, 0), coalesce(closes.waited, 0),"  # noqa: S608 - our own
            " coalesce(closes.notes, '{}')"
            f" from days left join closes using (day) where {condition} order by days.day",
            values,
        )
        return [
            Close(date.fromisoformat(day), state, seal, waited, json.loads(notes))
            for day, state, seal, waited, notes in rows
        ]

    def _begin(self, day: date) -> None:
        self._file.write(
            "insert or ignore into closes (day, seal)"
            " values (?, 1 + (select coalesce(max(seal), 0) from closes))",
            (day.isoformat(),),
        )

    def _note(self, day: date, notes: Mapping[str, float]) -> None:
        if notes:
            self._file.write(
                "update closes set notes = json_patch(notes, ?) where day = ?",
                (json.dumps(notes), day.isoformat()),
            )


def yesterday(close: Close | None, timezone: ZoneInfo) -> str:
    """Return yesterday's close in a sentence, for the first line of status."""
    if close is None:
        return "Nothing ran yesterday."
    if close.state == "lost":
        return "Yesterday is lost."
    if "sealed_at" in close.notes:
        at = datetime.fromtimestamp(close.notes["sealed_at"], timezone)
        return f"Yesterday closed at {at:%H:%M}."
    if close.state == "sealed":
        return "Yesterday came from a backup."
    return f"Yesterday is not closed yet ({close.state})."
