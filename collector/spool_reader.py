"""The spool's readers: a spool file opened beside its worker, whichever version wrote it.

Every file is offered in two shapes, of which one is a view: `groups`, the hits of a commit in one
value, as they are written, for what reads many; and `hits`, a row for each, for what looks for
some. Files of version 1, which had rows only, are so read as groups of one.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from collector.spool_file import BUSY_SECONDS, SCHEMA_VERSION
from collector.statements import statement

ROWS_VERSION: Final = 1
VERSIONS_READ: Final = {ROWS_VERSION: "hits", SCHEMA_VERSION: "groups"}
"""The versions that can be read, each with the table that holds its hits."""

_VIEWS: Final = {ROWS_VERSION: "spool_rows_as_groups", SCHEMA_VERSION: "spool_groups_as_rows"}
_LAST_ROW: Final = "select last from groups order by first desc limit 1"


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a spool file, which its worker may be writing, to read from it.

    groups  first and last row, visitors and hits as `spool_file` describes them
    hits    a row's number as `row`, and the fields of a hit; the visitor signed. A hit that was
            blanked has no seller.

    Not read-only: after its worker was killed somebody must replay the log, and a reader that may
    not write can't.
    """
    connection = sqlite3.connect(
        f"file:{path}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # behind an open transaction the worker's log is never emptied
    )
    try:
        connection.execute("pragma secure_delete=on")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma temp_store=memory")  # a temporary file would hold pseudonyms
        if view := _VIEWS.get(version(connection)):
            connection.execute(statement(view))
        yield connection
    finally:
        connection.close()


def version(connection: sqlite3.Connection) -> int:
    """Return the version that a file says it has; 0 while its worker is still making it."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def last_row(connection: sqlite3.Connection) -> int:
    """Return the highest row that was committed; 0 when there is none."""
    found = connection.execute(_LAST_ROW).fetchone()
    return int(found[0]) if found else 0


def is_blank(connection: sqlite3.Connection) -> bool:
    """Return whether its worker died before it had made its tables, so that it holds nothing."""
    return not connection.execute("select count(*) from sqlite_schema").fetchone()[0]
