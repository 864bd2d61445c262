"""Ballast: a file that is there so that it can go.

On a full disk even dropping a partition fails, and with it the promise that hits disappear. So
some space is held while there is plenty, and the seal lets it go before it works.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

BALLAST_BYTES: Final = 64 * 1024 * 1024
ROOM: Final = 4  # Held only where this many times as much stays free.


class Ballast:
    """The file. `size` bytes, allocated and not only promised."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    @property
    def held(self) -> int:
        """Bytes that letting go would free."""
        try:
            return self._path.stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    def is_needed(self) -> bool:
        """Return whether so little is free that the seal could fail."""
        return shutil.disk_usage(self._path.parent).free < self._size

    def let_go(self) -> bool:
        """Free the space; return whether there was any to free."""
        held = self.held > 0
        self._path.unlink(missing_ok=True)
        return held

    def hold(self) -> None:
        """Take the space again where there is plenty; where not, later."""
        free = shutil.disk_usage(self._path.parent).free
        if self.held >= self._size or free < self._size * (1 + ROOM):
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with contextlib.suppress(OSError):
                os.posix_fallocate(descriptor, 0, self._size)
        finally:
            os.close(descriptor)
