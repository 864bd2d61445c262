"""Requests in and answers out, as plain ASGI: bounded in, never to be stored on the way out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from geoip.question import BODY_BYTES_MAX

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
BODY_SECONDS_MAX = 10.0  # The server has no deadline of its own for a slow sender.

_ALWAYS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept-Language, Cookie, Origin"),
    (b"x-content-type-options", b"nosniff"),
)


class Refused(Exception):
    """A request that is answered with an error; the sentence never quotes what came."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field

    def headers(self) -> list[Header]:
        """Return what HTTP wants beside this status."""
        if self.status == 401:
            return [(b"www-authenticate", b"Bearer")]
        return [(b"allow", METHODS.encode())] if self.status == 405 else []


async def body(receive: Receive) -> bytes:
    """Return the request's body.

    Errors  Refused: longer than BODY_BYTES_MAX, slower than BODY_SECONDS_MAX, or cut off.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "malformed", "body: the sender hung up", "body")
                content += message.get("body", b"")
                if len(content) > BODY_BYTES_MAX:
                    raise Refused(413, "too-large", f"body: at most {BODY_BYTES_MAX} bytes", "body")
                if not message.get("more_body", False):
                    return bytes(content)
    except TimeoutError:
        message_text = f"body: send it within {BODY_SECONDS_MAX:.0f} seconds"
        raise Refused(408, "too-slow", message_text, "body") from None


def error_text(code: str, message: str, field: str | None) -> str:
    """Return an error as JSON."""
    return json.dumps({"error": {"code": code, "message": message, "field": field}})


async def send_answer(send: Send, method: str, status: int, text: str, extra: list[Header]) -> None:
    """Send one whole answer; HEAD gets the headers alone."""
    content = text.encode()
    headers = [*_ALWAYS, *extra]
    if status != 204:
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
