"""The schema: numbered migrations, one statement a file, brought up in order.

ClickHouse has no transaction around DDL. So a migration is noted before it runs and again after;
one that was noted only before is dirty and runs again, which every statement must bear. Data that
a newer version wrote is refused: an older program would not know what not to count.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class NewerSchema(RuntimeError):
    """The data was written by a newer version; the text says what to do."""


class Migration(NamedTuple):
    """One numbered statement of `migrations/`."""

    number: int
    name: str
    statement: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every migration, by number, from 1 without a gap."""
    found = []
    for file in resources.files("collector").joinpath("migrations").iterdir():
        if match := FILE_NAME.fullmatch(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    found.sort()
    assert [each.number for each in found] == list(range(1, len(found) + 1)), "a number is missing"
    return tuple(found)


def missing(done: Mapping[int, bool]) -> tuple[Migration, ...]:
    """Return what must run, in order, given which numbers were begun and which of them finished.

    Errors  NewerSchema, before anything is changed.
    """
    known = migrations()
    newest = max(done, default=0)
    if newest > known[-1].number:
        raise NewerSchema(
            f"ClickHouse: these tables have schema {newest} and this version knows"
            f" {known[-1].number}; start the newer version again, or restore a backup"
        )
    return tuple(each for each in known if not done.get(each.number))
