"""A Collector that runs: real processes in a directory of their own, and ways to ask them.

Everything that a process writes lands below that directory, its temporary files and output too.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.journeys import backend
from tests.journeys.asking import Answer, ask, eventually
from tests.journeys.processes import arguments, descendants, held_port, is_over

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60
GRANTED = "statistics_consent=granted"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


@dataclass
class Collector:
    """A data directory, and the processes that run in it.

    settings  by name, without the prefix; a start takes what they are then
    before    a command that runs the processes, such as one that gives them a disk of their own
    """

    directory: Path
    settings: dict[str, str]
    beacons: int
    reports: int
    secret: str
    process: subprocess.Popen[bytes] | None = None
    before: tuple[str, ...] = ()
    _tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """DATA_DIR."""
        return self.directory / "data"

    @property
    def output(self) -> str:
        """Everything that the processes printed."""
        return (self.directory / "output.txt").read_text()

    def start(self, command: str = "serve") -> None:
        """Start a command of `collector`, and wait until it is ready."""
        assert self.process is None
        with (self.directory / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "-m", "collector", command],
                env=self.environment(),
                stdout=output,
                stderr=output,
                cwd=ROOT,
            )
        for name, port in (("beacons", self.beacons), ("reports", self.reports)):
            if command in ("serve", name):
                eventually(partial(self.is_ready, port), f"{name} ready", lambda: self.output)

    def stop(self) -> int:
        """Stop as systemd does; return the exit status."""
        return self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; return the exit status. Nothing of it runs afterwards."""
        process, self.process = self.process, None
        assert process is not None
        below = descendants(process.pid)
        process.send_signal(number)
        try:
            status = process.wait(STOP_SECONDS)
            for pid in below:
                eventually(partial(is_over, pid), f"the end of {pid}")
        finally:
            for pid in (process.pid, *below):
                if not is_over(pid):
                    os.kill(pid, signal.SIGKILL)
        return status

    def child(self, command: str) -> int:
        """Return the process id of a command that `serve` started."""
        assert self.process is not None
        for pid in descendants(self.process.pid):
            if command in arguments(pid):
                return pid
        return 0

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes: this one's without other settings."""
        kept = {name: value for name, value in os.environ.items() if "COLLECTOR_" not in name}
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        own = {f"COLLECTOR_{name}": value for name, value in self.settings.items()}
        return kept | own | {"TMPDIR": str(temporary)}

    def cli(self, *arguments: str, expect: int = 0) -> str:
        """Run a command to its end; return what it printed, on either stream."""
        done = subprocess.run(
            [sys.executable, "-m", "collector", *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            timeout=STOP_SECONDS,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout.strip()

    def token(self, scope: str, seller: str | None = None) -> str:
        """Return a token from the command line; a sign-in is a fresh one each time."""
        asked = ("token", "--scope", scope, *(("--seller", seller) if seller else ()))
        if scope == "login":
            return self.cli(*asked)
        if asked not in self._tokens:
            self._tokens[asked] = self.cli(*asked)
        return self._tokens[asked]

    def signature(self, seller: str, product: str) -> str:
        """Return what the page of a product carries."""
        return backend.page_tag(self.secret, seller, product)

    def pixel(
        self,
        seller: str,
        product: str = "p",
        *,
        cookie: str | None = GRANTED,
        agent: str | None = FIREFOX,
        source: str = "127.0.0.1",
        port: int | None = None,
        headers: Mapping[str, str] | None = None,
        path: str = "/pixel.gif",
        **query: str,
    ) -> Answer:
        """Ask for the pixel as a page does; `query` adds to the address or replaces a part."""
        fields = {"seller": seller, "product": product, "sig": self.signature(seller, product)}
        address = f"{path}?{urlencode(fields | query)}"
        sent = _browser(cookie, agent, headers)
        return ask(port or self.beacons, "GET", address, sent, source=source)

    def post(
        self,
        seller: str,
        product: str = "p",
        *,
        cookie: str | None = GRANTED,
        agent: str | None = FIREFOX,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Answer:
        """Send a beacon as the script does; `fields` add to the body or replace a part."""
        known = {"seller": seller, "product": product, "sig": self.signature(seller, product)}
        sent = {"Content-Type": "text/plain;charset=UTF-8"} | _browser(cookie, agent, headers)
        body = json.dumps(known | fields).encode()
        return ask(self.beacons, "POST", "/beacon", sent, body, source=source)

    def api(self, path: str, bearer: str, **query: Any) -> Answer:
        """Ask the sellers' API; parameter names lose a trailing underscore (`from_`)."""
        given = {name.rstrip("_"): str(value) for name, value in query.items()}
        target = f"/api/v1/{path}?{urlencode(given)}"
        return ask(self.reports, "GET", target, {"Authorization": f"Bearer {bearer}"})

    def summary(self, seller: str) -> tuple[int, int]:
        """Return today's views and visitors of a seller, of all that was answered before.

        What is counted later is drained later, so a visit to a seller of its own marks the end.
        """
        control = new_seller()
        assert self.post(control).counted == "yes"
        eventually(lambda: self._totals(control)[0], "the control's view", lambda: self.output)
        return self._totals(seller)

    def _totals(self, seller: str) -> tuple[int, int]:
        today = datetime.now(UTC).date().isoformat()
        token = backend.token(self.secret, scope="stats", sub=seller)
        answer = self.api("summary", token, from_=today, to=today)
        assert answer.status == 200, answer.content
        return answer.json["views"], answer.json["visitor_days"]

    def is_ready(self, port: int) -> bool:
        """Return whether a port says that it is ready; the command must not have ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.output
        try:
            return ask(port, "GET", f"{self.settings.get('PATH_PREFIX', '')}/readyz").status == 200
        except OSError:
            return False


def new_seller() -> str:
    """Return a seller of whom no other test knows."""
    return f"seller-{secrets.token_hex(6)}"


@contextmanager
def prepared(directory: Path, **settings: str) -> Iterator[Collector]:
    """Give a Collector with ports of its own; what a test starts in it ends with the block."""
    held = [held_port(), held_port()]
    beacons, reports = (each.getsockname()[1] for each in held)
    secret = secrets.token_hex(32)
    own = {
        "DATA_DIR": str(directory / "data"),
        "SECRET": secret,
        "BEACONS_BIND": f"127.0.0.1:{beacons}",
        "REPORTS_BIND": f"127.0.0.1:{reports}",
        "TODAY_STEP_MINUTES": "0",
    }
    directory.mkdir(exist_ok=True)
    (directory / "output.txt").touch()
    collector = Collector(directory, own | settings, beacons, reports, secret)
    try:
        yield collector
    finally:
        if collector.process is not None:
            collector.stop()
        for each in held:
            each.close()


@contextmanager
def running(directory: Path, command: str = "serve", **settings: str) -> Iterator[Collector]:
    """Run `collector serve`, or one of its two processes, until the block ends."""
    with prepared(directory, **settings) as collector:
        collector.start(command)
        yield collector


def _browser(
    cookie: str | None, agent: str | None, headers: Mapping[str, str] | None
) -> dict[str, str]:
    sent = {}
    if cookie is not None:
        sent["Cookie"] = cookie
    if agent is not None:
        sent["User-Agent"] = agent
    return sent | dict(headers or {})
