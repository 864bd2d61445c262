"""The spool: hits on disk before anybody is told that they count.

Group commit: whatever arrived while the last commit ran goes into the next one, so a busy worker
syncs once for hundreds of beacons and an idle one at once for one. A failed commit answers
"unavailable" to its whole group and abandons the file: after a failed fsync nobody knows what is
on disk, so nothing is ever appended behind it.
"""

import asyncio
import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from collector.disk_thread import DiskThread
from collector.hit import Hit
from collector.spool_file import SpoolWriter

logger = logging.getLogger("collector.spool")

OUTCOME_SECONDS = 1.0  # How long an outcome without a hit may wait for the disk.
SENTENCES_MAX = 20
# A commit costs as much as ten hits. When they come in crowds, a short pause lets nearly all who
# send at once share the next one: two smaller commits cost more than the disk's time that they
# would hide. A lone beacon never waits.
BUSY_HITS = 8
BUSY_PAUSE_SECONDS = 0.0005
COUNTED = "yes"  # the outcome of a beacon that made a hit
Erasure = tuple[str, int, str]
Kept = Callable[[bool], None]  # told whether what was handed in is on disk


class Unavailable(Exception):
    """Nothing could be committed, or too much waits already; the caller may try again."""


class _Group:
    """What is committed together."""

    __slots__ = ("day", "erasures", "hits", "kept", "outcomes", "waiting")

    def __init__(self, day: date) -> None:
        self.day = day
        self.hits: list[Hit] = []
        self.outcomes: Counter[str] = Counter()
        self.erasures: list[Erasure] = []
        self.waiting: list[Kept] = []
        self.kept = False

    async def done(self) -> None:
        """Return when the group is on disk; Unavailable when it is not."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiting.append(partial(_tell, future))
        if not await future:
            raise Unavailable


def _tell(future: asyncio.Future[bool], kept: bool) -> None:
    if not future.done():  # a shutdown that ran out of time cancels its waiters
        future.set_result(kept)


class Spool:
    """One worker's spool. Everything but the commits themselves runs on the event loop."""

    def __init__(self, directory: Path, *, queue_max: int, today: Callable[[], date]) -> None:
        self._directory = directory
        self._queue_max = queue_max
        self._today = today
        self._groups: deque[_Group] = deque()
        self._arrived = asyncio.Event()
        self._waiting = 0
        self._writer: SpoolWriter | None = None
        self._notices: dict[str, str] = {}
        self._unwritten_notices: set[str] = set()
        self._carried: dict[date, Counter[str]] = {}  # outcomes whose commit failed
        self._disk = DiskThread("spool-commit")
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._closing = False

    def start(self) -> None:
        """Open today's file and start committing."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="spool")
        self._open_today()

    async def close(self) -> None:
        """Commit what waits, finish the file and stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._disk.close()

    @property
    def waiting(self) -> int:
        """Hits that wait for their commit."""
        return self._waiting

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed."""
        return self._failing

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that an operator should read."""
        return tuple(self._notices.values())

    def put(self, day: date, hit: Hit, kept: Kept) -> None:
        """Tell `kept`, once, whether the hit is on disk, and with it that it counted.

        Errors  Unavailable when `queue_max` hits wait already; then nobody is told anything.
        """
        if self._waiting >= self._queue_max or self._closing:
            raise Unavailable
        group = self._group(day)
        group.hits.append(hit)
        group.waiting.append(kept)
        self._waiting += 1
        if len(group.hits) == 1:
            self._arrived.set()

    async def erase(self, day: date, erasures: list[Erasure]) -> None:
        """Return when the erasures (seller, visitor, marks) are on disk; else Unavailable."""
        if self._closing:
            raise Unavailable
        group = self._group(day)
        group.erasures.extend(erasures)
        self._arrived.set()
        await group.done()

    async def settle(self, day: date) -> None:
        """Return when everything that arrived before is on disk; errors as erase."""
        await self.erase(day, [])

    def keep_outcome(self, day: date, outcome: str | None) -> None:
        """Count a beacon that made no hit; it is on disk within about a second."""
        # A beacon that began before midnight may end behind the next day's first one.
        last = self._groups[-1].day if self._groups else self._day_written()
        group = self._group(max(day, last))
        if outcome is not None:
            group.outcomes[outcome] += 1

    def notice(self, code: str, sentence: str) -> None:
        """Keep a sentence for status and /readyz of both processes."""
        if code not in self._notices and len(self._notices) < SENTENCES_MAX:
            self._notices[code] = sentence
            self._unwritten_notices.add(code)

    def _day_written(self) -> date:
        return self._writer.day if self._writer is not None else date.min

    def _group(self, day: date) -> _Group:
        if not self._groups or self._groups[-1].day != day:
            group = _Group(day)
            group.outcomes.update(self._carried.pop(day, ()))
            self._groups.append(group)
        return self._groups[-1]

    async def _run(self) -> None:
        while not self._closing or self._groups:
            try:
                async with asyncio.timeout(OUTCOME_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                pass
            self._arrived.clear()
            while self._groups:
                group = self._groups.popleft()
                await self._commit(group)
                if len(group.hits) >= BUSY_HITS and not self._closing:
                    await asyncio.sleep(BUSY_PAUSE_SECONDS)
            self._open_today()
        await self._finish_before(date.max)

    def _open_today(self) -> None:
        """See to it that today has a file also without a beacon: a day of zeros isn't missing."""
        today = self._today()
        if not self._closing and (self._writer is None or self._writer.day < today):
            self.keep_outcome(today, None)
            self._arrived.set()  # at once: whoever asks for status looks for the file

    async def _commit(self, group: _Group) -> None:
        self._waiting -= len(group.hits)
        try:
            await self._write(group)
        except _DayIsOver:
            logger.error("what came for %s after its file was closed can't be kept", group.day)
        except (OSError, sqlite3.Error) as error:
            # SQLite's and the system's texts hold no visitor's data.
            self._abandon(group, str(error))
        except Exception as error:  # a bug of ours; its text may quote what it failed on
            self._abandon(group, type(error).__name__)
        else:
            group.kept = True
            self._failing = False
        finally:
            for kept in group.waiting:
                try:
                    kept(group.kept)
                except Exception as error:  # a bug of ours; the others must still be told
                    logger.error("an answer could not be given: %s", type(error).__name__)

    async def _write(self, group: _Group) -> None:
        if not group.hits and group.day < self._day_written():
            await self._write_late(group)
            return
        writer = await self._writer_of(group.day)
        if group.hits:
            group.outcomes[COUNTED] = len(group.hits)
        writer.insert(group.hits, group.outcomes)
        if group.erasures:
            writer.insert_erasures(group.erasures)
        notices = tuple(self._unwritten_notices)
        for code in notices:
            writer.notice(code, self._notices[code])
        await self._disk.do(writer.commit)
        self._unwritten_notices.difference_update(notices)  # others may have come meanwhile

    async def _write_late(self, group: _Group) -> None:
        """Keep a withdrawal that began before midnight, in one more file of its day.

        Errors  _DayIsOver when that day's close has begun, or the disk refuses: today's file goes
                on.
        """
        if not group.erasures and not group.outcomes:
            return  # all that arrived before is on disk already
        try:
            await self._disk.do(partial(_write_late, self._directory, group))
        except (OSError, sqlite3.Error):
            raise _DayIsOver from None

    async def _writer_of(self, day: date) -> SpoolWriter:
        if self._writer is not None and self._writer.day > day:
            raise _DayIsOver
        await self._finish_before(day)
        if self._writer is None:
            self._writer = await self._disk.do(partial(SpoolWriter, self._directory, day))
            # Readers look into today's files only.
            self._unwritten_notices = set(self._notices)
        return self._writer

    async def _finish_before(self, day: date) -> None:
        """Close the file of a day that is over."""
        writer = self._writer
        if writer is None or writer.day >= day:
            return
        self._writer = None
        try:
            await self._disk.do(writer.finish)
        except (OSError, sqlite3.Error) as error:
            logger.error("the spool of %s could not say that it is closed: %s", writer.day, error)

    def _abandon(self, group: _Group, why: str) -> None:
        carried = self._carried.setdefault(group.day, Counter())
        carried.update(group.outcomes)
        carried.pop(COUNTED, None)  # their callers are told, and are counted as unavailable
        if not self._failing:
            # Once, not per beacon.
            logger.error("beacons can't be kept, so they are not counted: %s", why)
        self._failing = True
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None


def _write_late(directory: Path, group: _Group) -> None:
    writer = SpoolWriter(directory, group.day)
    try:
        writer.insert([], group.outcomes)
        writer.insert_erasures(group.erasures)
        writer.commit()
    except BaseException:
        writer.abandon()
        raise
    writer.finish()


class _DayIsOver(Exception):
    """Something of a day whose file was closed already; its sender is told "unavailable"."""
