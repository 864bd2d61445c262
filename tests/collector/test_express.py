"""Express: the pixel's answers without a task for each, and everything else by ASGI."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest
import uvicorn

from collector import bounded_http
from collector.bounded_http import HEAD_BYTES_MAX
from collector.express import Answer, ExpressProtocol, Reply

START_SECONDS = 20
BODY = b"express"
ASKED = b"GET /fast?a=1 HTTP/1.1\r\nHost: x\r\n"
ASGI_SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Application:
    """Answers /fast express, everything else by ASGI; the query `later` waits to be let go."""

    path = b"/fast?"
    reads = frozenset((b"cookie", b"x-forwarded-for", b"accept"))

    def __init__(self) -> None:
        self.express = self
        self.asked: list[tuple[bytes, dict[bytes, bytes], str]] = []
        self.held: list[Reply] = []
        self.has_come = threading.Semaphore(0)
        self.may_go = threading.Event()
        self.loop: Any = None

    def answer(self, query: bytes, headers: dict[bytes, bytes], peer: str, reply: Reply) -> None:
        self.asked.append((query, headers, peer))
        if query == b"later":
            self.held.append(reply)
            self.has_come.release()
        else:
            reply(Answer(200, [(b"content-length", b"7")], BODY))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        if scope["path"] == "/slow":
            self.has_come.release()
            await self.loop.run_in_executor(None, self.may_go.wait, START_SECONDS)
        body = f"{scope['method']} {scope['path']}".encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def let_go(self) -> None:
        """Answer everybody who waits, from the server's thread."""
        for reply in self.held:
            self.loop.call_soon_threadsafe(
                reply, Answer(200, [(b"content-length", b"5")], b"later")
            )
        self.held.clear()


class Server:
    """A server that runs in a thread of its own."""

    def __init__(self) -> None:
        self.application = Application()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            self.application,
            http=ExpressProtocol,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            ws="none",
        )
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.uvicorn.run, kwargs={"sockets": [listener]})
        self.thread.start()
        with self.connected() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert body(connection) == b"GET /"

    def connected(self) -> socket.socket:
        """Return a connection; what never comes ends the test."""
        return socket.create_connection(("127.0.0.1", self.port), START_SECONDS)

    def stop(self) -> None:
        self.uvicorn.should_exit = True
        self.thread.join(START_SECONDS)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with an application that offers the express way."""
    one = Server()
    yield one
    one.application.may_go.set()
    one.stop()


def body(connection: socket.socket) -> bytes:
    """Return the body of an answer that must be a good one."""
    answer = HTTPResponse(connection)
    answer.begin()
    assert answer.status == 200
    return answer.read()


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    while part := connection.recv(65_536):
        found += part
    return found


def test_an_application_is_given_only_the_headers_it_reads(server: Server) -> None:
    """A repeated one as RFC 9110 and RFC 6265 read it, whatever the case of its name."""
    with server.connected() as connection:
        connection.sendall(
            ASKED
            + b"Cookie: a=1\r\nSecret: s\r\nCOOKIE: b=2\r\naccept: x\r\nAccept: y\r\n"
            + b"X-Forwarded-For: 198.51.100.7\r\n\r\n"
        )
        assert body(connection) == BODY
    assert server.application.asked == [
        (
            b"a=1",
            {b"cookie": b"a=1; b=2", b"accept": b"x,y", b"x-forwarded-for": b"198.51.100.7"},
            "127.0.0.1",
        )
    ]


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        (b"GET /fast HTTP/1.1", b"GET /fast"),
        (b"GET /fast?a#b HTTP/1.1", b"GET /fast"),
        (b"GET /%66ast?a HTTP/1.1", b"GET /fast"),
        (b"GET /fast/?a HTTP/1.1", b"GET /fast/"),
        (b"GET http://x/fast?a HTTP/1.1", b"GET /fast"),
        (b"DELETE /fast?a HTTP/1.1", b"DELETE /fast"),
    ],
)
def test_what_is_out_of_the_ordinary_goes_by_asgi(
    server: Server, request_line: bytes, answer: bytes
) -> None:
    """Only a plain GET for the path with a query is answered express."""
    with server.connected() as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\n\r\n")
        assert body(connection) == answer
    assert not server.application.asked


def test_both_ways_take_turns_on_one_connection(server: Server) -> None:
    """A browser's connection carries pixels, scripts and posts, with bodies where they must not
    be; nothing of one request is taken for the next one's."""
    with server.connected() as connection:
        for _ in range(3):
            connection.sendall(ASKED + b"Content-Length: 4\r\n\r\nGET ")
            assert body(connection) == BODY
            connection.sendall(b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
            assert body(connection) == b"POST /other"
            for byte in ASKED + b"\r\n":
                connection.sendall(bytes([byte]))
            assert body(connection) == BODY


@pytest.mark.parametrize(
    "end", [b"GET /fast?a HTTP/1.0\r\n\r\n", ASKED + b"Connection: close\r\n\r\n"]
)
def test_a_connection_ends_where_its_client_says_so(server: Server, end: bytes) -> None:
    """nginx speaks HTTP/1.0 to a server behind it unless it is told otherwise."""
    with server.connected() as connection:
        connection.sendall(end)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in answer
    assert answer.endswith(BODY)


def test_a_request_behind_an_unanswered_one_has_to_come_again(server: Server) -> None:
    """No browser and no proxy sends them so. The first is answered, and nobody is given the
    answer to another request than the one that was sent first."""
    with server.connected() as connection:
        connection.sendall(b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n" + ASKED + b"\r\n")
        assert server.application.has_come.acquire(timeout=START_SECONDS)
        server.application.let_go()
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"later")
    assert len(server.application.asked) == 1


def test_answers_behind_an_asgi_one_keep_their_order(server: Server) -> None:
    """A pixel that is asked for behind a slow page comes after the page."""
    with server.connected() as connection:
        connection.sendall(ASGI_SLOW + ASKED + b"\r\n")
        assert server.application.has_come.acquire(timeout=START_SECONDS)
        server.application.may_go.set()
        assert body(connection) == b"GET /slow"
        assert body(connection) == b"GET /fast"
    assert not server.application.asked


def test_a_stop_waits_for_the_answer(server: Server) -> None:
    """A beacon that is being written when the server is told to stop is still answered."""
    with server.connected() as connection:
        connection.sendall(b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.application.has_come.acquire(timeout=START_SECONDS)
        server.uvicorn.should_exit = True
        time.sleep(0.3)  # uvicorn looks ten times a second
        server.application.let_go()
        assert everything(connection).endswith(b"later")
    server.thread.join(START_SECONDS)
    assert not server.thread.is_alive()


def test_who_has_gone_is_not_answered(server: Server) -> None:
    """A page that was closed took its connection along; the server lives on."""
    with server.connected() as connection:
        connection.sendall(b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.application.has_come.acquire(timeout=START_SECONDS)
    server.application.let_go()
    with server.connected() as connection:
        connection.sendall(ASKED + b"\r\n")
        assert body(connection) == BODY


def test_a_connection_without_requests_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Idle ones go after a while, one that waits for its answer does not."""
    monkeypatch.setattr(bounded_http, "HEAD_SECONDS_MAX", 0.1)
    with server.connected() as idle, server.connected() as waiting:
        waiting.sendall(b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.sendall(ASKED + b"\r\n")
        assert body(idle) == BODY
        assert everything(idle) == b""
        server.application.let_go()
        assert body(waiting) == b"later"


def test_a_long_head_is_refused_with_a_sentence(server: Server) -> None:
    """The express way has no other limits than ASGI's."""
    with server.connected() as connection:
        connection.sendall(ASKED + b"Cookie: ")
        for _ in range(HEAD_BYTES_MAX // 1024 + 1):
            connection.sendall(b"x" * 1024)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"The request's head is too long.")
