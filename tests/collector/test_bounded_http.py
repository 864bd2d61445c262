"""Bounded HTTP: a head ends, in bytes and in time; nothing else is cut off."""

import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest
import uvicorn

from collector.http import bounded
from collector.http.bounded import HEAD_BYTES_MAX, BoundedProtocol

pytestmark = pytest.mark.processes

START_SECONDS = 20


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body and answer with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that is in more of a hurry than ours."""
    monkeypatch.setattr(bounded, "HEAD_SECONDS_MAX", 0.2)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, http=BoundedProtocol, lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(START_SECONDS)


def connected(port: int) -> socket.socket:
    """Return a connection; what never comes ends the test."""
    return socket.create_connection(("127.0.0.1", port), START_SECONDS)


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    while part := connection.recv(65_536):
        found += part
    return found


def answered(connection: socket.socket) -> bytes:
    """Return the body of an answer that must be a good one."""
    answer = HTTPResponse(connection)
    answer.begin()
    assert answer.status == 200
    return answer.read()


@pytest.mark.parametrize("begin", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
def test_a_head_that_does_not_come_is_not_waited_for(port: int, begin: bytes) -> None:
    """Nothing, a letter, or half of a head: the connection is closed by the server."""
    with connected(port) as connection:
        connection.sendall(begin)
        assert everything(connection) == b""


def test_a_second_head_is_watched_like_the_first(port: int) -> None:
    """A request was answered, the next one on the connection stays half."""
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answered(connection)
        connection.sendall(b"GET / HTTP/1.1\r\nHost")
        assert everything(connection) == b""


def test_a_slow_body_is_not_cut_off(port: int) -> None:
    """An operator's upload over a slow line takes many times as long as a head may."""
    with connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
        for byte in b"upload":
            time.sleep(0.15)
            connection.sendall(bytes([byte]))
        assert answered(connection) == b"6"


def test_a_connection_that_is_used_stays(port: int) -> None:
    """One request after the other for longer than a head may take."""
    with connected(port) as connection:
        for _ in range(8):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answered(connection)
            time.sleep(0.1)


def test_a_long_body_is_no_long_head(port: int) -> None:
    """Megabytes of catalogue come in behind a short head, twice on one connection."""
    size = 30 * HEAD_BYTES_MAX
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    with connected(port) as connection:
        for _ in range(2):
            connection.sendall(head + b"x" * size)
            assert answered(connection) == str(size).encode()


def test_a_long_head_is_refused_with_a_sentence(port: int) -> None:
    """Past 64 KiB without an end."""
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nCookie: ")
        for _ in range(HEAD_BYTES_MAX // 1024 + 1):
            connection.sendall(b"x" * 1024)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"The request's head is too long.")


def test_a_head_at_the_limit_is_served(port: int) -> None:
    """The longest Cookie header that is read, in pieces."""
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ")
        for _ in range(32):
            connection.sendall(b"x" * 1024)
        connection.sendall(b"\r\n\r\n")
        answered(connection)
