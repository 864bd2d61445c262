"""Traces: looks for 64-bit hashes in whatever files hold, in nine ways of writing them."""

import base64
import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

ENCODINGS: Final[dict[str, Callable[[int], bytes]]] = {
    "little-endian": lambda n: n.to_bytes(8, "little"),
    "big-endian": lambda n: n.to_bytes(8, "big"),
    "decimal": lambda n: str(n).encode(),
    "signed decimal": lambda n: str(n - (1 << 64) if n >= 1 << 63 else n).encode(),
    "hexadecimal": lambda n: f"{n:016x}".encode(),
    "HEXADECIMAL": lambda n: f"{n:016X}".encode(),
    "base64": lambda n: base64.b64encode(n.to_bytes(8, "big"))[:11],
    "base64, little-endian": lambda n: base64.b64encode(n.to_bytes(8, "little"))[:11],
    "base64url": lambda n: base64.urlsafe_b64encode(n.to_bytes(8, "big"))[:11],
}
RUNS: Final = (
    (re.compile(rb"[0-9a-fA-F]{16,}"), 16),
    (re.compile(rb"[0-9A-Za-z+/_-]{11,}"), 11),
)
DECIMAL: Final = re.compile(rb"-?[0-9]{1,20}")


def contents(place: Path) -> Iterator[bytes]:
    """Yield what every file below a place holds; the engine may delete some meanwhile."""
    for directory, _, files in os.walk(place):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                path = Path(directory, name)
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path.read_bytes()


def found(places: Iterable[Path], hashes: Iterable[int]) -> dict[str, int]:
    """Return how many of the hashes are in any file below the places, by encoding."""
    wanted = {name: {write(each) for each in hashes} for name, write in ENCODINGS.items()}
    everything = frozenset().union(*wanted.values())
    seen: set[bytes] = set()
    for place in places:
        for content in contents(place):
            seen |= _pieces(content, everything)
    return {name: len(words & seen) for name, words in wanted.items()}


def _pieces(content: bytes, wanted: frozenset[bytes]) -> set[bytes]:
    pieces = {content[i : i + 8] for i in range(len(content) - 7)} & wanted
    for pattern, length in RUNS:
        for run in pattern.findall(content):
            pieces |= {run[i : i + length] for i in range(len(run) - length + 1)} & wanted
    return pieces | (set(DECIMAL.findall(content)) & wanted)
