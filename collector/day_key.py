"""The day's key: held in memory while its day lasts, wiped when it is over.

It joins the salt on disk and the visitor key derived from the secret. A day keeps the visitor key
with which it began, so a new secret doesn't count today's visitors twice.
"""

import logging
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collector import salt
from collector.anonymise import day_key
from collector.clock import day_end

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

    def wipe(self) -> None:
        """Forget the key."""
        salt.wipe(self._key)
        self._key = bytearray()
        self._day = date.min

    def wipe_before(self, day: date) -> None:
        """Forget the key of an earlier day."""
        if self._day < day:
            self.wipe()


def destroy_old_salts(directory: Path, seconds: float, timezone: ZoneInfo) -> list[date]:
    """Destroy every salt whose day ended DESTROY_AFTER_SECONDS ago; return the days.

    seconds  the believed time (see `clock`), in seconds since 1970
    Errors   none: what can't be destroyed is logged and tried again at the next call.
    """
    destroyed = []
    today = datetime.fromtimestamp(seconds, timezone).date()
    for day, path in salt.days(directory).items():
        if day < today and seconds >= day_end(day, timezone) + DESTROY_AFTER_SECONDS:
            try:
                salt.destroy(path)
            except OSError as error:
                logger.error("the salt of %s could not be destroyed: %s", day, error)
            else:
                destroyed.append(day)
                logger.info("the salt of %s is destroyed", day)
    return destroyed
