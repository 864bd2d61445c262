"""Express: short answers given without a task, a stream or a scope for each.

An ASGI server makes a task, an event, a scope and two messages for every request; for a pixel
they cost as much as all that is done with it. An application that has an `express` attribute gets
the requests that it names there handed over as they come. Everything else, and every request that
is in any way out of the ordinary, goes the way of ASGI, to the same application.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any, NamedTuple

from collector.http.bounded import BoundedProtocol
from collector.http.headers import Headers, joined


class Answer:
    """A whole answer. One that is given again and again is rendered once.

    whole   the bytes to send
    """

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        """Errors  ValueError for a header with a line's end in it."""
        self._status = status
        self._headers = headers
        self._body = body
        self.whole = self._rendered(headers)

    @cached_property
    def last(self) -> bytes:
        """The bytes to send where the connection ends with them."""
        return self._rendered([*self._headers, (b"connection", b"close")])

    def _rendered(self, headers: Headers) -> bytes:
        lines = [_STATUS_LINES[self._status], *[b"%b: %b" % header for header in headers]]
        head = b"\r\n".join(lines)
        if head.count(b"\n") + head.count(b"\r") != 2 * len(headers):
            raise ValueError("a header with a line's end in it")
        return head + b"\r\n\r\n" + self._body


_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus
}

_FAILED = Answer(
    500, [(b"content-type", b"text/plain"), (b"content-length", b"21")], b"Internal Server Error"
)

Reply = Callable[[Answer], None]


class Lane(NamedTuple):
    """How one method of one path is answered.

    reads           the headers that are looked at, in lower case; no other one is kept
    answer          takes the query, those headers with repeated ones joined, the body, the peer's
                    address, and whom to tell the answer, at once or later, once
    body_bytes_max  a longer body goes by ASGI; without one, a body is of no interest
    """

    reads: frozenset[bytes]
    answer: Callable[[bytes, dict[bytes, bytes], bytes, str, Reply], None]
    body_bytes_max: int = 0


Lanes = Mapping[tuple[bytes, bytes], Lane]  # by method and path
AtOnce = Callable[[str, bytes, dict[bytes, bytes], bytes, str], tuple[int, Headers, bytes]]


def lanes_at_once(
    path: str, reads: frozenset[bytes], at_once: AtOnce, body_bytes_max: int
) -> Lanes:
    """Return the lanes of a function that answers GET and POST of a path, at once.

    at_once  takes method, query, headers, body and peer; returns status, headers and body
    """

    def lane(method: str, body_bytes_max: int = 0) -> Lane:
        def answer(
            query: bytes, headers: dict[bytes, bytes], body: bytes, peer: str, reply: Reply
        ) -> None:
            reply(Answer(*at_once(method, query, headers, body, peer)))

        return Lane(reads, answer, body_bytes_max)

    where = path.encode()
    return {(b"GET", where): lane("GET"), (b"POST", where): lane("POST", body_bytes_max)}


class ExpressProtocol(BoundedProtocol):
    """Uvicorn's protocol with the express way beside ASGI's.

    A connection has one express request at a time. A client that sends the next one before it has
    its answer (no browser and no proxy does) is told to close and to come again.
    """

    _undecided = True  # Whose request this is shows when its line is there.
    _lane: Lane | None = None  # The express request's that is being read.
    _reads: frozenset[bytes] | None = None  # Its headers, while they come.
    _all_headers: Headers | None = None  # For ASGI, where it may have to go that way after all.
    _awaits_body = False
    _passes = False  # What the parser finds now is no ASGI request's.
    _waits = False  # An express request has no answer yet.
    _hangs_up = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lanes: Lanes = getattr(self.app, "express", {})

    def data_received(self, data: bytes) -> None:
        """Hand on what came. A body that doesn't come with its head goes by ASGI."""
        super().data_received(data)
        if self._awaits_body:
            self._go_by_asgi()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._reads_head = self._undecided = True
        self._reads = None
        self._head_bytes = 0
        self.url = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; behind a body it is a trailer, and nobody's (RFC 9110 section 6.5.1)."""
        if self._undecided:
            self._decide()
        reads = self._reads
        if reads is None:
            if self._reads_head and not self._passes:
                super().on_header(name, value)
            return
        name = name.lower()
        if self._all_headers is not None:
            self._all_headers.append((name, value))
        if name in reads:
            found = self._found
            found[name] = joined(name, found[name], value) if name in found else value

    def on_headers_complete(self) -> None:
        """Take the express way, or make an ASGI request of what came."""
        if self._undecided:
            self._decide()
        if not self._passes:
            super().on_headers_complete()
            return
        self._reads_head = False
        self._reads = None
        self._head_bytes = 0
        self._heads += 1
        if self._lane is None:
            return
        if self._lane.body_bytes_max:
            self._awaits_body = True
        else:
            self._answer(b"")

    def on_body(self, body: bytes) -> None:
        """Keep a body, or hand it on."""
        self._reads_body = True
        if self._awaits_body:
            self._body += body
        elif not self._passes:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
        if self._awaits_body:
            if self._lane is None or len(self._body) > self._lane.body_bytes_max:
                self._go_by_asgi()
            else:
                self._awaits_body = False
                self._answer(bytes(self._body))
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
        self._passes = True
        self._lane = None
        if self._waits:
            self._hangs_up = True  # Now, not when the head is complete: the answer may be sooner.
            return
        path, _, self._query = self.url.partition(b"?")
        lane = self._lanes.get((self.parser.get_method(), path))
        if lane is None or b"#" in self._query or not self._is_free():
            self._begin_asgi()
            return
        self._lane = lane
        self._reads = lane.reads
        self._found: dict[bytes, bytes] = {}
        if lane.body_bytes_max:
            self._all_headers = []
            self._body = bytearray()

    def _is_free(self) -> bool:
        """Return whether an answer can be written at once; ASGI's way knows how to wait."""
        return not (self.client is None or self.flow.write_paused or super().is_answering())

    def _begin_asgi(self) -> None:
        self._passes = False
        url = self.url
        super().on_message_begin()
        self.url = url

    def _go_by_asgi(self) -> None:
        self._awaits_body = False
        self._lane = None
        self._begin_asgi()
        for name, value in self._all_headers or ():
            super().on_header(name, value)
        self._all_headers = None
        super().on_headers_complete()
        super().on_body(bytes(self._body))

    def _answer(self, body: bytes) -> None:
        lane, client = self._lane, self.client
        assert lane is not None
        assert client is not None
        query, found = self._query, self._found
        # A connection outlives its requests; what they said of a visitor must not.
        self._lane = None
        self._query = self.url = b""
        self._found = {}
        if self._all_headers is not None:
            self._all_headers = None
            self._body = bytearray()
        self._waits = True
        parser = self.parser  # As uvicorn has it: only HTTP/1.1 goes on.
        self._hangs_up = not parser.should_keep_alive() or parser.get_http_version() == "1.0"
        try:
            lane.answer(query, found, body, client[0], self._reply)
        except Exception as error:  # a bug of ours; `server` keeps its values out of the log
            self.logger.error("while answering", exc_info=error)
            if self._waits:
                self._reply(_FAILED)

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
