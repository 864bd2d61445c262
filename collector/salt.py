"""The salt: 32 random bytes that make a day's pseudonyms, and whose end makes them anonymous.

One file per day, made once by whichever process is first. The file also says, by a fingerprint,
with which secret the day began, so that a new secret doesn't split a day's visitors. It is
overwritten before it is unlinked; in memory it lives in a bytearray that is wiped.
"""

import contextlib
import hashlib
import os
import secrets
from datetime import date
from pathlib import Path

SALT_BYTES = 32
FINGERPRINT_BYTES = 8
SUFFIX = ".salt"
UNFINISHED = ".new"
DATE_CHARACTERS = len("2026-01-31")


class SaltDamaged(Exception):
    """A day's salt file can't be used; the text says which day."""


def fingerprint(visitor_key: bytes) -> bytes:
    """Return eight bytes that recognise a key and say nothing about it."""
    return hashlib.blake2b(
        visitor_key, digest_size=FINGERPRINT_BYTES, person=b"collector/print"
    ).digest()


def path_of(directory: Path, day: date) -> Path:
    """Return where a day's salt is."""
    return directory / f"{day.isoformat()}{SUFFIX}"


def ensure(directory: Path, day: date, visitor_key: bytes) -> bytearray:
    """Return the day's salt and fingerprint, made now if this process is the first.

    Shape   40 bytes: 32 of salt, 8 of the visitor key's fingerprint. Wipe it after use.
    Why     written to a temporary file, fsynced and linked into place: a reader never sees half
            a salt, and of two writers one wins and both use the winner's.
    Errors  SaltDamaged when the file has another length; OSError when it can't be written.
    """
    path = path_of(directory, day)
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    _create_directory(directory)
    new = _fresh(visitor_key)
    temporary = directory / f".{day}.{os.getpid()}.{secrets.token_hex(4)}{UNFINISHED}"
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write(descriptor, new)
        try:
            os.link(temporary, path)
        except FileExistsError:
            # Another process was first. Ours is nobody's salt, but nobody can see that in a disk
            # image, so it goes the way of all salts.
            _write(descriptor, bytes(len(new)))
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
        wipe(new)
    sync_directory(directory)
    return _read(path)


def destroy(path: Path) -> None:
    """Overwrite, fsync and unlink one salt; one that is already gone is no error.

    Why     a file system may keep the old blocks of a file that is only unlinked. One that copies
            on write keeps them anyway: for such a one SALT_DIR belongs on a tmpfs.
    Errors  OSError when it can't be unlinked; a failing overwrite doesn't keep the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        # A full disk can't refuse this: the blocks are already ours.
        with contextlib.suppress(OSError):
            _write(descriptor, bytes(max(os.fstat(descriptor).st_size, SALT_BYTES)))
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)
    sync_directory(path.parent)


def days(directory: Path) -> dict[date, Path]:
    """Return the days that still have a salt."""
    found = {}
    for path in directory.glob(f"*{SUFFIX}"):
        with contextlib.suppress(ValueError):
            found[date.fromisoformat(path.name.removesuffix(SUFFIX))] = path
    return dict(sorted(found.items()))


def files(directory: Path) -> list[tuple[date, Path]]:
    """Return every file that holds, or may hold, a day's salt: also what a killed writer left.

    Errors  none: a directory that can't be read holds nothing that could be destroyed now.
    """
    found = []
    with contextlib.suppress(OSError):
        for path in (*directory.glob(f"*{SUFFIX}"), *directory.glob(f".*{UNFINISHED}")):
            with contextlib.suppress(ValueError):
                found.append((date.fromisoformat(path.name.lstrip(".")[:DATE_CHARACTERS]), path))
    return sorted(found)


def wipe(secret: bytearray) -> None:
    """Overwrite a secret in memory; Python never moves a bytearray that keeps its size."""
    secret[:] = bytes(len(secret))


def _fresh(visitor_key: bytes) -> bytearray:
    # Read in place: a bytes object of the salt could not be wiped.
    new = bytearray(SALT_BYTES) + fingerprint(visitor_key)
    with memoryview(new) as view, Path("/dev/urandom").open("rb", buffering=0) as source:
        if source.readinto(view[:SALT_BYTES]) != SALT_BYTES:
            raise OSError("the system gave no random bytes")
    return new


def _read(path: Path) -> bytearray:
    # readinto: a bytes object of the salt could not be wiped.
    salt = bytearray(SALT_BYTES + FINGERPRINT_BYTES)
    with path.open("rb", buffering=0) as file:
        length = file.readinto(salt)
        with memoryview(salt) as view:
            blank = not any(view[:SALT_BYTES])
        if length != len(salt) or file.read(1) or blank:
            wipe(salt)
            raise SaltDamaged(f"the salt of {path.name.removesuffix(SUFFIX)} is damaged")
    return salt


def _write(descriptor: int, content: bytes | bytearray) -> None:
    if os.pwrite(descriptor, content, 0) != len(content):
        raise OSError("a salt was written only in part")
    os.fsync(descriptor)


def _create_directory(directory: Path) -> None:
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make the directory's entries durable: a link or unlink is not, until this returns."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
