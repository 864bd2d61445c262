"""ASGI without a socket: calls the beacons process's application as a server would.

The month of visits goes through it, and the shop's backend asks the location door by it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from collector.beacons import ASGIApp, Message
from collector.http.headers import Headers


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return a header's first value, empty where there is none."""
        return next((value for key, value in self.headers if key == name), b"")


async def call(
    application: ASGIApp,
    method: str,
    path: str,
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    body: bytes = b"",
    client: tuple[str, int] | None = None,
    scheme: str = "http",
) -> Answer:
    """Send one request to the application and return its answer.

    client  the connection's other end: address and port
    """
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": list(headers),
        "client": client,
        "server": None,
    }
    sent: list[Message] = []
    unread = [body]

    async def receive() -> Message:
        if not unread:
            await asyncio.Event().wait()  # nobody disconnects
        return {"type": "http.request", "body": unread.pop(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await application(scope, receive, send)
    content = b"".join(each.get("body", b"") for each in sent[1:])
    return Answer(sent[0]["status"], list(sent[0]["headers"]), content)


@contextlib.asynccontextmanager
async def running(application: ASGIApp) -> AsyncIterator[None]:
    """Start the application as a server does, and stop it cleanly."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.ensure_future(application(scope, told.get, heard.put))
    await _tell(told, heard, "lifespan.startup")
    try:
        yield
    finally:
        await _tell(told, heard, "lifespan.shutdown")
        await task


async def _tell(told: asyncio.Queue[Message], heard: asyncio.Queue[Message], what: str) -> None:
    await told.put({"type": what})
    answer = await heard.get()
    if answer["type"] != f"{what}.complete":
        raise RuntimeError(f"{what}: {answer.get('message', 'failed')}")
