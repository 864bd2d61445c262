"""The demo as a process, and what its month must come to, worked out without Collector's code.

Only the plan of the visits is shared: which requests there are. What each is worth is told here
again, from what the documentation promises.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from collector.demo.visits import Request, visits
from tests.journeys import backend
from tests.journeys.asking import ask, eventually
from tests.journeys.processes import descendants, held_port, is_over

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60
OPEN = "The shop is open: "
Numbers = dict[str, tuple[int, int]]


@dataclass
class Demo:
    """A demo in a directory of its own; `output` is what it printed so far."""

    data: Path
    beacons: int
    reports: int
    printed: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self.printed.read_text("utf-8")

    @property
    def shop(self) -> str:
        """The shop's address."""
        return f"http://127.0.0.1:{self.beacons}/demo/"

    @property
    def mark(self) -> dict[str, Any]:
        """What the demo notes about its month."""
        found: dict[str, Any] = json.loads((self.data / "demo.json").read_text("utf-8"))
        return found

    def launch(self, *, days: int) -> subprocess.Popen[bytes]:
        """Start `collector demo` and return at once."""
        kept = {name: value for name, value in os.environ.items() if "COLLECTOR_" not in name}
        own = {
            "DATA_DIR": str(self.data),
            "BEACONS_BIND": f"127.0.0.1:{self.beacons}",
            "REPORTS_BIND": f"127.0.0.1:{self.reports}",
        }
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "collector", "demo", "--days", str(days)],
                env=kept
                | {f"COLLECTOR_{key}": each for key, each in (own | self.settings).items()},
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )
        return self.process

    def start(self, *, days: int = 2) -> None:
        """Start `collector demo` and wait until it says where to click."""
        process = self.launch(days=days)

        def is_open() -> bool:
            assert process.poll() is None, self.output
            return OPEN in self.output

        eventually(is_open, f"the shop's address: {self.output}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status; nothing of the demo runs afterwards."""
        process, self.process = self.process, None
        assert process is not None
        below = descendants(process.pid)
        process.send_signal(number)
        status = process.wait(STOP_SECONDS)
        for pid in below:
            eventually(lambda pid=pid: is_over(pid), f"the end of {pid}")  # type: ignore[misc]  # mypy can't type a lambda's default
        return status

    def numbers(self) -> Numbers:
        """Return each seller's views and daily visitors over the month, as the API tells them."""
        last = date.fromisoformat(self.mark["last"])
        query = f"from={last - timedelta(self.mark['days'])}&to={last}"
        secret = (self.data / "secret").read_text().strip()
        found = {}
        for seller in ("klayfold", "ombrelune", "quillmoth"):
            bearer = backend.token(secret, scope="stats", sub=seller)
            path = f"/api/v1/summary?{query}"
            answer = ask(self.reports, "GET", path, {"Authorization": f"Bearer {bearer}"})
            assert answer.status == 200, answer.content
            found[seller] = (answer.json["views"], answer.json["visitor_days"])
        return found

    @property
    def status(self) -> str:
        """What `collector status` says."""
        done = subprocess.run(
            [sys.executable, "-m", "collector", "status"],
            env=dict(os.environ) | {"COLLECTOR_DATA_DIR": str(self.data)},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def closed(self) -> bool:
        """Return whether every day before the last is sealed."""
        return len(re.findall(r"\d sealed", self.status)) >= int(self.mark["days"])


@contextmanager
def prepared(directory: Path, **settings: str) -> Iterator[Demo]:
    """Give a demo with ports of its own; what a test starts ends with the block."""
    held = [held_port(), held_port()]
    ports = [each.getsockname()[1] for each in held]
    directory.mkdir(exist_ok=True)
    demo = Demo(directory / "demo-data", ports[0], ports[1], directory / "output.txt", settings)
    try:
        yield demo
    finally:
        if demo.process is not None:
            demo.stop()
        for each in held:
            each.close()


def expected(last: date, days: int, hours_of_last: int) -> Numbers:
    """Return what the month must come to: views and daily visitors by seller."""
    views = dict.fromkeys(("klayfold", "ombrelune", "quillmoth"), 0)
    visitors = dict(views)
    for nth in range(days + 1):
        day = last - timedelta(days - nth)
        hours = visits(day, nth=nth, nth_last=days, sign=lambda *_: "", origin="")
        counted: list[tuple[str, tuple[str, bytes]]] = []  # seller, and who
        for hour in hours[: 24 if nth < days else hours_of_last]:
            for request in hour.beacons:
                body = json.loads(request.body)
                if _may_be_counted(request) and "seconds" not in body:
                    counted.append((body["seller"], _who(request)))
            gone = {_who(request) for request in hour.withdrawals}
            counted = [each for each in counted if each[1] not in gone]
        for seller in views:
            own = [who for name, who in counted if name == seller]
            views[seller] += len(own)
            visitors[seller] += len(set(own))
    return {seller: (views[seller], visitors[seller]) for seller in views}


def _may_be_counted(request: Request) -> bool:
    headers = dict(request.headers)
    return (
        re.search(rb"statistics_consent=granted\b", headers.get(b"cookie", b"")) is not None
        and not headers.keys() & {b"sec-gpc", b"dnt"}
        and b"Bot" not in headers[b"user-agent"]
    )


def _who(request: Request) -> tuple[str, bytes]:
    # Of an IPv6 address the first four groups; the plan's addresses are written like that.
    return request.address.removesuffix("::1"), dict(request.headers)[b"user-agent"]
