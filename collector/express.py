"""Express: short answers to GETs, given without a task, a stream or a scope for each.

An ASGI server makes a task, an event, a scope and two messages for every request; for the pixel
they cost as much as all that is done with it. An application that has an `express` attribute gets
requests for its path handed over as they come; everything else, and every request that is in any
way out of the ordinary, goes the way of ASGI, to the same application.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from collector.bounded_http import BoundedProtocol
from collector.headers import Headers, joined


class Answer:
    """A whole answer, ready to be sent again and again.

    whole  its bytes
    last   its bytes where the connection ends with it
    """

    __slots__ = ("last", "whole")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        line = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
        head = line + b"".join(b"%b: %b\r\n" % header for header in headers)
        self.whole = head + b"\r\n" + body
        self.last = head + b"connection: close\r\n\r\n" + body


Reply = Callable[[Answer], None]


class Express(Protocol):
    """What an application offers.

    path    the only path that it answers this way, with "?" behind it
    reads   the headers that it looks at, in lower case; no other one is kept
    answer  takes the query, those headers with repeated ones joined, the peer's address, and
            whom to tell the answer, at once or later, once
    """

    path: bytes
    reads: frozenset[bytes]

    def answer(
        self, query: bytes, headers: dict[bytes, bytes], peer: str, reply: Reply
    ) -> None: ...


class ExpressProtocol(BoundedProtocol):
    """Uvicorn's protocol with the express way beside ASGI's.

    A connection has one express request at a time. A client that sends the next one before it has
    its answer (no browser and no proxy does) is told to close and to come again.
    """

    _undecided = True  # Whose request this is shows when its line is there.
    _found: dict[bytes, bytes] | None = None  # An express request's headers.
    _waits = False  # An express request has no answer yet.
    _passes = False  # What the parser finds now belongs to no ASGI request.
    _hangs_up = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._express: Express | None = getattr(self.app, "express", None)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._reads_head = self._undecided = True
        self._head_bytes = 0
        self.url = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if self._undecided:
            self._decide()
        found = self._found
        if found is None:
            if not self._passes:
                super().on_header(name, value)
            return
        name = name.lower()
        if name in self._reads:
            found[name] = joined(name, found[name], value) if name in found else value

    def on_headers_complete(self) -> None:
        """Take the express way, or make an ASGI request of what came."""
        if self._undecided:
            self._decide()
        if not self._passes:
            super().on_headers_complete()
            return
        self._reads_head = False
        self._heads += 1
        found, express, client = self._found, self._express, self.client
        if found is None or express is None or client is None:
            self._hangs_up = True
            return
        self._found = None
        self._waits = True
        self._hangs_up = not self.parser.should_keep_alive()
        express.answer(self.url[self._path_bytes :], found, client[0], self._reply)

    def on_body(self, body: bytes) -> None:
        """Hand a body on; an express request's is of no interest."""
        if not self._passes:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        if not self._passes:
            super().on_message_complete()

    def is_answering(self) -> bool:
        """Return whether a request waits for its answer."""
        return self._waits or super().is_answering()

    def shutdown(self) -> None:
        """Close after the answer that somebody waits for."""
        if self._waits:
            self._hangs_up = True
        else:
            super().shutdown()

    def _decide(self) -> None:
        self._undecided = False
        self._found = None
        self._passes = True
        if self._waits:
            return
        express, url = self._express, self.url
        if (
            express is None
            or not url.startswith(express.path)
            or b"#" in url
            or self.parser.get_method() != b"GET"
            or self.client is None
            or super().is_answering()
        ):
            self._passes = False
            super().on_message_begin()
            self.url = url
        else:
            self._found = {}
            self._reads = express.reads
            self._path_bytes = len(express.path)

    def _reply(self, answer: Answer) -> None:
        self._waits = False
        wire = self.wire
        if wire.is_closing():
            return
        self.server_state.total_requests += 1
        if self._hangs_up:
            wire.write(answer.last)
            wire.close()
        else:
            wire.write(answer.whole)
