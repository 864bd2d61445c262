"""The day's key: held in memory while its day lasts, wiped when it is over.

It joins the salt on disk and the visitor key derived from the secret. A day keeps the visitor key
with which it began, so a new secret doesn't count today's visitors twice.
"""

import contextlib
import logging
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collector import salt
from collector.anonymise import day_key
from collector.clock import DayClock, day_end

logger = logging.getLogger("collector.salt")

# A little more than the three minutes after which a jump of the clock is believed, and less than
# the five minutes that are promised.
DESTROY_AFTER_SECONDS = 240


class DayKeys:
    """Gives the day's key, and sees to the end of old salts. For one thread."""

    def __init__(self, directory: Path, visitor_keys: tuple[bytes, ...]) -> None:
        """visitor_keys: the current secret's first, then the previous one's."""
        self._directory = directory
        self._visitor_keys = visitor_keys
        self._day = date.min
        self._key = bytearray()

    def of(self, day: date) -> bytearray:
        """Return the day's key; the salt is made if no process has made it.

        Errors  OSError or SaltDamaged: without a salt nothing may be counted.
        """
        if day != self._day:
            self.wipe()
            content = salt.ensure(self._directory, day, self._visitor_keys[0])
            try:
                # A view: slices of a bytearray would be copies that nobody wipes.
                with memoryview(content) as view:
                    visitor_key = self._visitor_key(bytes(view[salt.SALT_BYTES :]))
                    self._key = day_key(view[: salt.SALT_BYTES], visitor_key)
            finally:
                salt.wipe(content)
            self._day = day
        return self._key

    def _visitor_key(self, fingerprint: bytes) -> bytes:
        for key in self._visitor_keys:
            if salt.fingerprint(key) == fingerprint:
                return key
        # The secret was replaced without naming the previous one: the day's visitors begin anew.
        return self._visitor_keys[0]

    @contextlib.contextmanager
    def lent(self, day: date) -> Iterator[bytearray]:
        """Give a copy of the day's key for work that may end after midnight, and wipe that too.

        Errors  as of().
        """
        copy = bytearray(self.of(day))
        try:
            yield copy
        finally:
            salt.wipe(copy)

    def wipe(self) -> None:
        """Forget the key."""
        salt.wipe(self._key)
        self._key = bytearray()
        self._day = date.min

    def wipe_before(self, day: date) -> None:
        """Forget the key of an earlier day."""
        if self._day < day:
            self.wipe()


class SaltKeeper:
    """Sees to today's key and to the end of old salts; to be tended every second.

    fault  what keeps today's salt from being made or read, or an empty text
    """

    def __init__(self, keys: DayKeys, directory: Path, clock: DayClock, timezone: ZoneInfo) -> None:
        self._keys = keys
        self._directory = directory
        self._clock = clock
        self._timezone = timezone
        self.fault = ""

    def tend(self) -> None:
        """Forget yesterday's key, destroy salts that are due, make today's; never raises."""
        today = self._clock.read().day
        self._keys.wipe_before(today)
        destroy_old_salts(self._directory, self._clock.seconds(), self._timezone)
        try:
            self._keys.of(today)  # early, so that the first visitor of the day doesn't wait
        except (OSError, salt.SaltDamaged) as error:
            why = str(error) if isinstance(error, salt.SaltDamaged) else error.strerror
            fault = f"salt: without the salt of {today} nothing is counted ({why})"
            if fault != self.fault:
                logger.error("%s", fault)
            self.fault = fault
        else:
            self.fault = ""


def destroy_old_salts(directory: Path, seconds: float, timezone: ZoneInfo) -> list[date]:
    """Destroy every salt whose day ended DESTROY_AFTER_SECONDS ago; return the days.

    seconds  the believed time (see `clock`), in seconds since 1970
    Errors   none: what can't be destroyed is logged and tried again at the next call.
    """
    destroyed = set()
    today = datetime.fromtimestamp(seconds, timezone).date()
    for day, path in salt.files(directory):
        if day < today and seconds >= day_end(day, timezone) + DESTROY_AFTER_SECONDS:
            try:
                salt.destroy(path)
            except OSError as error:
                logger.error("the salt of %s could not be destroyed: %s", day, error)
            else:
                destroyed.add(day)
                logger.info("the salt of %s is destroyed", day)
    return sorted(destroyed)
