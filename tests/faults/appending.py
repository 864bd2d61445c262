"""Appends to a spool in a process of its own, so that it can be killed at any system call.

`python -m tests.faults.appending SPOOL PIPE` appends COUNT hits, several at a time, over midnight,
and writes the number of each to PIPE once it is answered, so what is written there was promised.
"""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path

from collector.spool import Spool
from tests.collector.spooling import append, hit

COUNT = 40
AT_ONCE = 5
DAYS = (date(2026, 1, 2), date(2026, 1, 3))


def day_of(number: int) -> date:
    """Return the day of a hit: the first half comes before midnight."""
    return DAYS[0] if number < COUNT // 2 else DAYS[1]


async def run(directory: Path, answers: int) -> None:
    """Append every hit; answer each."""
    today = DAYS[0]
    spool = Spool(directory, queue_max=100, today=lambda: today)
    spool.start()

    async def one(number: int) -> None:
        await append(spool, day_of(number), hit(product=f"p{number}", visitor=number))
        os.write(answers, b"%d\n" % number)

    for first in range(0, COUNT, AT_ONCE):
        today = day_of(first)
        await asyncio.gather(*(one(number) for number in range(first, first + AT_ONCE)))
    await spool.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
