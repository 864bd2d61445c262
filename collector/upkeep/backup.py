"""Backup: counts and only those, in one file that anybody can read without us.

A zip of one Parquet file a month and a manifest with rows and checksums. It holds no secret, no
salt, no hit and no pool; docs/operations.md says what else to keep.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from collector import __version__, schema
from collector.close.closes import ENDED, SAFE, Closes
from collector.salt import sync_directory
from collector.warehouse import Client, ask, fetch

FORMAT: Final = 1
UPLOADS_FROM: Final = 1 << 62
"""Rows from this seal on were uploaded by the marketplace; no close counted them."""
MANIFEST: Final = "manifest.json"
NOTE: Final = (
    "Counts only. The secret isn't in this file: keep it elsewhere, or page tags and tokens must be"
    " made anew. Nor are salts, hits or what waits for a month's close."
)
SCHEDULED: Final = "collector-*.zip"
SCHEDULED_KEPT: Final = 7


def stream(client: Client, closes: Closes, now: float) -> Iterator[bytes]:
    """Yield a backup piece by piece, while everything goes on.

    Why     days that aren't sealed when it begins are left out, also if their seal loads rows while
            it lasts, so no day is in it in part.
    Errors  Unanswered: throw away what came.
    """
    everything = closes.between(date.min, date.max)
    under_way = [c.day for c in everything if c.state not in (*SAFE, *ENDED)]
    out = _Outlet()
    files = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        asked: dict[str, Any] = {"under_way": under_way, "uploads_from": UPLOADS_FROM}
        for month, rows in ask(client, "backup_months", asked):
            body = fetch(client, "backup_month", asked | {"month": month}, "Parquet")
            name = f"counts/{month // 100}-{month % 100:02}.parquet"
            archive.writestr(name, body)
            checksum = hashlib.sha256(body).hexdigest()
            files.append({"name": name, "rows": rows, "sha256": checksum})
            yield out.take()
        days = {str(c.day): c.state for c in everything if c.state in (*SAFE, "lost")}
        manifest = {
            "format": FORMAT,
            "schema": schema.migrations()[-1].number,
            "version": __version__,
            "made_at": int(now),
            "first": min(days, default=None),
            "last": max(days, default=None),
            "rows": sum(file["rows"] for file in files),
            "files": files,
            "days": {day: "lost" if state == "lost" else "sealed" for day, state in days.items()},
            "note": NOTE,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    yield out.take()


def scheduled(directory: Path, today: date, pieces: Iterator[bytes]) -> Path | None:
    """Write the day's backup if it isn't there, keep the last seven; return what was written.

    Errors  OSError; Unanswered. What was half written is removed at the next try.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for unfinished in directory.glob(".collector-*.zip"):
        unfinished.unlink(missing_ok=True)
    path = directory / f"collector-{today}.zip"
    if path.exists():
        return None
    unfinished = directory / f".{path.name}"
    with unfinished.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    for old in sorted(directory.glob(SCHEDULED))[:-SCHEDULED_KEPT]:
        old.unlink(missing_ok=True)
    sync_directory(directory)
    return path


class _Outlet(io.RawIOBase):
    """Takes what is written and gives it away; it can't be sought in, so zip never does."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """Return what came since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
