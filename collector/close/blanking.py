"""Blanking: a seller's rows of the spool stay where they are and say nothing any more.

Batches are counted by row numbers, and SQLite gives a deleted row's number to the next one; so a
row isn't deleted but emptied. An empty seller is nobody: the drain sends no such row.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from collector.spool_file import files, reading

BLANKED: Final = (
    "update hits set seller = '', product = '', visitor = 0, source = '', campaign = ''"
    " where seller = ?"
)
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
            with connection:
                blanked += connection.execute(BLANKED, (seller,)).rowcount
                connection.execute(UNNAMED, (seller,))
                connection.execute("delete from sellers where seller = ?", (seller,))
            # What the log still holds goes with the next checkpoint; now, if nobody reads.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    return blanked
