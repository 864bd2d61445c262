"""Integers: a closed day's counts and pools on disk, before the engine is asked to keep them.

Two files of rows and a manifest with their checksums, written last. From the moment the manifest
is there, a day's numbers are these and are never counted again: hits may go. Counts are anonymous;
pools are not quite, so the directory is shredded when the day is sealed.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

from collector.salt import sync_directory
from collector.suppression import Cell

COUNT_COLUMNS: Final = (
    "day", "period", "seller", "product", "dimension", "value",
    "visitors", "views", "seconds", "closed", "seal",
)  # fmt: skip
POOL_COLUMNS: Final = (
    "period", "start", "seller", "product", "dimension", "value", "visitors", "seconds", "day",
)  # fmt: skip
CHUNK_ROWS: Final = 100_000
WRITTEN_ROWS: Final = 1_000  # Hashed and written together.
MANIFEST: Final = "manifest.json"
TABLES: Final = ("counts", "pools")


class DamagedIntegers(Exception):
    """The integers of a day can't be used; the text says which file."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What two sets of rows have in common if they are the same, in any order.

    text_sum   sum of the CRC-32 of each row, its columns joined by tabs
    """

    rows: int = 0
    visitors: int = 0
    views: int = 0
    seconds: int = 0
    text_sum: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a day's integers are.

    pools_closed   the pools that this close emptied: period and first day
    earliest       the first day of the earliest period among the counts
    """

    day: date
    seal: int
    earliest: date
    counts: Sums
    pools: Sums
    pools_closed: tuple[tuple[str, date], ...]


class Integers:
    """Writes a day's integers: rows as they come, then the manifest."""

    def __init__(self, directory: Path, day: date, seal: int) -> None:
        """Start with nothing in the directory, whatever a killed predecessor left there.

        Errors  OSError when it can't be written.
        """
        self._directory = directory
        self._day = day
        self._closed = f'"{day}",{seal}]\n'
        self._seal = seal
        self._earliest = day
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / MANIFEST).unlink(missing_ok=True)
        sync_directory(directory)
        self._files = {table: (directory / f"{table}.rows").open("wb") for table in TABLES}
        self._rows: dict[str, list[str]] = {table: [] for table in TABLES}
        self._sums = {table: [0] * 5 for table in TABLES}
        self._hashes = {table: hashlib.sha256() for table in TABLES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def count(self, cell: Cell, views: int = 0) -> None:
        """Write one row of counts: a published cell, or totals with the dimension ''."""
        start = cell.start
        if start < self._earliest:
            self._earliest = start
        seller, product, value = _quoted(cell.seller), _quoted(cell.product), _quoted(cell.value)
        self._add(
            "counts",
            f'["{_said(start)}","{cell.period}",{seller},{product},"{cell.dimension}",{value},'
            f"{cell.visitors},{views},{cell.seconds},{self._closed}",
            cell,
            views,
        )

    def pool(self, cell: Cell) -> None:
        """Write one row of what waits."""
        seller, product, value = _quoted(cell.seller), _quoted(cell.product), _quoted(cell.value)
        self._add(
            "pools",
            f'["{cell.period}","{_said(cell.start)}",{seller},{product},"{cell.dimension}",{value},'
            f'{cell.visitors},{cell.seconds},"{self._day}"]\n',
            cell,
            0,
        )

    def finish(self, pools_closed: Iterable[tuple[str, date]]) -> Manifest:
        """Make everything durable; when this returns, these are the day's numbers."""
        for table, file in self._files.items():
            self._write(table)
            file.flush()
            os.fsync(file.fileno())
        manifest = Manifest(
            self._day,
            self._seal,
            self._earliest,
            Sums(*self._sums["counts"]),
            Sums(*self._sums["pools"]),
            tuple(pools_closed),
        )
        checksums = {table: self._hashes[table].hexdigest() for table in TABLES}
        body = json.dumps(asdict(manifest) | {"sha256": checksums}, default=str)
        sealed = f"{body}\n{hashlib.sha256(body.encode()).hexdigest()}\n"
        unfinished = self._directory / f".{MANIFEST}"
        with unfinished.open("w", encoding="utf-8") as written:
            written.write(sealed)
            written.flush()
            os.fsync(written.fileno())
        unfinished.rename(self._directory / MANIFEST)
        sync_directory(self._directory)
        sync_directory(self._directory.parent)
        return manifest

    def _add(self, table: str, row: str, cell: Cell, views: int) -> None:
        rows = self._rows[table]
        rows.append(row)
        if len(rows) == WRITTEN_ROWS:
            self._write(table)
        period, start, seller, product, dimension, value, visitors, seconds = cell
        sums = self._sums[table]
        sums[0] += 1
        sums[1] += visitors
        sums[2] += views
        sums[3] += seconds
        text = (
            f"{_said(start)}\t{period}\t{seller}\t{product}\t{dimension}\t{value}"
            f"\t{visitors}\t{views}\t{seconds}"
        )
        sums[4] += zlib.crc32(text.encode())

    def _write(self, table: str) -> None:
        lines = "".join(self._rows[table]).encode()
        self._rows[table].clear()
        self._hashes[table].update(lines)
        self._files[table].write(lines)


@lru_cache
def _said(day: date) -> str:
    return day.isoformat()  # three times a row, and a million rows are of few days


@lru_cache(100_000)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest after checking it and both files of rows against their checksums.

    Errors  DamagedIntegers when something is missing or not as it was written.
    """
    try:
        body, checksum = (directory / MANIFEST).read_text("utf-8").splitlines()
        if hashlib.sha256(body.encode()).hexdigest() != checksum:
            raise ValueError
        content: dict[str, Any] = json.loads(body)
        for table, expected in content.pop("sha256").items():
            with (directory / f"{table}.rows").open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                    raise ValueError
    except (OSError, ValueError):
        raise DamagedIntegers(
            f"seals/{directory.name}: damaged or incomplete; while hits are whole it is made again"
        ) from None
    return Manifest(
        date.fromisoformat(content["day"]),
        content["seal"],
        date.fromisoformat(content["earliest"]),
        Sums(**content["counts"]),
        Sums(**content["pools"]),
        tuple((period, date.fromisoformat(start)) for period, start in content["pools_closed"]),
    )


def bodies(directory: Path, table: str) -> Iterator[bytes]:
    """Yield a table's rows as JSONCompactEachRow, at most 100,000 at a time."""
    lines: list[bytes] = []
    with (directory / f"{table}.rows").open("rb") as file:
        for line in file:
            lines.append(line)
            if len(lines) == CHUNK_ROWS:
                yield b"".join(lines)
                lines = []
    if lines:
        yield b"".join(lines)
