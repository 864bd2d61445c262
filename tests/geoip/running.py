"""A real server of the location door on a real socket, in a thread of the test."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette

from geoip import app, zones
from geoip.address import IPAddress
from geoip.browser import Site
from geoip.country import Countries

NOW = 1_781_800_000.0  # 2026-06-18, a day after the bundled database was built.
TOKEN = {"authorization": "Bearer good"}
BROWSER_HEADER = b"x-forwarded-for"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        self.now += 0.001  # Time passes, so a lookup now and then looks at the files.
        return self.now


@dataclass
class Server:
    """What a test talks to, and what it may look into."""

    http: httpx2.Client
    countries: Countries
    clock: Clock
    door: app.Location

    def post(self, body: Any, **headers: str) -> httpx2.Response:
        return self.http.post("/location", json=body, headers={**TOKEN, **headers})

    def ask(self, **lookup: Any) -> dict[str, Any]:
        response = self.post(lookup)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


def authorise(scopes: frozenset[str], header: str | None) -> object:
    """Grant what the root would; its own tests cover tokens."""
    assert scopes == {"location"}
    if header != TOKEN["authorization"]:
        raise PermissionError("token: send one with scope location")
    return object()


def client_address(scope: Mapping[str, Any]) -> IPAddress | None:
    """Say what the test wants the browser's address to be; a socket here is only ever loopback."""
    for name, value in scope["headers"]:
        if name == BROWSER_HEADER:
            return ip_address(value.decode())
    return ip_address(scope["client"][0])


@contextmanager
def served(
    *,
    own: Path | None = None,
    fetched: Path | None = None,
    url: str = "",
    origins: tuple[str, ...] = (),
    home: str | None = None,
) -> Iterator[Server]:
    """Serve the door until the block ends."""
    clock = Clock()
    countries = Countries(own=own, fetched=fetched, clock=clock)
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    door = app.Location(
        authorise=authorise,
        client_address=client_address,
        countries=countries,
        zones=zones.read(zones.SHIPPED, home=home),
        site=Site(url=url or address, origins=origins),
        clock=clock,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=door.routes()), access_log=False, lifespan="off", log_config=None
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with httpx2.Client(base_url=address, timeout=10) as http:
            yield Server(http, countries, clock, door)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
