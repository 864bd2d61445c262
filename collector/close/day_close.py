"""The day's close: the arrows of the seal's state machine, each of which may be done again.

Every method does one arrow's work and returns the state that follows; `seal` records it. What
stands in the way is raised, and the arrow is tried again.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from collector import salt
from collector.close.closes import Close
from collector.close.day_count import COUNT_SETTINGS, DayCount
from collector.close.integers import DamagedIntegers, Integers, Manifest, read_manifest
from collector.close.loading import Loading, NotEqual, close_pool
from collector.close.removal import Remains, Removal
from collector.close.shred import shred_directory
from collector.close.spool_close import SpoolOfDay
from collector.ledger import Ledger
from collector.suppression import Hold, last_day
from collector.upkeep.retention import delete_expired
from collector.warehouse import Client, Warehouse, ask

logger = logging.getLogger("collector.close.seal")


class Blocked(Exception):
    """An arrow can't be taken now; `code` is its alarm's, should that last."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class World:
    """What the seal may know of the world.

    today    the day that is being counted
    seconds  the believed time, in seconds since 1970
    running  seconds that nobody can set, for the time that a day has waited
    pause    held while the drain must not work
    """

    today: Callable[[], date]
    seconds: Callable[[], float]
    running: Callable[[], float]
    pause: AbstractContextManager[object]


class DayClose:
    """The arrows.

    data     the data directory; spool, seals and embedded engine are below it
    salts    where the salts are
    minimum  the setting BREAKDOWN_MIN
    hold     what chance holds back; see `suppression`
    """

    def __init__(
        self,
        data: Path,
        salts: Path,
        ledger: Ledger,
        warehouse: Warehouse,
        world: World,
        minimum: int,
        hold: Hold,
    ) -> None:
        self._data = data
        self._salts = salts
        self._ledger = ledger
        self._closes = ledger.closes
        self._warehouse = warehouse
        self._world = world
        self._minimum = minimum
        self._hold = hold
        self._connected: Client | None = None
        self._spool: SpoolOfDay | None = None
        self._arrows: Mapping[str, Callable[[Close], str]] = {
            "open": self._close,
            "closed": self._drain,
            "drained": self._reconcile,
            "reconciled": self._count,
            "counted": self._load,
            "loaded": self._release,
            "dropping": self._drop,
            "gone": self._finish,
            "losing": self._lose,
        }

    def take(self, close: Close) -> str:
        """Do the arrow that a close is at; return the state that follows.

        Errors  Blocked, spool_close.NotDrained, backlog.Unreadable, Unanswered; OSError and
                sqlite3.Error when the disk refuses.
        """
        return self._arrows[close.state](close)

    def delete_expired(self, today: date, keep_days: int) -> int:
        """Delete counts that are too old to keep; as retention.delete_expired."""
        return delete_expired(self._client(), today, keep_days) if keep_days else 0

    def release(self) -> None:
        """Let the engine's client and the spool's locks go."""
        if self._spool is not None:
            self._spool.release()
        if self._connected is not None:
            self._warehouse.disconnect(self._connected)
            self._connected = None

    def _close(self, close: Close) -> str:
        """No new spool file for this day, and no salt: a hit could not be recognised again."""
        if close.day in salt.days(self._salts):
            raise Blocked("salt-stays", f"the salt of {close.day} can't be destroyed")
        self._spool_of(close.day).refuse_new_files()
        self._closes.note(close.day, salt_gone_at=self._world.seconds())
        return "closed"

    def _drain(self, close: Close) -> str:
        """Everything that was answered is in ClickHouse, and no worker can add to it."""
        spool = self._spool_of(close.day)
        spool.lock()
        with self._world.pause:
            spool.check_drained()
        return "drained"

    def _reconcile(self, close: Close) -> str:
        """Every batch is stored with exactly the rows that were written and not withdrawn."""
        spool = self._spool_of(close.day)
        spool.lock()
        stored = dict(ask(self._client(), "seal_batches", {"day": close.day}))
        with self._world.pause:
            expected = {number: n for number, n in spool.expected().items() if n}
        wrong = sorted(
            number
            for number in stored.keys() | expected.keys()
            if stored.get(number) != expected.get(number)
        )
        if wrong:
            # What ClickHouse lost the drain sends again, and the next try finds it.
            self._ledger.doubt(number for number in wrong if number not in stored)
            number = wrong[0]
            raise Blocked(
                "seal-differs",
                f"{close.day}: batch {number} has {stored.get(number, 0)} rows in ClickHouse and"
                f" {expected.get(number, 0)} in the spool; {len(wrong)} differ in all",
            )
        return "reconciled"

    def _count(self, close: Close) -> str:
        """Integers are on disk, with their checksum."""
        day, client = close.day, self._client()
        self._closes.note(day)  # a seal number, before anything carries it
        seal = self._closes.of(day)
        assert seal is not None, "the day is known, it is due"
        removal = self._removal(day)
        removal.keep_sample(client)
        counting = DayCount(day, self._through(day), self._minimum_of, self._hold)
        with self._world.pause:
            outcomes = self._spool_of(day).outcomes()
        with Integers(self._integers(day), day, seal.seal) as integers:
            manifest = counting.into(integers, client, outcomes)
        self._closes.note(day, rows=manifest.counts.rows, counted_at=self._world.seconds())
        return "counted"

    def _load(self, close: Close) -> str:
        """Counts and pools hold the integers, once. From here on readers ask them."""
        try:
            manifest = read_manifest(self._integers(close.day))
        except DamagedIntegers as error:
            logger.error("%s", error)
            return "reconciled"  # nothing was dropped yet
        try:
            self._loading(manifest).load()
        except NotEqual as error:
            raise Blocked("seal-differs", str(error)) from None
        return "loaded"

    def _release(self, close: Close) -> str:
        """The last arrow from which one could have gone back."""
        return "dropping"

    def _drop(self, close: Close) -> str:
        """No part, no file, no hash of the day is left."""
        for period, start in self._pools_closed(close.day):
            close_pool(self._client(), period, start, close.day)
        self._remove(close.day)
        return "gone"

    def _finish(self, close: Close) -> str:
        shred_directory(self._integers(close.day))
        self._closes.forget_batches(close.day)
        if self._spool is not None:
            self._spool.forget_old_marks()
        self._closes.note(close.day, sealed_at=self._world.seconds())
        logger.info("%s is sealed", close.day)
        return "sealed"

    def _lose(self, close: Close) -> str:
        """Nothing of the day stays, not even its numbers: missing, not zero."""
        path = salt.days(self._salts).get(close.day)
        if path is not None:
            salt.destroy(path)
        spool = self._spool_of(close.day)
        spool.refuse_new_files()
        # Also a file whose worker still holds it: by now it has had three days.
        with self._world.pause:
            spool.shred()
        self._remove(close.day)
        self._unload(close)
        shred_directory(self._integers(close.day))
        self._closes.forget_batches(close.day)
        logger.error(
            "day-lost: %s could not be sealed in 72 hours of running; it is shredded", close.day
        )
        self._closes.note(close.day, lost_at=self._world.seconds())
        return "lost"

    # What the arrows share.

    def _remove(self, day: date) -> None:
        removal = self._removal(day)
        try:
            removal.drop(self._client())
            with self._world.pause:
                self._spool_of(day).shred()
            found = removal.search(self._client())
        except Remains as error:
            raise Blocked("day-remains", str(error)) from None
        self._closes.note(
            day,
            gone_at=self._world.seconds(),
            searched_files=found.files,
            searched_bytes=found.size,
            searched_hashes=found.hashes,
            found=found.hits,
        )

    def _unload(self, close: Close) -> None:
        """Take back what an interrupted load of a lost day left in counts and pools."""
        try:
            manifest = read_manifest(self._integers(close.day))
        except DamagedIntegers:
            return
        self._loading(manifest).unload()

    def _pools_closed(self, day: date) -> list[tuple[str, date]]:
        """Return the pools that a day's close has emptied."""
        try:
            return list(read_manifest(self._integers(day)).pools_closed)
        except DamagedIntegers as error:
            # Counts hold the day already. What ended by then was closed with it.
            logger.error("%s", error)
            waiting = ask(self._client(), "pools_waiting", {"day": day})
            return [(p, start) for p, start in waiting if last_day(p, start) <= self._through(day)]

    def _through(self, day: date) -> date:
        """Return the eve of the next day that can have visits: what ends by then ends now."""
        following = self._closes.next_day(day) or self._world.today()
        return min(following, self._world.today()) - timedelta(days=1)

    def _minimum_of(self, month: date) -> int:
        return self._closes.minimum(month, self._minimum)

    def _integers(self, day: date) -> Path:
        return self._data / "seals" / day.isoformat()

    def _loading(self, manifest: Manifest) -> Loading:
        return Loading(self._warehouse, self._client(), self._integers(manifest.day), manifest)

    def _removal(self, day: date) -> Removal:
        return Removal(day, self._integers(day), self._warehouse.path)

    def _spool_of(self, day: date) -> SpoolOfDay:
        if self._spool is None or self._spool.day != day:
            if self._spool is not None:
                self._spool.release()
            self._spool = SpoolOfDay(self._data / "spool", day, self._ledger)
        return self._spool

    def _client(self) -> Client:
        if self._connected is None:
            self._warehouse.migrate()
            self._connected = self._warehouse.connect(**COUNT_SETTINGS)
        return self._connected
