"""The reports process's chores: drain, seal, destroy salts, back up; a thread for each.

They fail apart: an error in one is logged by its kind, because its text may hold a hash, and the
chore is tried again; the others don't notice.
"""

import logging
import threading
from collections.abc import Callable

from collector.close.seal import Seal
from collector.drain import Drain

logger = logging.getLogger("collector.chores")

DRAIN_SECONDS = 1.0
SEAL_SECONDS = 1.0
SALT_SECONDS = 1.0
BACKUP_SECONDS = 60.0


class Chores:
    """Threads that begin with start() and end with stop()."""

    def __init__(
        self,
        *,
        drain: Drain,
        seal: Seal,
        drain_pause: threading.Lock,
        destroy_salts: Callable[[], None],
        back_up: Callable[[], None],
    ) -> None:
        self._drain = drain
        self._seal = seal
        self._drain_pause = drain_pause
        self._destroy_salts = destroy_salts
        self._back_up = back_up
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        self._begin("drain", DRAIN_SECONDS, self._drain_some)
        self._begin("seal", SEAL_SECONDS, self._seal.step)
        self._begin("salts", SALT_SECONDS, self._destroy_salts)
        self._begin("backup", BACKUP_SECONDS, self._back_up)

    def stop(self) -> None:
        """Let each finish what it is at, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _drain_some(self) -> bool:
        with self._drain_pause:
            self._drain.step()
        return self._drain.behind

    def _begin(self, name: str, seconds: float, work: Callable[[], bool | None]) -> None:
        """Do some work again and again: at once while more waits, else after a pause."""

        def run() -> None:
            while not self._stop.is_set():
                more = False
                try:
                    more = bool(work())
                except Exception as error:
                    logger.error("%s: %s", name, type(error).__name__)
                if not more:
                    self._stop.wait(seconds)

        thread = threading.Thread(target=run, name=name)
        thread.start()
        self._threads.append(thread)
