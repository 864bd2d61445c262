"""Memory: looks for bytes in everything that a process has written in its own memory."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

REGION = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw", re.MULTILINE)
CHUNK_BYTES = 1 << 24


def times_found(pid: int, wanted: bytes) -> int:
    """Return how often bytes occur in a process's memory."""
    return sum(piece.count(wanted) for piece in _memory(pid, len(wanted) - 1))


def _memory(pid: int, overlap: int) -> Iterator[bytes]:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for begin, end in _resident(pid):
            position, tail = begin, b""
            while position < end:
                piece = b""
                with contextlib.suppress(OSError):  # it was given back meanwhile
                    memory.seek(position)
                    piece = memory.read(min(CHUNK_BYTES, end - position))
                if not piece:
                    break
                yield tail + piece
                tail = piece[len(piece) - overlap :]
                position += len(piece)


def _resident(pid: int) -> list[tuple[int, int]]:
    """Return the writable regions of which anything is in memory."""
    regions = []
    for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", _smaps(pid), flags=re.MULTILINE):
        if (found := REGION.match(block)) and not re.search(r"^Rss: +0 kB", block, re.MULTILINE):
            regions.append((int(found[1], 16), int(found[2], 16)))
    return regions


def _smaps(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps").read_text("utf-8", "replace")
