"""Status: one sentence on whether all is well, then what an operator would ask next.

Read from the running process and its files, not from settings. Fits on a screen; holds no
visitor's data.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from collector import salt
from collector.alarms import Alarm
from collector.ledger import Batch
from collector.spool_file import SpoolFile, files, is_finished
from collector.spool_reader import last_row, reading

LINES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What the reports process knows now.

    workers    beacons workers that write hits now
    waiting    spool rows that are not in ClickHouse yet
    outcomes   today's beacons by outcome
    days       the last days and how each is read: open, sealed or lost
    salts      days whose salt exists
    yesterday  how yesterday ended, in a sentence
    """

    version: str
    today: date
    alarms: Sequence[Alarm]
    warnings: Sequence[str]
    workers: int
    waiting: int
    outcomes: Mapping[str, int]
    days: Mapping[date, str]
    salts: Sequence[date]
    yesterday: str

    def sentence(self) -> str:
        """Return the one sentence that says whether somebody has to get up."""
        if self.alarms:
            count = len(self.alarms)
            return f"{count} alarm{'s' if count > 1 else ''}: somebody has to look."
        waits = "Nothing waits." if not self.waiting else f"{self.waiting} hits wait to be stored."
        counting = "Counting." if self.workers else "Not counting: no beacons process writes hits."
        return f"{counting} {self.yesterday} {waits}"

    def document(self) -> dict[str, object]:
        """Return the same for JSON."""
        return {
            "sentence": self.sentence(),
            "version": self.version,
            "today": str(self.today),
            "alarms": [each._asdict() for each in self.alarms],
            "warnings": list(self.warnings),
            "workers": self.workers,
            "waiting": self.waiting,
            "outcomes": dict(self.outcomes),
            "days": {str(day): state for day, state in self.days.items()},
            "salts": [str(day) for day in self.salts],
        }

    def text(self) -> str:
        """Return the whole screen."""
        lines = [self.sentence(), ""]
        lines += _some("ALARM", [f"{alarm.code}: {alarm.sentence}" for alarm in self.alarms])
        lines += _some("WARNING", self.warnings)
        if self.alarms or self.warnings:
            lines.append("")
        counted = self.outcomes.get("yes", 0)
        others = ", ".join(
            f"{name} {count}" for name, count in sorted(self.outcomes.items()) if name != "yes"
        )
        lines.append(
            f"today    {self.today}: {counted} beacons counted; not counted: {others or 0}"
        )
        recent = ", ".join(f"{day} {state}" for day, state in sorted(self.days.items())[-7:])
        lines.append(f"days     {recent or 'none yet'}")
        lines.append(f"salts    {', '.join(map(str, self.salts)) or 'none'}")
        lines.append(f"version  {self.version}")
        return "\n".join(lines) + "\n"


def _some(word: str, sentences: Sequence[str]) -> list[str]:
    """Return lines for so many that the rest still fits on the screen; JSON has them all."""
    lines = [f"{word:8} {sentence}" for sentence in sentences[:LINES_MAX]]
    more = len(sentences) - LINES_MAX
    return [*lines, f"{word:8} and {more} more, in /readyz"] if more > 0 else lines


def workers(spool: Path, day: date) -> int:
    """Return how many beacons workers hold a file of that day: each holds one while it can."""
    return sum(not is_finished(file) for file in _files_of(spool, day))


def outcomes(spool: Path, day: date) -> Counter[str]:
    """Return a day's beacons by outcome, over all workers' files that still exist."""
    total: Counter[str] = Counter()
    for file in _files_of(spool, day):
        with contextlib.suppress(sqlite3.Error), reading(file.path) as connection:
            for outcome, beacons in connection.execute("select outcome, beacons from outcomes"):
                total[outcome] += beacons
    return total


def notices(spool: Path, day: date) -> list[str]:
    """Return the sentences that today's workers left for an operator, of those that still run.

    Why  what a new setting has cured would otherwise be told until midnight.
    """
    sentences: dict[str, str] = {}
    for file in _files_of(spool, day):
        if is_finished(file):
            continue
        with contextlib.suppress(sqlite3.Error), reading(file.path) as connection:
            sentences.update(connection.execute("select code, sentence from notices"))
    return list(sentences.values())


def waiting(
    spool: Path, batched_to: Callable[[date, str], int], in_doubt: Callable[[], Iterable[Batch]]
) -> int:
    """Return how many spool rows are in no batch yet, or in one that is under way."""
    rows = 0
    for file in files(spool):
        with contextlib.suppress(sqlite3.Error), reading(file.path) as connection:
            rows += max(0, last_row(connection) - batched_to(file.day, file.run))
    # Asked last: a batch that is formed meanwhile is counted twice and not left out.
    return rows + sum(batch.last_row - batch.first_row + 1 for batch in in_doubt())


def salts(directory: Path) -> list[date]:
    """Return the days whose salt exists."""
    return list(salt.days(directory))


def _files_of(spool: Path, day: date) -> list[SpoolFile]:
    return [file for file in files(spool) if file.day == day]
