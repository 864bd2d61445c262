"""Alarms: what an operator must look at, kept until its reason is gone.

Each has an entry in `docs/operations.md` under its code. A full disk must not keep an alarm from
being told, so they are kept in memory first and in the ledger as well as that goes.
"""

import logging
import sqlite3
import threading
from typing import NamedTuple

from collector.ledger_file import LedgerFile

logger = logging.getLogger("collector.alarms")

TABLE = """create table if not exists alarms (
    code text not null,
    subject text not null,
    sentence text not null,
    since real not null,
    primary key (code, subject)
)"""


class Alarm(NamedTuple):
    """One thing that is wrong.

    subject   which file, batch or day, or "" for all
    sentence  for people; it holds no visitor's data
    since     seconds since 1970
    """

    code: str
    subject: str
    sentence: str
    since: float


class Alarms:
    """What is wrong now. May be read from any thread."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        rows = file.rows("select code, subject, sentence, since from alarms")
        self._sounding = {(row[0], row[1]): Alarm(*row) for row in rows}

    def sounding(self) -> list[Alarm]:
        """Return every alarm, the oldest first."""
        with self._lock:
            return sorted(self._sounding.values(), key=lambda alarm: (alarm.since, alarm))

    def sound(self, code: str, subject: str, sentence: str, now: float) -> None:
        """Keep an alarm and log it once; one that sounds already keeps its time."""
        with self._lock:
            known = self._sounding.get((code, subject))
            alarm = Alarm(code, subject, sentence, known.since if known else now)
            if alarm == known:
                return
            self._sounding[code, subject] = alarm
        if known is None:
            logger.error("%s: %s", code, sentence)
        self._write("insert or replace into alarms values (?, ?, ?, ?)", alarm)

    def hush(self, code: str, subject: str = "") -> None:
        """Forget an alarm whose reason is gone."""
        with self._lock:
            gone = self._sounding.pop((code, subject), None)
        if gone is not None:
            logger.info("%s: over (%s)", code, subject or "all")
            self._write("delete from alarms where code = ? and subject = ?", (code, subject))

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._file.write(statement, values)
        except sqlite3.Error as error:
            logger.error("ledger-unwritable: the ledger can't be written (%s)", error)
