"""Requests in and answers out, as plain ASGI: bounded in, never to be stored on the way out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, MutableMapping, Sequence
from typing import Any

from geoip.question import BODY_BYTES_MAX

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
# The server has no deadline of its own for a slow sender. Each piece may take so long.
BODY_SECONDS_MAX = 5.0
PIECES_MAX = 64

_ALWAYS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
)
# A server that calls another reads neither; each header costs it a fiftieth of a lookup.
_FOR_BROWSERS: tuple[Header, ...] = (
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


class _Deadline:
    """Cancels the task that is inside it when time is up.

    Why     `asyncio.timeout` does the same at four times the cost, which is a tenth of all that
            a lookup takes.
    """

    __slots__ = ("_expired", "_task", "_timer")

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a server's task reads a body"
        self._task = task
        self._expired = False
        self._timer = asyncio.get_running_loop().call_later(BODY_SECONDS_MAX, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        # Somebody else's cancellation, at the server's end for one, goes on its way.
        if self._expired and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            message = f"body: send it within {BODY_SECONDS_MAX:.0f} seconds"
            raise Refused(408, "too-slow", message, "body") from None


class _Message:
    """One message; the deadline's clock starts only where it isn't there yet.

    Why     Nearly every body comes in one piece with its headers, and a timer that nobody needs
            is a tenth of all that a lookup takes.
    """

    __slots__ = ("_receive",)

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def __await__(self) -> Generator[Any, Any, Message]:
        waiting = self._receive().__await__()
        try:
            pending = next(waiting)
            with _Deadline():
                while True:
                    try:
                        yield pending
                    except BaseException as error:  # cancelled: the one who waits must hear it
                        pending = waiting.throw(error)
                    else:
                        pending = next(waiting)
        except StopIteration as arrived:
            message: Message = arrived.value
            return message


async def body(receive: Receive) -> bytes:
    """Return the request's body.

    Errors  Refused: longer than BODY_BYTES_MAX, slower than BODY_SECONDS_MAX, in more than
            PIECES_MAX pieces, or cut off.
    """
    content = b""
    for _ in range(PIECES_MAX):
        message = await _Message(receive)
        if message["type"] == "http.disconnect":
            raise Refused(400, "malformed", "body: the sender hung up", "body")
        piece: bytes = message.get("body", b"")
        content += piece
        if len(content) > BODY_BYTES_MAX:
            raise Refused(413, "too-large", f"body: at most {BODY_BYTES_MAX} bytes", "body")
        if not message.get("more_body", False):
            return content
    raise Refused(408, "too-slow", f"body: in more than {PIECES_MAX} pieces", "body")


def error_json(code: str, message: str, field: str | None) -> bytes:
    """Return an error as JSON."""
    return json.dumps({"error": {"code": code, "message": message, "field": field}}).encode()


def answer_headers(
    method: str, status: int, content: bytes, extra: Sequence[Header]
) -> list[Header]:
    """Return all headers of an answer."""
    headers = [*_ALWAYS, *extra] if method == "POST" else [*_ALWAYS, *_FOR_BROWSERS, *extra]
    if status != 204:
        headers.append((b"content-length", b"%d" % len(content)))
    return headers


async def send_answer(
    send: Send, method: str, status: int, headers: Sequence[Header], content: bytes
) -> None:
    """Send one whole answer; HEAD gets the headers alone."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
