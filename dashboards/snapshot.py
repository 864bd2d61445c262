"""Snapshot: how far today's numbers have been let through.

Polling would turn a live total into a timeline of single visits. So what was stored after the
last step stays unseen until the next one; erasures are seen at once, because they only take away.
"""

import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Literal, Protocol

LIVE_BATCH = 2**63 - 1  # Higher than any batch: with a step of 0 everything is seen at once.
DAY_MINUTES = 24 * 60

State = Literal["open", "sealed", "lost"]


class Calendar(Protocol):
    """What the reports process knows about its days."""

    def today(self) -> date:
        """The day that is being counted."""

    def days(self, first: date, last: date) -> "dict[date, State]":
        """Each day's state; a day on which nothing ran is absent."""

    def drained(self) -> int:
        """The highest batch stored so far."""

    def erasures(self) -> int:
        """A number that changes whenever a withdrawal was applied."""


class Snapshot:
    """The highest batch that readers may see; it moves once a step."""

    def __init__(self, calendar: Calendar, now: Callable[[], datetime], step_minutes: int) -> None:
        """now() is the local time; step_minutes 0 means live."""
        self._calendar = calendar
        self._now = now
        self.step_minutes = step_minutes
        self._lock = threading.Lock()
        self._step: tuple[date, int] | None = None
        self._mark = 0

    def mark(self) -> int:
        """Return the mark of the current step, taking it if the step has just begun."""
        if self.step_minutes == 0:
            return LIVE_BATCH
        now = self._now()
        step = (now.date(), (now.hour * 60 + now.minute) // self.step_minutes)
        with self._lock:
            if step != self._step:
                self._mark, self._step = self._calendar.drained(), step
            return self._mark

    def seconds_to_next(self) -> float:
        """Return how long until the next step begins; the day's end begins one too."""
        if self.step_minutes == 0:
            return float(DAY_MINUTES * 60)
        now = self._now()
        minute = now.hour * 60 + now.minute
        following = min((minute // self.step_minutes + 1) * self.step_minutes, DAY_MINUTES)
        return (following - minute) * 60 - now.second - now.microsecond / 1e6
