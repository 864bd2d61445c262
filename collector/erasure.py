"""The erasure: a visitor who takes consent back leaves every number of the day.

It is a row in the spool for each seller with hits of that visitor today, committed before the
answer; the drain applies it. Each row holds every spool file's highest row at that moment, so what
the visitor allows later counts again. The rows of two sellers have no common id.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

from collector.spool import Erasure, Spool, Unavailable
from collector.spool_file import files, reading, signed

Pseudonym = Callable[[str], int]


async def erase(spool: Spool, directory: Path, day: date, pseudonym: Pseudonym) -> bool:
    """Erase a visitor's hits of today from all numbers; return whether there were any.

    pseudonym  the visitor's pseudonym for a seller, by the day's key
    Errors     Unavailable when it can't be committed; then nothing was promised.
    """
    # What this visitor sent before is on disk, and below the marks, once this returns.
    await spool.settle(day)
    try:
        erasures = await asyncio.to_thread(_find, directory, day, pseudonym)
    except (OSError, sqlite3.Error):
        raise Unavailable from None
    if erasures:
        await spool.erase(day, erasures)
    return bool(erasures)


def _find(directory: Path, day: date, pseudonym: Pseudonym) -> list[Erasure]:
    marks: dict[str, int] = {}
    sellers: set[str] = set()
    found: set[tuple[str, int]] = set()
    todays = [file for file in files(directory) if file.day == day]
    for file in todays:
        with reading(file.path) as connection:
            marks[file.run] = connection.execute(
                "select coalesce(max(row), 0) from hits"
            ).fetchone()[0]
            sellers.update(row[0] for row in connection.execute("select seller from sellers"))
    pseudonyms = {seller: pseudonym(seller) for seller in sorted(sellers)}
    for file in todays:
        with reading(file.path) as connection:
            for seller, visitor in pseudonyms.items():
                if connection.execute(
                    "select 1 from hits where visitor = ? and seller = ? limit 1",
                    (signed(visitor), seller),
                ).fetchone():
                    found.add((seller, visitor))
    text = json.dumps(marks, separators=(",", ":"))
    return [(seller, visitor, text) for seller, visitor in sorted(found)]
