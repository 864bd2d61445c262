"""The seal: a day that is over becomes integers, and nothing else of it stays.

A recorded state machine, one durable arrow at a time:

    open → closed → drained → reconciled → counted → loaded → dropping → gone → sealed

Whoever starts goes on where the last one stopped. Until `counted` a step may be done again from
the hits; from there on the numbers are those of the integers file, because a killed drop leaves
some parts of a day and not others. A day that can't be sealed in 72 hours of running is lost:
shredded, and reported as missing.
"""

import errno
import logging
import sqlite3
import threading
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from random import SystemRandom
from typing import Final
from zoneinfo import ZoneInfo

from collector import salt
from collector.backlog import Unreadable
from collector.clock import day_end
from collector.close.ballast import Ballast
from collector.close.closes import ENDED, SAFE, Close
from collector.close.day_close import Blocked, DayClose, World
from collector.close.spool_close import NotDrained
from collector.ledger import Ledger
from collector.schema import NewerSchema
from collector.suppression import Hold, hold_back, month_of
from collector.warehouse import Unanswered, Warehouse

logger = logging.getLogger("collector.close.seal")

CLOSE_AFTER_SECONDS: Final = 240  # As long as the salt may stay; late commits are done by then.
LOST_AFTER_SECONDS: Final = 72 * 3600
PATIENCE_SECONDS: Final = 600  # An obstacle that lasts longer is an alarm.
WAIT_NOTED_SECONDS: Final = 60
ALARMS: Final = frozenset({"seal-waits", "seal-differs", "day-remains", "salt-stays"})


class Seal:
    """Closes days, oldest first. May be told to from several threads.

    data      the data directory
    salts     where the salts are
    minimum   the setting BREAKDOWN_MIN; keep_counts_days the setting of that name
    hold      what chance holds back of a breakdown; a test may draw by itself
    """

    def __init__(
        self,
        data: Path,
        salts: Path,
        ledger: Ledger,
        warehouse: Warehouse,
        world: World,
        *,
        timezone: ZoneInfo,
        minimum: int,
        keep_counts_days: int = 0,
        hold: Hold | None = None,
        ballast: Ballast | None = None,
    ) -> None:
        self._salts = salts
        self._ledger = ledger
        self._closes = ledger.closes
        self._world = world
        self._timezone = timezone
        self._minimum = minimum
        self._keep_counts_days = keep_counts_days
        self._tidied: date | None = None
        self._arrows = DayClose(
            data, salts, ledger, warehouse, world, minimum, hold or hold_back(SystemRandom())
        )
        self._ballast = ballast or Ballast(data / "ballast")
        self._lock = threading.Lock()
        self._blocked_since: float | None = None
        self._noted_at = world.running()

    def step(self) -> bool:
        """Take at most one arrow of the oldest day that is over; return whether it was taken.

        Never raises for what the world does: an obstacle becomes an alarm when it lasts.
        """
        with self._lock:
            today = self._world.today()
            try:
                due = [close for close in self._closes.due(today) if self._is_over(close.day)]
                self._closes.minimum(month_of(today)[0], self._minimum)
                self._note_waiting(due)
            except sqlite3.Error as error:
                self._make_room(today, error)
                return False
            if due and self._take(due[0]):
                return True
            if not due:
                self._ballast.hold()
            self._tidy(today)
            return False

    def pause(self) -> AbstractContextManager[object]:
        """Return what to hold while no arrow may be taken."""
        return self._lock

    def close_day(self, day: date, tries: int = 120, pause_seconds: float = 0.5) -> str:
        """Close a day that is over, without waiting for its salt's time; return a sentence.

        Errors  ValueError when the day isn't over.
        """
        if day >= self._world.today():
            raise ValueError(f"{day} is not over: only a day before today can be closed")
        for each, path in salt.days(self._salts).items():
            if each <= day:
                salt.destroy(path)
        for _ in range(tries):
            close = self._closes.of(day)
            if close is None:
                return f"{day}: nothing ran that day; it is missing, not zero."
            if close.state in ENDED:
                return f"{day}: {close.state}."
            with self._lock:
                due = self._closes.due(self._world.today())
                taken = bool(due) and self._take(due[0])
            if not taken:
                threading.Event().wait(pause_seconds)
        close = self._closes.of(day)
        state = "missing" if close is None else close.state
        return f"{day}: not sealed yet but {state}; it is tried again by itself."

    def close(self) -> None:
        """Let the engine's client and the spool's locks go; the next start goes on."""
        self._arrows.release()

    def _tidy(self, today: date) -> None:
        """Once a day delete the counts that are too old to keep."""
        if self._tidied == today:
            return
        try:
            expired = self._arrows.delete_expired(today, self._keep_counts_days)
        except Unanswered:
            return
        if expired:
            logger.info("%d counts older than %d days deleted", expired, self._keep_counts_days)
        self._tidied = today

    def _is_over(self, day: date) -> bool:
        return self._world.seconds() >= day_end(day, self._timezone) + CLOSE_AFTER_SECONDS

    def _take(self, close: Close) -> bool:
        if close.state not in (*SAFE, "losing") and close.waited >= LOST_AFTER_SECONDS:
            self._advance(close.day, "losing")
            return True
        try:
            following = self._arrows.take(close)
        except Blocked as obstacle:
            self._wait_for(close.day, obstacle.code, str(obstacle))
        except (NotDrained, Unreadable, NewerSchema) as obstacle:
            self._wait_for(close.day, "seal-waits", str(obstacle))
        except Unanswered as error:
            self._make_room_if_short(close.day)
            self._wait_for(close.day, "seal-waits", f"{close.day}: can't be sealed now ({error})")
        except (OSError, sqlite3.Error) as error:
            self._make_room(close.day, error)
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._wait_for(close.day, "seal-waits", f"{close.day}: can't be sealed now ({reason})")
        else:
            self._advance(close.day, following)
            return True
        return False

    def _advance(self, day: date, state: str) -> None:
        try:
            self._closes.advance(day, state)
        except sqlite3.Error as error:
            self._make_room(day, error)
            return
        logger.debug("%s is %s", day, state)
        self._blocked_since = None
        for alarm in self._ledger.alarms.sounding():
            if alarm.code in ALARMS:
                self._ledger.alarms.hush(alarm.code, alarm.subject)

    def _make_room(self, day: date, error: OSError | sqlite3.Error) -> None:
        """On a full disk let the ballast go; the next try has its space."""
        if getattr(error, "errno", None) == errno.ENOSPC or "full" in str(error):
            self._let_ballast_go(day)

    def _make_room_if_short(self, day: date) -> None:
        """The engine doesn't say why it refused; a nearly full disk is reason enough."""
        if self._ballast.is_needed():
            self._let_ballast_go(day)

    def _let_ballast_go(self, day: date) -> None:
        if self._ballast.let_go():
            logger.warning("the disk is full: the seal of %s goes on in its ballast", day)

    def _wait_for(self, day: date, code: str, sentence: str) -> None:
        now = self._world.running()
        if self._blocked_since is None:
            self._blocked_since = now
        if now - self._blocked_since >= PATIENCE_SECONDS or code == "seal-differs":
            self._ledger.alarms.sound(code, str(day), sentence, self._world.seconds())

    def _note_waiting(self, due: list[Close]) -> None:
        """Count the time in which days wait while a process is running: 72 hours of it are lost."""
        now = self._world.running()
        passed = now - self._noted_at
        if passed < WAIT_NOTED_SECONDS:
            return
        self._noted_at = now
        for close in due:
            self._closes.wait(close.day, passed)
