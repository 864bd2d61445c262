"""Requests over real sockets, from any loopback address, and waiting for what must come."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, TypeVar

Found = TypeVar("Found")

WAIT_SECONDS = 60  # A start takes three, on a machine that does nothing else.


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)

    @property
    def counted(self) -> str:
        """What became of a beacon."""
        return self.headers.get("x-counted", "")

    @property
    def message(self) -> str:
        """The sentence of an error."""
        return str(self.json["error"]["message"])


def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    source: str = "127.0.0.1",
    host: str = "127.0.0.1",
) -> Answer:
    """Send one request from a loopback address of choice."""
    connection = HTTPConnection(host, port, timeout=WAIT_SECONDS, source_address=(source, 0))
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


def raw(port: int, request: bytes, *, source: str = "127.0.0.1") -> bytes:
    """Send bytes and return every byte that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS, (source, 0)) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


def eventually(
    look: Callable[[], Found],
    what: str,
    told: Callable[[], str] = str,
    seconds: float = WAIT_SECONDS,
) -> Found:
    """Look again and again until what is there is true; return it.

    told  what to add to the failure, as it is then
    """
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"never came: {what}\n{told()}"
        time.sleep(0.02)
    return found
