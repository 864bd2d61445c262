"""A bounded load in which every hit can be told from every other: each has a product of its own."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from urllib.parse import urlencode

CONNECTIONS = 24


class Load:
    """Sends pixels until it is told to stop or the server goes.

    sent, answered   numbers of the hits that were sent, and of those that came back as counted
    """

    def __init__(self, sign: Callable[[str], str], seller: str) -> None:
        self._sign = sign
        self._seller = seller
        self._numbers = itertools.count()
        self.sent: set[int] = set()
        self.answered: set[int] = set()
        self.stopped = False

    async def run(self, port: int, seconds: float) -> None:
        """Load one port for a while; ends early, without an error, when the server is killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._connection(port) for _ in range(CONNECTIONS)))

    async def _connection(self, port: int) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while not self.stopped:
                    number = next(self._numbers)
                    self.sent.add(number)
                    writer.write(self._request(number))
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(43)
                    if b"x-counted: yes" in head:
                        self.answered.add(number)
            finally:
                writer.close()

    def _request(self, number: int) -> bytes:
        product = f"p{number}"
        query = urlencode({"seller": self._seller, "product": product, "sig": self._sign(product)})
        return (
            f"GET /pixel.gif?{query} HTTP/1.1\r\nHost: shop.example\r\n"
            f"X-Forwarded-For: 198.51.100.{number % 250 + 1}\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
            "Cookie: statistics_consent=granted\r\n\r\n"
        ).encode()
