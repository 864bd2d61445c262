"""The clock: which local day and hour it is, for whoever must not split or lose a day.

The day never runs backwards while a process lives. A forward jump that the machine's boot clock
doesn't explain is believed only after it has stood for three minutes: a wrong clock must not
close a day, because closing destroys a salt.
"""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

JUMP_SECONDS = 60  # Less is a clock being corrected.
BELIEVED_AFTER_SECONDS = 180
LAST_HOUR = 23
SLOT_SECONDS = 900  # Every zone's hours and switches begin on a quarter of an hour.


def boot_seconds() -> float:
    """Seconds since boot, sleep included, which nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Moment(NamedTuple):
    """A local day and hour (0–23)."""

    day: date
    hour: int


class DayClock:
    """Tells the local day and hour. Not for several threads at once."""

    def __init__(
        self,
        timezone: ZoneInfo,
        now: Callable[[], float] = time.time,
        boot: Callable[[], float] = boot_seconds,
    ) -> None:
        self._timezone = timezone
        self._now = now
        self._boot = boot
        self._anchor = now() - boot()  # the wall clock at boot, as far as we believe it
        self._jumped_at: float | None = None
        self._slot_begin = self._slot_end = 0.0
        self._moment = Moment(date.min, 0)

    def seconds(self) -> float:
        """Return the believed time in seconds since 1970."""
        now, boot = self._now(), self._boot()
        jump = now - boot - self._anchor
        if jump <= JUMP_SECONDS:
            self._anchor += jump
            self._jumped_at = None
            return now
        if self._jumped_at is None:
            self._jumped_at = boot
        if boot - self._jumped_at >= BELIEVED_AFTER_SECONDS:
            self._anchor = now - boot
            self._jumped_at = None
            return now
        return self._anchor + boot

    def read(self) -> Moment:
        """Return the local day and hour; the day is never earlier than one returned before."""
        # Within a quarter of an hour neither can change, however the clock was set inside it.
        if self._slot_begin <= self._now() < self._slot_end:
            return self._moment
        seconds = self.seconds()
        self._slot_begin = seconds // SLOT_SECONDS * SLOT_SECONDS
        self._slot_end = self._slot_begin + SLOT_SECONDS
        local = datetime.fromtimestamp(seconds, self._timezone)
        day = local.date()
        if day < self._moment.day:
            self._moment = Moment(self._moment.day, LAST_HOUR)
        else:
            self._moment = Moment(day, local.hour)
        return self._moment


def day_end(day: date, timezone: ZoneInfo) -> float:
    """Return the first second (since 1970) that no longer belongs to a local day.

    Why     some zones' days begin at 01:00, because midnight is skipped. Where midnight comes
            twice, the later one counts only if the day itself came back in between: in Havana both
            belong to the next day, and a salt must not stay for that hour.
    """
    next_day = day + timedelta(days=1)
    begin = datetime(next_day.year, next_day.month, next_day.day, tzinfo=timezone)
    earlier, later = sorted((begin.timestamp(), begin.replace(fold=1).timestamp()))
    before = datetime.fromtimestamp(later - 1, timezone).date()
    return later if before <= day else earlier
