"""Shred: files overwritten, fsynced and unlinked, so that unlinking is not all that hides them.

A file system that copies on write keeps the old blocks anyway; docs/privacy.md says so.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from collector.salt import sync_directory

ZEROS: Final = bytes(1024 * 1024)


def shred(path: Path) -> None:
    """Overwrite, fsync and unlink a file; one that is already gone is no error.

    Errors  OSError when it can't be unlinked; a failing overwrite doesn't keep the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        # A full disk can't refuse this: the blocks are already ours.
        with contextlib.suppress(OSError):
            left = os.fstat(descriptor).st_size
            while left:
                left -= os.write(descriptor, ZEROS[: min(left, len(ZEROS))])
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def shred_directory(directory: Path) -> None:
    """Shred every file of a directory and those below it, and remove it; durable at the end.

    Why     databases go before their logs and locks, so that nobody opens one that has lost them.
    Errors  OSError when somebody writes a new file into it meanwhile: call again.
    """
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir(), key=lambda path: (path.suffix != ".sqlite", path.name)):
        if path.is_dir() and not path.is_symlink():
            shred_directory(path)
        else:
            shred(path)
    sync_directory(directory)
    directory.rmdir()
    sync_directory(directory.parent)
