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
from collector.spool_file import files, signed
from collector.spool_reader import is_blank, last_row, reading

Pseudonym = Callable[[str], int]

# One look at each row, however many sellers there are.
HITS_OF_VISITOR = (
    "select distinct seller, visitor from hits where visitor in (select value from json_each(?))"
)


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
    todays = [file for file in files(directory) if file.day == day]
    marks: dict[str, int] = {}
    sellers: set[str] = set()
    for file in todays:
        with reading(file.path) as connection:
            if is_blank(connection):
                continue
            marks[file.run] = last_row(connection)
            sellers.update(row[0] for row in connection.execute("select seller from sellers"))
    pseudonyms = {(seller, signed(pseudonym(seller))) for seller in sellers}
    visitors = json.dumps([visitor for _, visitor in pseudonyms])
    found: set[tuple[str, int]] = set()
    for file in todays:
        if file.run in marks:
            with reading(file.path) as connection:
                found.update(connection.execute(HITS_OF_VISITOR, (visitors,)))
    text = json.dumps(marks, separators=(",", ":"))
    return [(seller, visitor % 2**64, text) for seller, visitor in sorted(found & pseudonyms)]
