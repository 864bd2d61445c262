"""Kept: what Collector has on disk about the visitor who asks, today. For the demo only.

A real Collector has no such page, and could not have one tomorrow: it takes today's key to find
the rows. Without consent no pseudonym is computed, and the spool isn't opened.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from collector.spool_file import files, signed
from collector.spool_reader import reading

COLUMNS = (
    "hour", "seller", "product", "visitor", "view", "source", "campaign", "device", "browser",
    "os", "seconds",
)  # fmt: skip
ROWS_MAX = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found.

    rows     a value for each of COLUMNS, oldest first
    removed  how many more there were before the visitor took consent back
    """

    rows: list[tuple[Any, ...]]
    removed: int


def find(spool: Path, day: date, pseudonyms: Mapping[str, int]) -> Kept:
    """Return today's rows of a visitor, for all sellers of the shop.

    pseudonyms  the visitor's, by seller
    Errors      what `reading` raises when the spool can't be read.
    """
    rows: list[tuple[Any, ...]] = []
    removed = 0
    todays = [file for file in files(spool) if file.day == day]
    for seller, pseudonym in pseudonyms.items():
        visitor = signed(pseudonym)
        with contextlib.ExitStack() as stack:
            opened = {file.run: stack.enter_context(reading(file.path)) for file in todays}
            ends = _ends(opened.values(), seller, visitor)
            for run, connection in opened.items():
                found = connection.execute(_ROWS, (visitor, seller)).fetchall()
                still = [row[1:] for row in found if row[0] > ends.get(run, 0)]
                removed += len(found) - len(still)
                rows += still
    rows.sort(key=lambda row: row[0])
    return Kept([_shown(row) for row in rows[-ROWS_MAX:]], removed)


def _ends(connections: Iterable[Any], seller: str, visitor: int) -> dict[str, int]:
    """Return up to which row of each run the visitor's rows were taken out of every number."""
    ends: dict[str, int] = {}
    for connection in connections:
        for (marks,) in connection.execute(_ERASURES, (visitor, seller)):
            for run, row in json.loads(marks).items():
                ends[run] = max(ends.get(run, 0), row)
    return ends


def _shown(row: tuple[Any, ...]) -> tuple[Any, ...]:
    values = dict(zip(COLUMNS, row, strict=True))
    values["visitor"] = f"{values['visitor'] & (1 << 64) - 1:016x}"
    values["hour"] = f"{values['hour']:02}"
    return tuple(values[name] for name in COLUMNS)


_ROWS = (
    "select row, hour, seller, product, visitor, view, source, campaign, device, browser, os,"
    " seconds from hits where visitor = ? and seller = ? order by row"
)
_ERASURES = "select marks from erasures where visitor = ? and seller = ?"
