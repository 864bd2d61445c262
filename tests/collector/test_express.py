"""Express: the pixel's answers without a task for each, and everything else by ASGI."""

import time
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from collector.http.express import Answer
from tests.collector.express_server import (
    ASGI_SLOW,
    ASKED,
    BODY,
    BODY_MAX,
    POSTED,
    START_SECONDS,
    Server,
    body,
    everything,
)

pytestmark = pytest.mark.processes


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with an application that offers the express way."""
    one = Server()
    yield one
    one.application.may_go.set()
    one.stop()


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
            assert body(connection) == b"POST /other ab"
            connection.sendall(POSTED + b"Content-Length: 4\r\n\r\nfour")
            assert body(connection) == b"four"
            for byte in ASKED + b"\r\n":
                connection.sendall(bytes([byte]))
            assert body(connection) == BODY


@pytest.mark.parametrize(
    "posted",
    [
        POSTED + b"Content-Length: 5\r\n\r\nHello",
        POSTED + b"Transfer-Encoding: chunked\r\n\r\n2\r\nHe\r\n3\r\nllo\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_comes_with_its_head_is_handed_over(server: Server, posted: bytes) -> None:
    """As browsers send a beacon, and a backend a lookup."""
    with server.connected() as connection:
        for _ in range(2):
            connection.sendall(posted)
            assert body(connection) == b"Hello"
    assert len(server.application.asked) == 2


def test_a_body_that_comes_later_goes_by_asgi(server: Server) -> None:
    """ASGI's way knows how long to wait for it. Nothing that came before is lost."""
    with server.connected() as connection:
        for _ in range(2):
            connection.sendall(POSTED + b"Content-Length: 5\r\n\r\nHe")
            time.sleep(0.5)
            connection.sendall(b"llo")
            assert body(connection) in (b"POST /fast He llo", b"POST /fast Hello")
    assert not server.application.asked


def test_a_body_that_is_too_long_goes_by_asgi(server: Server) -> None:
    """There it is refused with a sentence."""
    with server.connected() as connection:
        for size in (BODY_MAX, BODY_MAX + 1):
            connection.sendall(POSTED + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
            expected = b"x" * size if size == BODY_MAX else b"POST /fast " + b"x" * size
            assert body(connection) == expected


def test_a_client_that_asks_before_it_sends_its_body_is_told_to(server: Server) -> None:
    """curl does so with longer bodies (RFC 9110 section 10.1.1)."""
    with server.connected() as connection:
        connection.sendall(POSTED + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"Hello")
        assert body(connection).endswith(b"Hello")


def test_a_bug_answers_with_an_error_and_the_connection_lives_on(server: Server) -> None:
    """As ASGI's way does."""
    with server.connected() as connection:
        connection.sendall(b"GET /fast?bug HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read()) == (500, b"Internal Server Error")
        connection.sendall(ASKED + b"\r\n")
        assert body(connection) == BODY


def test_no_header_can_end_its_line() -> None:
    """A bug of ours must not let anybody write a second answer."""
    for value in (b"a\r\nSet-Cookie: b", b"a\nb", b"a\rb"):
        with pytest.raises(ValueError, match="line's end"):
            assert Answer(200, [(b"x", value)], b"").whole


@pytest.mark.parametrize(
    "end",
    [
        b"GET /fast?a HTTP/1.0\r\n\r\n",
        b"GET /fast?a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        ASKED + b"Connection: close\r\n\r\n",
    ],
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
        found = b""
        while b"GET /fast" not in found:
            found += connection.recv(65_536)
        assert found.index(b"GET /slow") < found.index(b"GET /fast")
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


@pytest.mark.parametrize(
    "asked",
    [
        b"GET /fast?ref=Hello HTTP/1.1\r\nHost: x\r\nCookie: Hello\r\n\r\n",
        POSTED + b"Cookie: Hello\r\nContent-Length: 5\r\n\r\nHello",
    ],
)
def test_a_connection_forgets_what_it_carried(server: Server, asked: bytes) -> None:
    """It may stay open for long after a visitor's page was answered."""
    with server.connected() as connection:
        connection.sendall(asked)
        assert body(connection) in (BODY, b"Hello")
        held = [vars(each) for each in server.uvicorn.server_state.connections]
        assert held
        assert "Hello" not in repr(held)
