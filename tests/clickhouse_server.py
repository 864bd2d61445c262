"""A stand-in for a ClickHouse server, running in a process of its own; see clickhouse_stand_in."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS_MAX = 30


class Server:
    """The process; what it kept stays when it is killed, and a new one takes the same port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.clickhouse_stand_in", str(folder), str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def dsn(self) -> str:
        """What leads to it."""
        return f"clickhouse://default:@127.0.0.1:{self.port}/default"

    def ask(self, statement: str) -> str:
        """Run a statement as an administrator would, and return what it answers."""
        return self.post("/", statement.encode()).decode().strip()

    def post(self, path: str, body: bytes = b"") -> bytes:
        """Tell the stand-in something."""
        address = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(address, data=body, timeout=SECONDS_MAX) as answer:
            content: bytes = answer.read()
        return content

    def arm(self, fault: str) -> None:
        """Arm a fault for the next insert of hits."""
        self.post(f"/fault?do={fault}")

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def engine_of(folder: Path, kind: str) -> Iterator[str]:
    """Give what leads to the engine of a folder, of which copies may be made when the block ends.

    kind  "embedded", for which that is nothing, or "server": a stand-in whose data lies in there
    """
    if kind == "embedded":
        yield ""
        return
    server = Server(folder / "server")
    try:
        yield server.dsn
    finally:
        server.kill()
