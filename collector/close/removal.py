"""Removal: a day's hits leave the engine, and a search shows that they have.

The hashes to search for are sampled before anything is dropped and kept beside the day's integers,
so that a stop in between doesn't lose them; they are shredded with these.
"""

import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from collector.close.absence import HASH_BYTES, SAMPLE_MAX, Found, parts_of, search
from collector.close.shred import shred_directory
from collector.salt import sync_directory
from collector.warehouse import Client, ask, tell

TABLES: Final = ("hits", "erased")
SAMPLE: Final = "sample"


class Remains(Exception):
    """Something of the day is still there; the text says what."""


class Removal:
    """Removes one day.

    beside   the day's directory of integers
    engine   the embedded engine's directory; None for a server, whose files we can't see
    """

    def __init__(self, day: date, beside: Path, engine: Path | None) -> None:
        self._day = day
        self._beside = beside
        self._engine = engine

    def keep_sample(self, client: Client) -> None:
        """Keep up to 1,000 of the day's hashes for the search, durably."""
        rows = ask(client, "seal_sample", {"day": self._day, "most": SAMPLE_MAX})
        # The engine writes integers with their lowest byte first.
        content = b"".join(bytes.fromhex(row[0])[::-1] for row in rows)
        self._beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._beside / SAMPLE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(self._beside)

    def drop(self, client: Client) -> None:
        """Drop the day's partitions, also what a killed drop left of them, and detached parts.

        Errors  Unanswered; Remains while directories of the day exist: the engine deletes them in
                the background, within seconds.
        """
        for table in TABLES:
            asked = {"name": table, "id": self._day.strftime("%Y%m%d")}
            tell(client, "drop_partition", asked)
            tell(client, "drop_detached", asked)
            if known := ask(client, "partitions", asked):
                raise Remains(f"{self._day}: {len(known)} parts of {table} are being deleted")
        if self._engine is not None:
            self._shred_strays(parts_of(self._engine, self._day))
            if left := parts_of(self._engine, self._day):
                raise Remains(f"{self._day}: {left[0].parent.name}/{left[0].name} is still there")

    def search(self, client: Client) -> Found:
        """Search for the day once more; return what was searched.

        Errors  Remains when anything was found.
        """
        if self._engine is None:
            # The engine itself said in drop() that it knows of no part; its disk is not ours.
            return Found()
        found = search(self._engine, self._day, self._sample())
        if not found.nothing:
            raise Remains(f"{self._day}: {found.hits} of {found.hashes} hashes were found again")
        return found

    def _shred_strays(self, parts: Sequence[Path]) -> None:
        """Shred what the engine doesn't look after: frozen parts and broken detached ones."""
        for path in parts:
            place = re.search(r"/(detached|shadow)/", f"{path}/")
            if place is not None:
                shred_directory(path)

    def _sample(self) -> list[bytes]:
        try:
            content = (self._beside / SAMPLE).read_bytes()
        except FileNotFoundError:
            return []
        return [content[i : i + HASH_BYTES] for i in range(0, len(content), HASH_BYTES)]
