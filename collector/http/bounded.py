"""Bounded HTTP: uvicorn's protocol, with the ends that its parser doesn't set.

httptools takes headers for as long as they come, in size and in time. A proxy in front would bound
both; where there is none, nobody may fill the memory or hold connections for nothing.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES_MAX: Final = 64 * 1024  # Twice the longest Cookie header that is read.
HEAD_SECONDS_MAX: Final = 10.0  # Until closed: between once and twice as much.


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request's head is too long or takes too long."""

    _head_bytes = 0  # Of a head, or of what comes behind a body: trailers.
    _reads_head = True
    _reads_body = False
    _heads = 0
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to watch: one timer a connection, because a request must not cost one."""
        super().connection_made(transport)
        self.wire = transport
        self.transport = _OneWrite(transport)  # type: ignore[assignment]  # as much as is used
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand on what came, and count what of it belongs to a head without an end."""
        self._reads_body = False
        super().data_received(data)
        if not self._reads_body:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._reads_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """A head is there."""
        self._reads_head = False
        self._head_bytes = 0
        self._heads += 1
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body comes; how long that may be is the application's to say."""
        self._reads_body = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        """See a response off that has no body to go with."""
        self.transport.flush()  # type: ignore[attr-defined]  # see connection_made
        super().on_response_complete()

    def is_answering(self) -> bool:
        """Return whether a request waits for its answer."""
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn leaves it out until there is one
        return cycle is not None and not cycle.response_complete

    def _should_upgrade(self) -> bool:
        # No WebSocket is spoken here, and uvicorn would look for the headers that it wasn't given.
        return False

    def _watch(self) -> None:
        self._look = self.loop.call_later(HEAD_SECONDS_MAX, self._close_if_slow, self._heads)

    def _close_if_slow(self, heads: int) -> None:
        if heads == self._heads and (self._reads_head or not self.is_answering()):
            self.transport.close()
        else:
            self._watch()


class _OneWrite:
    """A transport that sends a response's head along with the first of its body.

    Each write is a system call that wakes the reader: two cost a short answer a fifth of its time.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
