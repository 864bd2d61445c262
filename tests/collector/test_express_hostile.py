"""Express, and clients that don't behave: nobody gets another's answer or fills our memory."""

import time
from collections.abc import Iterator

import pytest

from collector.http import bounded
from collector.http.bounded import HEAD_BYTES_MAX
from tests.collector.express_server import (
    ASKED,
    BODY,
    POSTED,
    START_SECONDS,
    Server,
    body,
    everything,
)

pytestmark = pytest.mark.processes

UNREAD_MAX = 400_000  # Answers of 49 bytes: twice what the kernel's buffers hold.


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with an application that offers the express way."""
    one = Server()
    yield one
    one.application.may_go.set()
    one.stop()


def test_a_trailer_is_no_header(server: Server) -> None:
    """What a proxy has checked, or written itself, can't be added to behind a body."""
    trailers = b"X-Forwarded-For: 198.51.100.7\r\nCookie: a=1\r\n"
    chunked = b"Accept: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
    with server.connected() as connection:
        connection.sendall(POSTED + chunked + trailers + b"\r\n")
        assert body(connection) == b"ab"
        connection.sendall(b"POST /other HTTP/1.1\r\nHost: x\r\n" + chunked + trailers + b"\r\n")
        assert body(connection) == b"POST /other ab"
    assert [headers for _, headers, _ in server.application.asked] == [{b"accept": b"x"}]
    assert b"cookie" not in server.application.scope_headers


@pytest.mark.parametrize("path", [b"/fast", b"/other"])
@pytest.mark.parametrize("trailer", [b"a: b\r\n" * 200, b"a" * 1200])
def test_trailers_without_end_are_refused(server: Server, path: bytes, trailer: bytes) -> None:
    """Nobody fills the memory behind a body that has ended."""
    with server.connected() as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\nHost: x\r\n" % path)
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012  # which of them is told can't be known
            for _ in range(10 * HEAD_BYTES_MAX // len(trailer)):
                connection.sendall(trailer)
                time.sleep(0.001)


def test_an_upgrade_that_nobody_offers_is_passed_over(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """curl asks for HTTP/2 so; it gets its answer, and the log says nothing."""
    with server.connected() as connection:
        for _ in range(2):
            connection.sendall(ASKED + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            assert body(connection) == BODY
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_reads_no_answer_is_not_given_more(server: Server) -> None:
    """A client that asks and asks and never reads fills the kernel's buffers, not our memory."""
    asked = server.application.asked
    with server.connected() as connection:
        while len(asked) < UNREAD_MAX:
            before = len(asked)
            connection.sendall((ASKED + b"\r\n") * 500)
            until = time.monotonic() + 1
            while len(asked) < before + 500 and time.monotonic() < until:
                time.sleep(0.001)
            if len(asked) < before + 500:
                break
    assert len(asked) < UNREAD_MAX


def test_half_a_request_behind_an_unanswered_one_gets_nobodys_answer(server: Server) -> None:
    """Its first headers are there, then the one before is answered, then the rest of it comes and
    one more: neither may go unanswered on a connection that lives on, or each later answer would
    be taken for the one before."""
    with server.connected() as connection:
        connection.sendall(
            b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n" + ASKED + b"Accept: y\r\nFoo:"
        )
        assert server.application.has_come.acquire(timeout=START_SECONDS)
        server.application.let_go()
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"later")


def test_a_long_head_is_refused_with_a_sentence(server: Server) -> None:
    """The express way has no other limits than ASGI's."""
    with server.connected() as connection:
        connection.sendall(ASKED + b"Cookie: ")
        for _ in range(HEAD_BYTES_MAX // 1024 + 1):
            connection.sendall(b"x" * 1024)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"The request's head is too long.")


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
    monkeypatch.setattr(bounded, "HEAD_SECONDS_MAX", 0.1)
    with server.connected() as idle, server.connected() as waiting:
        waiting.sendall(b"GET /fast?later HTTP/1.1\r\nHost: x\r\n\r\n")
        idle.sendall(ASKED + b"\r\n")
        assert body(idle) == BODY
        assert everything(idle) == b""
        server.application.let_go()
        assert body(waiting) == b"later"
