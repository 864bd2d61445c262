"""A shop that runs: the whole Collector behind a small shop server, for a real browser.

The shop serves the tests' pages and hands `/stats/…` on, as a proxy in front of a marketplace
would; it notes what browsers sent there. Every host below `localhost` leads to it, so one shop has
an own origin, a sibling subdomain and another site.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from collector import keys, page_tag, tokens
from collector.page import snippet
from tests.browser.shop_server import PREFIX, WAIT_SECONDS, Seen, asked, handler
from tests.journeys.processes import held_port

START_SECONDS = 60
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


@dataclass
class Shop:
    """The shop and the Collector behind it."""

    port: int
    beacons: str
    reports: str
    secret: bytes
    pages: dict[str, Callable[[dict[str, str]], str] | str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # of a page, by its path
    seen: list[Seen] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)  # statuses to answer /beacon with, in order

    def url(self, path: str, host: str = "shop.localhost") -> str:
        """Return a page's address on one of the shop's hosts."""
        return f"http://{host}:{self.port}{path}"

    def signature(self, seller: str, product: str) -> str:
        """Return what the marketplace's backend would sign."""
        return page_tag.sign(seller, product, keys.derive(self.secret, "page-tag"))

    def script(self, seller: str, product: str, host: str = "shop.localhost") -> str:
        """Return the snippet, as `collector snippet` prints it."""
        signature = self.signature(seller, product)
        return snippet.script_tag(self.url(PREFIX, host), seller, product, signature)

    def pixel(self, seller: str, product: str) -> str:
        """Return the snippet for pages without JavaScript."""
        signature = self.signature(seller, product)
        return snippet.pixel_tag(self.url(PREFIX), seller, product, signature)

    def banner(self, host: str = "shop.localhost") -> str:
        """Return the consent banner's tag."""
        return (
            f'<script defer src="{self.url(PREFIX, host)}/consent.js" '
            'data-controller="The Shop" data-policy="/privacy"></script>'
        )

    def add(self, path: str, head: str = "", body: str = "") -> str:
        """Add a page, and return its address."""
        self.pages[path] = html(head, body)
        return self.url(path)

    def beacons_seen(self, seller: str) -> list[Seen]:
        """Return the beacons that named this seller."""
        return [each for each in self.seen if each.is_beacon and seller in each.path + each.body]

    def summary(self, seller: str) -> dict[str, Any]:
        """Return the seller's numbers of today, once everything answered so far is among them."""
        control = f"control-{secrets.token_hex(4)}"
        self.visit(control)
        until = time.monotonic() + WAIT_SECONDS
        while self._ask(control)["views"] == 0:
            assert time.monotonic() < until, "the control visit did not arrive"
            time.sleep(0.1)
        return self._ask(seller)

    def views(self, seller: str) -> int:
        """Return how many views the seller is told of."""
        views: int = self.summary(seller)["views"]
        return views

    def visit(self, seller: str) -> None:
        """Count one visit without a browser."""
        fields = {"seller": seller, "product": "p", "sig": self.signature(seller, "p")}
        headers = {
            "Cookie": "statistics_consent=granted; CookieConsent={stamp:'x',statistics:true}",
            "User-Agent": USER_AGENT,
            "Content-Type": "text/plain",
        }
        status, _, answer = asked(
            "POST", self.beacons, f"{PREFIX}/beacon", headers, json.dumps(fields).encode()
        )
        assert answer["x-counted"] == "yes", (status, answer)

    def _ask(self, seller: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        key = keys.derive(self.secret, "token")
        token = tokens.mint("stats", key, now=int(now.timestamp()), seller=seller)
        day = now.date().isoformat()
        path = f"/api/v1/summary?from={day}&to={day}"
        headers = {"Authorization": f"Bearer {token}"}
        status, body, _ = asked("GET", self.reports, PREFIX + path, headers, b"")
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer


def html(head: str, body: str, lang: str = "en") -> str:
    """Return a whole page."""
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>'
        f'<link rel="icon" href="data:,">{head}</head><body>{body}</body></html>'
    )


def eventually(check: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, f"never came: {what}"
        time.sleep(0.05)


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[Shop]:
    """Run `collector serve` and the shop before it, until the block ends."""
    secret = secrets.token_hex(32)
    held = [held_port() for _ in range(3)]
    beacons, reports, port = (each.getsockname()[1] for each in held)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("COLLECTOR_")}
    own = {
        "DATA_DIR": str(directory / "data"),
        "SECRET": secret,
        "BEACONS_BIND": f"127.0.0.1:{beacons}",
        "REPORTS_BIND": f"127.0.0.1:{reports}",
        "BEACONS_URL": f"http://shop.localhost:{port}",
        "PATH_PREFIX": PREFIX,
        "TODAY_STEP_MINUTES": "0",
        "BRAND_NAME": "The Shop",
        **{name: value.replace("{port}", str(port)) for name, value in settings.items()},
    }
    environment |= {f"COLLECTOR_{name}": value for name, value in own.items()}
    shop = Shop(port, f"127.0.0.1:{beacons}", f"127.0.0.1:{reports}", secret.encode())
    server = ThreadingHTTPServer(("127.0.0.1", port), handler(shop))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    output = directory / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "collector", "serve"],
            env=environment,
            stdout=out,
            stderr=out,
            cwd=Path(__file__).parents[2],
        )
        try:
            for address in (shop.beacons, shop.reports):
                _wait_ready(address, process, output)
            yield shop
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            server.shutdown()
            server.server_close()
            for each in held:
                each.close()


def _wait_ready(address: str, process: subprocess.Popen[bytes], output: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            if asked("GET", address, f"{PREFIX}/readyz", {}, b"")[0] == 200:
                return
        except OSError:
            pass
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < until, output.read_text()
        time.sleep(0.1)
