"""The dashboard in the frame of another site: the marketplace's seller area."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.shop_server import WAIT_SECONDS
from tests.browser.stand import Stand, stand
from tests.dashboards.running import (
    token,
)

__all__ = ["stand"]  # a fixture


@pytest.fixture
def seller_area() -> Iterator[Callable[[str], str]]:
    """Another site's page that shows an address in a frame."""
    shown = {"address": ""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f'<!doctype html><title>x</title><iframe src="{shown["address"]}"></iframe>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def show(address: str) -> str:
        shown["address"] = address
        return f"http://area.localhost:{server.server_port}"

    yield show
    server.shutdown()
    server.server_close()


def test_it_works_in_another_sites_frame(
    stand: Stand, browser: Browser, seller_area: Callable[[str], str]
) -> None:
    """The marketplace's seller area, on another site, shows the dashboard in a frame. The seller
    signs in inside it, clicks on, and stays signed in, though the browser refuses every
    third-party cookie that isn't partitioned. The same frame on a site that isn't named stays
    empty."""
    area = seller_area("")
    framed = stand.start(frame_ancestors=(area,))
    login = token("login", stand.visits.seller)
    address = f"http://dash.localhost:{framed.port}/dashboard"
    context = browser.new_context()
    page = context.new_page()

    page.goto(seller_area(f"{address}/login?token={login}"))
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Sign in").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Your visitors")
    frame.get_by_role("link", name="Oak table").first.click()
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Oak table")
    cookie = next(c for c in context.cookies() if c["name"] == "collector_session")
    assert cookie.get("partitionKey"), "not partitioned"

    page.goto(seller_area(f"{address}/").replace("area.localhost", "thief.localhost"))
    expect(page.frame_locator("iframe").locator("body")).not_to_contain_text("visitors")
    until = time.monotonic() + WAIT_SECONDS
    while not page.frames[1].url.startswith("chrome-error:"):
        assert time.monotonic() < until, page.frames[1].url
        page.wait_for_timeout(50)
    context.close()
