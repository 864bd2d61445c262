"""The sender: every request once, over 64 connections, each with one request on its way.

It runs in this process, on the load's core. Requests are bytes made beforehand, so the same
sender with the same work meets every server.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import uvloop

from bench.serving import CONNECTIONS, LOAD_CORE

SECONDS_MAX = 120
HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.8",
    "Cookie": "session=0123456789abcdef; statistics_consent=granted; theme=dark",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went: all requests in so many seconds; answers that were not a success."""

    requests: int
    seconds: float
    refused: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def request(
    method: str, target: str, host: str, address: str, agent: str, body: bytes = b""
) -> bytes:
    """Return one request as a proxy in front passes it on."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    lines.append(f"X-Forwarded-For: {address}")
    if body:
        lines += ["Content-Type: text/plain", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], ended: asyncio.Future[None]) -> None:
        self._requests = requests
        self._ended = ended
        self._received = b""
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended:
            return
        if len(body) < _length(head):
            return
        self._received = b""
        # Of "HTTP/1.1 204 No Content", the 2.
        self.refused += head[9:10] != b"2"
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(error or ConnectionError("the server hung up"))

    def _send(self) -> None:
        following = next(self._requests, None)
        if following is not None:
            self._transport.write(following)
            return
        self._ended.set_result(None)
        self._transport.close()


def _length(head: bytes) -> int:
    """Return a body's length; every server here says it, or has no body."""
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _same(connection: _Connection) -> _Connection:
    return connection


async def _send_all(port: int, requests: Sequence[bytes]) -> Sent:
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    connections: list[_Connection] = []
    began = time.perf_counter()
    ends = []
    for _ in range(CONNECTIONS):
        ended = loop.create_future()
        ends.append(ended)
        connection = _Connection(waiting, ended)
        connections.append(connection)
        await loop.create_connection(partial(_same, connection), "127.0.0.1", port)
    async with asyncio.timeout(SECONDS_MAX):
        await asyncio.gather(*ends)
    seconds = time.perf_counter() - began
    return Sent(len(requests), seconds, sum(each.refused for each in connections))


def send(port: int, requests: Sequence[bytes]) -> Sent:
    """Send every request once, in order, and wait for the answers.

    Errors  TimeoutError after two minutes; ConnectionError when the server hangs up.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    try:
        return uvloop.run(_send_all(port, requests))
    finally:
        os.sched_setaffinity(0, cores)
