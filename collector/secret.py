"""The secret: from the environment, from a file, or made once and kept with the data."""

import contextlib
import os
import secrets
from pathlib import Path

from collector.keys import SECRET_BYTES_MIN
from collector.salt import sync_directory
from collector.settings import PREFIX, BadSettings, Settings

GENERATED_BYTES = 32


def load(settings: Settings) -> bytes:
    """Return the secret; the first process that needs one makes it.

    Errors  BadSettings when the named file is missing or too short, or DATA_DIR can't be written.
    """
    if settings.secret is not None:
        return settings.secret.encode()
    if settings.secret_file is not None:
        return _read(settings.secret_file, f"{PREFIX}SECRET_FILE")
    path = settings.data_dir / "secret"
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise BadSettings(f"{PREFIX}DATA_DIR: can't be used ({error.strerror})") from None
    return _read(path, "DATA_DIR/secret")


def load_all(settings: Settings) -> tuple[bytes, ...]:
    """Return the secret and, if one is named, the previous one; errors as load."""
    current = load(settings)
    if settings.secret_previous is None:
        return (current,)
    return current, settings.secret_previous.encode()


def _read(path: Path, name: str) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise BadSettings(f"{name}: can't be read ({error.strerror})") from None
    if len(secret) < SECRET_BYTES_MIN:
        raise BadSettings(
            f"{name}: shorter than {SECRET_BYTES_MIN} bytes; `openssl rand -hex 32` will do"
        )
    return secret


def _make(path: Path) -> None:
    """Write a new secret under a temporary name and link it into place: never half a secret."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(GENERATED_BYTES).encode() + b"\n")
        os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.close(descriptor)
        temporary.unlink()
    sync_directory(path.parent)
