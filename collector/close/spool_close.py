"""The spool's close: from here on nobody writes hits of a day, and all that were written are known.

A mark beside the day's directory refuses new files; the locks of those that exist are taken as
soon as their workers let them go, and held until the files are shredded.
"""

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from collector.backlog import Erasure, Waiting, opened
from collector.close.shred import shred_directory
from collector.ledger import Ledger
from collector.salt import sync_directory
from collector.spool_file import SpoolFile, closed_mark, files
from collector.spool_reader import reading

MARK_KEPT: Final = timedelta(days=35)


class NotDrained(Exception):
    """Something of the day is not in ClickHouse yet; the text says what."""


class SpoolOfDay:
    """One closed day's spool. For the seal's thread, and while the drain pauses."""

    def __init__(self, spool: Path, day: date, ledger: Ledger) -> None:
        self._spool = spool
        self._ledger = ledger
        self.day = day
        self._directory = spool / day.isoformat()
        self._going = spool / f"{day.isoformat()}.going"
        self._locks: dict[Path, int] = {}

    def refuse_new_files(self) -> None:
        """Let no worker make a file for this day any more, durably."""
        mark = closed_mark(self._spool, self.day)
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch(mode=0o600)
        sync_directory(self._spool)

    def lock(self) -> None:
        """Take every file's lock.

        Errors  NotDrained while a worker still holds one: it may be committing.
        """
        # Locks, not only files: a worker takes its lock, then sees the mark or makes its file.
        for path in sorted(
            {*self._directory.glob("*.lock"), *(f.lock_path for f in self._files())}
        ):
            if path in self._locks:
                continue
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise NotDrained(f"{self.day}/{path.stem}: its worker still holds it") from None
            self._locks[path] = descriptor

    def release(self) -> None:
        """Let the locks go."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    def check_drained(self) -> None:
        """Return when every row is in a batch that arrived, and every withdrawal is applied.

        Errors  NotDrained; backlog.Unreadable when a file is damaged.
        """
        if any(batch.day == self.day for batch in self._ledger.in_doubt()):
            raise NotDrained(f"{self.day}: a batch is in doubt")
        applied = {(mark.run, mark.row) for mark in self._ledger.marks(self.day) if mark.applied}
        with self._opened() as waiting:
            for each in waiting:
                batched = self._ledger.batched_to(self.day, each.file.run)
                if batched != each.last_row:
                    raise NotDrained(
                        f"{each.file.name}: {each.last_row - batched} rows wait to be stored"
                    )
                if any((new.run, new.row) not in applied for new in each.erasures(0)):
                    raise NotDrained(f"{each.file.name}: a withdrawal waits to be applied")

    def expected(self) -> Mapping[int, int]:
        """Return how many rows of each batch must be stored: those written and not withdrawn.

        Errors  backlog.Unreadable.
        """
        before = {(m.run, m.row): m.before_batch for m in self._ledger.marks(self.day)}
        batches = self._ledger.batches(self.day)
        expected: dict[int, int] = dict.fromkeys((batch.number for batch in batches), 0)
        with self._opened() as waiting:
            erasures: list[tuple[Erasure, int]] = [
                (new, before[new.run, new.row]) for each in waiting for new in each.erasures(0)
            ]
            for each in waiting:
                each.withdraw(erasures)
                for batch in batches:
                    if batch.run == each.file.run:
                        expected[batch.number] = each.count(batch)
        return expected

    def outcomes(self) -> Counter[str]:
        """Return the day's beacons by outcome, over all runs.

        Errors  sqlite3.Error.
        """
        total: Counter[str] = Counter()
        for file in self._files():
            if file.path.stat().st_size:
                with reading(file.path) as connection:
                    for outcome, n in connection.execute("select outcome, beacons from outcomes"):
                        total[outcome] += n
        return total

    def shred(self) -> None:
        """Shred every file of the day; errors as shred_directory.

        Why     the directory is renamed first: a half shredded file would be taken for a damaged
                one by whoever reads the spool after a kill.
        """
        shred_directory(self._going)
        if self._directory.exists():
            self._directory.rename(self._going)
            sync_directory(self._spool)
            shred_directory(self._going)
        self.release()

    def forget_old_marks(self) -> None:
        """Remove the marks of days so old that no worker can come back from them."""
        for mark in self._spool.glob("*.closed"):
            with contextlib.suppress(ValueError):
                if date.fromisoformat(mark.stem) < self.day - MARK_KEPT:
                    mark.unlink(missing_ok=True)

    def _files(self) -> list[SpoolFile]:
        return [file for file in files(self._spool) if file.day == self.day]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[list[Waiting]]:
        with contextlib.ExitStack() as stack:
            found = [stack.enter_context(opened(file)) for file in self._files()]
            yield [each for each in found if each is not None]
