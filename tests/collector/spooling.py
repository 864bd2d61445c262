"""Writes spool files for tests as a beacons worker does, and keeps what it wrote for comparison."""

import asyncio
import random
import weakref
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from collector.hit import Hit
from collector.spool import Spool, Unavailable
from collector.spool_file import SpoolWriter

DAY = date(2026, 1, 2)


def hit(seller: str = "s", product: str = "p", visitor: int = 1, hour: int = 9) -> Hit:
    """Return a view by a visitor of a product."""
    return Hit(hour, seller, product, visitor, 1, "direct", "", "mobile", "Chrome", "Android", 0)


def any_hits(count: int, seed: int = 1) -> list[Hit]:
    """Return hits that differ in everything, with names that are hard to quote."""
    chance = random.Random(seed)
    names = ['a"b\\c', "Ελλάδα", "tab\u00a0'quote'", "\u2028line", "emoji 🛍", "{}", "[null]"]
    return [
        Hit(
            chance.randrange(24),
            f"seller {chance.choice(names)}",
            f"{chance.choice(names)} {chance.randrange(50)}",
            chance.choice([0, 1, 2**63 - 1, 2**63, 2**64 - 1, chance.randrange(2**64)]),
            chance.randrange(2),
            chance.choice(["direct", "example.org", "(other)"]),
            chance.choice(["", "spring_sale"]),
            chance.choice(["desktop", "mobile", "tablet", "other"]),
            chance.choice(["Firefox", "Chrome", "(other)"]),
            chance.choice(["Linux", "(other)"]),
            chance.randrange(1801),
        )
        for _ in range(count)
    ]


class Worker:
    """A beacons worker's file of one day, and the rows that it committed."""

    def __init__(self, spool: Path, day: date = DAY) -> None:
        self.writer = SpoolWriter(spool, day)
        self.path = self.writer.path
        self.rows: list[Hit] = []
        # Most tests end with their workers at work; who forgets one must still close its file.
        self._forgotten = weakref.finalize(self, self.writer.abandon)

    def commit(self, hits: Iterable[Hit]) -> None:
        """Commit hits together, as one group."""
        group = list(hits)
        self.writer.insert(group, {"yes": len(group)})
        self.writer.commit()
        self.rows += group

    def erase(self, seller: str, visitor: int, marks: str | None = None) -> None:
        """Commit a withdrawal with this file's own mark, or with the marks given."""
        own = f'{{"{self.writer.run}": {len(self.rows)}}}'
        self.writer.insert_erasures([(seller, visitor, own if marks is None else marks)])
        self.writer.commit()

    def finish(self) -> None:
        """Close the day."""
        self._forgotten.detach()
        self.writer.finish()

    def die(self) -> None:
        """Let the lock go without a closed row."""
        self._forgotten()


async def append(spool: Spool, day: date, hit: Hit) -> None:
    """Return when the hit is on disk; Unavailable when it is not."""
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    spool.put(day, hit, future.set_result)
    if not await future:
        raise Unavailable
