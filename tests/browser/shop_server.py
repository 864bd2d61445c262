"""The shop's server: pages, files, and a proxy that notes what browsers send to the collector."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import urlsplit

PREFIX = "/stats"
WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that a browser sent to the collector, and its answer."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    counted: str

    @property
    def is_beacon(self) -> bool:
        """A view or a time report, by script or pixel."""
        return self.path.startswith((f"{PREFIX}/beacon?", f"{PREFIX}/pixel.gif")) or (
            self.path == f"{PREFIX}/beacon"
        )


class Pages(Protocol):
    """What a shop serves; each by its path.

    failures  statuses to answer /beacon with, in order, before any is handed on
    """

    beacons: str
    pages: dict[str, Callable[[dict[str, str]], str] | str]
    files: dict[str, bytes]
    headers: dict[str, dict[str, str]]
    seen: list[Seen]
    failures: list[int]


def asked(
    method: str, address: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Send one request; return status, body and headers."""
    connection = http.client.HTTPConnection(address, timeout=WAIT_SECONDS)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    """Serves the shop's pages and files, and hands on what is the collector's."""

    shop: Pages
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith(PREFIX + "/"):
            self._hand_on(b"")
        elif path in self.shop.files:
            self._answer(200, self.shop.files[path], "text/javascript; charset=utf-8")
        elif path in self.shop.pages:
            page = self.shop.pages[path]
            text = page(dict(self.headers.items())) if callable(page) else page
            given = list(self.shop.headers.get(path, {}).items())
            self._answer(200, text.encode(), "text/html; charset=utf-8", given)
        else:
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._hand_on(body)

    def do_OPTIONS(self) -> None:
        self._hand_on(b"")

    def _hand_on(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        headers["X-Forwarded-For"] = self.client_address[0]
        if self.path == f"{PREFIX}/beacon" and self.shop.failures:
            status, answer, given = self.shop.failures.pop(0), b"", http.client.HTTPMessage()
        else:
            status, answer, given = asked(self.command, self.shop.beacons, self.path, headers, body)
        seen = Seen(
            self.command,
            self.headers.get("Host", ""),
            self.path,
            {name.lower(): value for name, value in headers.items()},
            body.decode("utf-8", "replace"),
            status,
            given.get("x-counted", ""),
        )
        self.shop.seen.append(seen)
        kept = [(n, v) for n, v in given.items() if n.lower() not in ("content-length", "date")]
        self._answer(status, answer, None, kept)

    def _answer(
        self,
        status: int,
        body: bytes,
        kind: str | None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a browser's address has no place in a test's output either."""


def handler(shop: Pages) -> type[Handler]:
    """Return what answers for a shop."""
    return type("ShopHandler", (Handler,), {"shop": shop})
