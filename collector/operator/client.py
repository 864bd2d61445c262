"""The operator's side of DATA_DIR/operator.sock: asks the running reports process.

Only one process can have the embedded engine open, so commands that need the data ask that one.
"""

import contextlib
import http.client
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from collector.settings import Settings

SOCKET_NAME = "operator.sock"
CONNECT_SECONDS = 5
ANSWER_SECONDS = 3600  # A backup of years takes minutes.
CHUNK_BYTES = 1 << 16


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name for a socket's file that is short enough for the system's 107 bytes."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("operator", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_SECONDS)
        with short_path(self._path) as short:
            self.sock.connect(short)
        self.sock.settimeout(ANSWER_SECONDS)


def request(
    settings: Settings, method: str, path: str, body: bytes | IO[bytes] | None = None
) -> http.client.HTTPResponse:
    """Return the answer of the running reports process, to be read.

    Errors  click.ClickException with one sentence when it doesn't run or refuses.
    """
    connection = _UnixConnection(settings.data_dir / SOCKET_NAME)
    try:
        connection.request(method, path, body, {"Connection": "close"})
        answer = connection.getresponse()
    except (FileNotFoundError, ConnectionRefusedError):
        raise click.ClickException(
            "The reports process doesn't run in this data directory; "
            "start it with `collector serve`, or set COLLECTOR_DATA_DIR."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _unanswered(error) from None
    if answer.status >= 400:
        raise click.ClickException(_read(answer).decode("utf-8", "replace").strip())
    return answer


def ask(settings: Settings, path: str, method: str = "GET") -> str:
    """Return the answer's text; errors as `request`."""
    return _read(request(settings, method, path)).decode()


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        with answer:
            return answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise _unanswered(error) from None


def _unanswered(error: Exception) -> click.ClickException:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return click.ClickException(f"The reports process didn't answer ({reason}).")
