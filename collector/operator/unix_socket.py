"""The operator's socket: HTTP on a file that only this user can open.

It answers in a thread with an event loop of its own, so that a long backup doesn't hold up
sellers.
"""

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from collector.operator.client import short_path

STOP_SECONDS = 5


class OperatorSocket:
    """Serves routes on a Unix socket while its `with` block lasts."""

    def __init__(self, path: Path, routes: Sequence[BaseRoute]) -> None:
        self._path = path
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=list(routes)),
                lifespan="off",
                log_config=None,
                access_log=False,
                ws="none",
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="operator"
        )

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        with short_path(self._path) as short:
            self._listener.bind(short)
        self._path.chmod(0o600)
        self._listener.listen()  # only from here on can anybody connect
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._path.unlink(missing_ok=True)
