"""`python -m geoip` as its own process, in directories of its own, with all its output kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from collector import keys, tokens
from tests.journeys.processes import held_port

SECRET = "a secret for the tests of the location door"
START_SECONDS_MAX = 30


@dataclass
class Process:
    """A running door: how to reach it, what it may write, what it said."""

    http: httpx2.Client
    token: str
    home: Path
    output: Path
    pid: int

    @property
    def authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Return content and time of change of every file that it could have written."""
        return {
            str(path.relative_to(self.home)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(self.home.rglob("*"))
            if path.is_file()
        }


@contextmanager
def alone(home: Path, **settings: str) -> Iterator[Process]:
    """Start the process; kill it hard at the end, as a crash would."""
    held = held_port()
    port = held.getsockname()[1]
    for name in ("tmp", "data"):
        (home / name).mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(home / "tmp"),
        "COLLECTOR_DATA_DIR": str(home / "data"),
        "COLLECTOR_SECRET": SECRET,
        "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{port}",
        "COLLECTOR_LOG_LEVEL": "debug",
        **settings,
    }
    output = home / "output.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "geoip"], cwd=home, env=environment, stdout=sink, stderr=sink
        )
    token = tokens.mint("location", keys.derive(SECRET.encode(), "token"), now=int(time.time()))
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            _wait(http, process, output, settings.get("COLLECTOR_PATH_PREFIX", ""))
            yield Process(http, token, home, output, process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        held.close()


def _wait(
    http: httpx2.Client, process: "subprocess.Popen[bytes]", output: Path, prefix: str
) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if http.get(f"{prefix}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"the door did not start: {output.read_text()}")
