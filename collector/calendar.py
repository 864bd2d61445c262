"""The calendar: what readers may know about days, put together for them from clock and ledger."""

import threading
from datetime import date, datetime
from zoneinfo import ZoneInfo

from collector.clock import DayClock
from collector.ledger import Ledger, State


class Calendar:
    """Answers readers in any thread."""

    def __init__(self, clock: DayClock, ledger: Ledger, timezone: ZoneInfo) -> None:
        self._clock = clock
        self._ledger = ledger
        self._timezone = timezone
        self._lock = threading.Lock()  # a DayClock is for one thread at a time

    def today(self) -> date:
        """Return the day that is being counted."""
        with self._lock:
            return self._clock.read().day

    def seconds(self) -> float:
        """Return the believed time in seconds since 1970."""
        with self._lock:
            return self._clock.seconds()

    def now(self) -> datetime:
        """Return the believed local time."""
        return datetime.fromtimestamp(self.seconds(), self._timezone)

    def days(self, first: date, last: date) -> dict[date, State]:
        """Return each day's state; a day on which nothing ran is absent."""
        return dict(self._ledger.days(first, last))

    def drained(self) -> int:
        """Return the highest batch stored so far."""
        return self._ledger.drained()

    def erasures(self) -> int:
        """Return a number that changes whenever a withdrawal was applied."""
        return self._ledger.erasures()
