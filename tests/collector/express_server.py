"""A server whose application offers the express way, for the tests of it."""

import asyncio
import socket
import threading
from http.client import HTTPResponse
from typing import Any

import uvicorn

from collector.http.express import Answer, ExpressProtocol, Lane, Reply

START_SECONDS = 20
BODY = b"express"
ASKED = b"GET /fast?a=1 HTTP/1.1\r\nHost: x\r\n"
POSTED = b"POST /fast HTTP/1.1\r\nHost: x\r\n"
BODY_MAX = 100
ASGI_SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Application:
    """Answers /fast express, everything else by ASGI; the query `later` waits to be let go."""

    def __init__(self) -> None:
        reads = frozenset((b"cookie", b"x-forwarded-for", b"accept"))
        self.express = {
            (b"GET", b"/fast"): Lane(reads, self.answer),
            (b"POST", b"/fast"): Lane(reads, self.answer_body, BODY_MAX),
        }
        self.asked: list[tuple[bytes, dict[bytes, bytes], str]] = []
        self.scope_headers: dict[bytes, bytes] = {}  # Of the last ASGI request, at its end.
        self.held: list[Reply] = []
        self.has_come = threading.Semaphore(0)
        self.may_go = threading.Event()
        self.loop: Any = None

    def answer(
        self, query: bytes, headers: dict[bytes, bytes], body: bytes, peer: str, reply: Reply
    ) -> None:
        """Answer a GET."""
        assert body == b""
        self.asked.append((query, headers, peer))
        if query == b"later":
            self.held.append(reply)
            self.has_come.release()
        elif query == b"bug":
            raise ZeroDivisionError
        else:
            reply(Answer(200, [(b"content-length", b"7")], BODY))

    def answer_body(
        self, query: bytes, headers: dict[bytes, bytes], body: bytes, peer: str, reply: Reply
    ) -> None:
        """Answer a POST with its body."""
        self.asked.append((query, headers, peer))
        reply(Answer(200, [(b"content-length", b"%d" % len(body))], body))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        if scope["path"] == "/slow":
            self.has_come.release()
            await self.loop.run_in_executor(None, self.may_go.wait, START_SECONDS)
        body = f"{scope['method']} {scope['path']}".encode()
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += b" " + message["body"]
            more = message["more_body"]
        self.scope_headers = dict(scope["headers"])
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
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        config = uvicorn.Config(
            self.application,
            http=ExpressProtocol,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            ws="none",
        )
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.uvicorn.run, kwargs={"sockets": [self.listener]})
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
        self.listener.close()


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
