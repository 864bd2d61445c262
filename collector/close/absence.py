"""Absence: the search for what must not be there any more, and its result.

Runs after a day's partitions were dropped and its spool was shredded: no part, detached, shadow or
temporary directory of the day, no spool file, and none of up to 1,000 sampled hashes in any file
of the engine that could hold one.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

SAMPLE_MAX: Final = 1_000
SEARCH_BYTES_MAX: Final = 2_000_000_000  # bytes times hashes, about five seconds
PART: Final = re.compile(r"^(?:(?:\w+?_)?)(\d{8})_\d+_\d+_\d+")
CHUNK_BYTES: Final = 4 * 1024 * 1024
HASH_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a search saw.

    directories  parts of the day that still exist, wherever they are
    files, size  how many files were read, and their bytes
    hashes       how many sampled hashes were looked for
    hits         how many of them were found
    """

    directories: int = 0
    files: int = 0
    size: int = 0
    hashes: int = 0
    hits: int = 0

    @property
    def nothing(self) -> bool:
        """Whether nothing of the day was found."""
        return not self.directories and not self.hits


def parts_of(engine: Path, day: date) -> list[Path]:
    """Return the directories of a day's parts: in use, replaced, detached, frozen or temporary."""
    wanted = day.strftime("%Y%m%d")
    return [path for path in _directories(engine) if _partition(path.name) == wanted]


def search(engine: Path, day: date, sample: Sequence[bytes]) -> Found:
    """Search the engine's directory for a day's parts and for hashes.

    sample   8 bytes each, as the engine writes them: little-endian
    Why      parts of other days and of other tables are skipped by their name: they hold other
             days' hashes, or none. Everything else is read, byte by byte.
    """
    files, size = 0, 0
    sizes = {path: length for path in _files(engine) if (length := _size(path)) is not None}
    looked_for = sample[: max(1, SEARCH_BYTES_MAX // max(sum(sizes.values()), 1))]
    seen: set[bytes] = set()
    for path, length in sizes.items():
        try:
            seen |= _hashes_in(path, looked_for)
        except FileNotFoundError:
            continue  # the engine tidies up while we look
        files, size = files + 1, size + length
    return Found(len(parts_of(engine, day)), files, size, len(looked_for), len(seen))


def _hashes_in(path: Path, sample: Sequence[bytes]) -> set[bytes]:
    seen = set()
    with path.open("rb") as file:
        tail = b""
        while chunk := file.read(CHUNK_BYTES):
            window = tail + chunk
            seen |= {each for each in sample if each in window}
            tail = window[-(HASH_BYTES - 1) :]
    return seen


def _size(path: Path) -> int | None:
    """Return a regular file's bytes, None for anything else or if it is gone already."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _partition(name: str) -> str | None:
    found = PART.match(name)
    return found[1] if found else None


def _directories(engine: Path) -> Iterator[Path]:
    for directory, names, _ in os.walk(engine):
        for name in names:
            yield Path(directory, name)


def _files(engine: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(engine):
        # Parts in use end here: a table's other directories (detached, tmp_…) don't look like one.
        inside = "detached" in Path(directory).parts or "shadow" in Path(directory).parts
        if not inside:
            names[:] = [name for name in names if not _is_part_in_use(name)]
        for name in files:
            yield Path(directory, name)


def _is_part_in_use(name: str) -> bool:
    return re.match(r"^[0-9a-z]+(?:-[0-9a-z]+)*_\d+_\d+_\d+(?:_\d+)?$", name) is not None
