"""Blanking: a seller's rows of the spool stay where they are and say nothing any more.

Batches are counted by row numbers, so a hit isn't taken out of its group but replaced by null. The
drain sends no such row.
"""

import contextlib
import json
import sqlite3
import time
from collections import deque
from pathlib import Path
from typing import Final

from collector.spool_file import encoded, files
from collector.spool_reader import ROWS_VERSION, is_blank, reading, version

ROWS_BLANKED: Final = (
    "update hits set seller = '', product = '', visitor = 0, source = '', campaign = ''"
    " where seller = ?"
)
GROUPS_NAMING: Final = (
    "select distinct groups.first from groups, json_each(groups.hits) as each"
    " where json_extract(each.value, '$[1]') = ?"
)
GROUP: Final = "select visitors, hits from groups where first = ?"
GROUP_BLANKED: Final = "update groups set visitors = ?, hits = ? where first = ?"
# The worker's visitors wait while we write. Its own tries are up to a tenth of a second apart, so
# between our turns it needs as long to get one.
TURN_SECONDS: Final = 0.03
UNNAMED: Final = "update erasures set seller = '', visitor = 0 where seller = ?"


def blank_seller(spool: Path, seller: str) -> int:
    """Empty a seller's rows in every spool file, durably; return how many hits that were.

    Errors  sqlite3.Error; call again.
    """
    blanked = 0
    for file in files(spool):
        if not file.path.stat().st_size:
            continue  # its worker is about to make it
        with reading(file.path) as connection:
            if is_blank(connection):
                continue
            blanked += _blank_hits(connection, seller)
            with connection:
                connection.execute("begin immediate")
                connection.execute(UNNAMED, (seller,))
                connection.execute("delete from sellers where seller = ?", (seller,))
            # What the log still holds goes with the next checkpoint; now, if nobody reads.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    return blanked


def _blank_hits(connection: sqlite3.Connection, seller: str) -> int:
    if version(connection) == ROWS_VERSION:
        return connection.execute(ROWS_BLANKED, (seller,)).rowcount
    blanked = 0
    naming = deque(row[0] for row in connection.execute(GROUPS_NAMING, (seller,)))
    while naming:
        with connection:
            connection.execute("begin immediate")
            end = time.monotonic() + TURN_SECONDS
            while naming and time.monotonic() < end:
                blanked += _blank_group(connection, naming.popleft(), seller)
        if naming:
            time.sleep(TURN_SECONDS)
    return blanked


def _blank_group(connection: sqlite3.Connection, first: int, seller: str) -> int:
    try:
        visitors, hits = map(json.loads, connection.execute(GROUP, (first,)).fetchone())
        named = [key for key, hit in enumerate(hits) if hit and hit[1] == seller]
        for key in named:
            visitors[key] = hits[key] = None
    except (ValueError, TypeError, LookupError):
        raise sqlite3.DatabaseError(f"the group at row {first} is damaged") from None
    connection.execute(GROUP_BLANKED, (encoded(visitors), encoded(hits), first))
    return len(named)
