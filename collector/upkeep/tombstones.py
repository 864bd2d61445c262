"""Tombstones: sellers who were forgotten, as keyed digests that name nobody.

A forgotten seller's old pages still carry valid signatures; with the tombstone they make no rows,
and a restore doesn't bring the seller's counts back. Any process may ask; one adds.
"""

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from collector.salt import sync_directory

FILE_NAME: Final = "forgotten"
DIGEST_BYTES: Final = 16
PERSON: Final = b"collector/gone"


class Tombstones:
    """The file of digests, one a line. May be asked from any thread.

    keys   the page-tag keys of the secret and of the previous one: a digest made under either
           counts. The first one digests new tombstones.
    """

    def __init__(self, path: Path, keys: Iterable[bytes]) -> None:
        self._path = path
        self._keys = tuple(keys)
        self._stamp: tuple[int, int] | None = None
        self._digests: frozenset[str] = frozenset()
        self._known: dict[str, bool] = {}
        self._lock = threading.Lock()
        self.refresh()

    def __contains__(self, seller: object) -> bool:
        """Whether a seller was forgotten, as of the last refresh."""
        if not self._digests or not isinstance(seller, str):
            return False
        found = self._known.get(seller)
        if found is None:
            found = any(_digest(seller, key) in self._digests for key in self._keys)
            if len(self._known) < 100_000:
                self._known[seller] = found
        return found

    def refresh(self) -> None:
        """Look whether the file has changed; to be called about once a second."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            stamp = None
        else:
            stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        with self._lock:
            text = ""
            with contextlib.suppress(FileNotFoundError):
                text = self._path.read_text("ascii")
            self._digests = frozenset(text.split())
            self._known = {}
            self._stamp = stamp

    def add(self, seller: str) -> None:
        """Set a tombstone, durably; one that is there already is no error."""
        self.refresh()
        if seller in self:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{_digest(seller, self._keys[0])}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(self._path.parent)
        self._stamp = None
        self.refresh()

    def remove(self, seller: str) -> bool:
        """Take a tombstone away, for a seller who comes back; return whether there was one."""
        self.refresh()
        gone = {_digest(seller, key) for key in self._keys}
        left = sorted(self._digests - gone)
        if len(left) == len(self._digests):
            return False
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text("".join(f"{digest}\n" for digest in left), "ascii")
        unfinished.chmod(0o600)
        unfinished.rename(self._path)
        sync_directory(self._path.parent)
        self._stamp = None
        self.refresh()
        return True


def _digest(seller: str, key: bytes) -> str:
    return hashlib.blake2b(
        seller.encode(), key=key, digest_size=DIGEST_BYTES, person=PERSON
    ).hexdigest()
