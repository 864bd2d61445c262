"""Measure a large day's close: `python -m bench.seal [MILLIONS]`.

Ten million hits of one day, 200 sellers, 20,000 products, in the embedded engine. Beacons are under
load meanwhile, on a core of their own. The seal has the other one and leaves it to the load (nice):
visitors bring processors of their own. So its seconds are more than it would take alone.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.beacon import load, write_inputs
from bench.serving import END_SECONDS, LOAD_CORE, SECRET, free_port, process, verdict

MILLIONS = 10.0
PRODUCTS = 20_000
LOAD_SECONDS = 3
BEFORE = 3
SECONDS_WANTED, MIB_WANTED, KEPT_WANTED = 60, 2048, 0.80


class Rates:
    """The beacons' rate under load, again and again; hits a second."""

    def __init__(self, port: int, pid: int, inputs: tuple[Path, Path]) -> None:
        self._asked = (port, inputs, LOAD_SECONDS, pid)
        self._ended = threading.Event()

    def once(self) -> float:
        """Return the rate of the next seconds."""
        return load(*self._asked).rate

    @contextmanager
    def meanwhile(self) -> Iterator[list[float]]:
        """Yield a list of the rates while the block runs; one that outlasts it doesn't count."""
        found: list[float] = []

        def run() -> None:
            while not self._ended.is_set():
                rate = self.once()
                if not self._ended.is_set():
                    found.append(rate)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield found
        finally:
            self._ended.set()
            thread.join()


@contextmanager
def beacons(folder: Path) -> Iterator[Rates]:
    """Run the beacons process, with a data directory of its own."""
    port = free_port()
    environment = {
        "COLLECTOR_DATA_DIR": str(folder / "data"),
        "COLLECTOR_SECRET": SECRET,
        "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{port}",
        "COLLECTOR_VISITOR_VIEWS_MAX": "65535",
        "COLLECTOR_LOG_LEVEL": "error",
    }
    ready = f"http://127.0.0.1:{port}/readyz"
    with process(["-m", "collector", "beacons"], environment, ready) as pid:
        yield Rates(port, pid, write_inputs(folder))


@contextmanager
def large_day(folder: Path, hits: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the process with the engine until the block ends; it is filled and waits for a line."""
    command = [sys.executable, "-m", "bench.large_day", str(folder), str(hits)]
    started = subprocess.Popen(
        ["nice", "-n", "19", "taskset", "-c", LOAD_CORE, *command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert started.stdout is not None
        if started.stdout.readline() != "filled\n":
            raise SystemExit("the day was not filled")
        yield started
    finally:
        started.terminate()
        started.wait(END_SECONDS)


def sealed(day: "subprocess.Popen[str]") -> Any:
    """Let the day be sealed; return what is told of it."""
    assert day.stdin is not None
    assert day.stdout is not None
    day.stdin.write("\n")
    day.stdin.flush()
    return json.loads(day.stdout.readline())


def main() -> int:
    """Run the bench; return 1 when a target is missed."""
    hits = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else int(MILLIONS * 1e6)
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as name:
        folder = Path(name)
        with large_day(folder, hits) as day, beacons(folder) as rates:
            before = statistics.median(rates.once() for _ in range(BEFORE))
            with rates.meanwhile() as found:
                told = sealed(day)
    took, memory = sum(told["seconds"].values()), told["mib"]
    kept = statistics.median(found) / before if found else 0.0
    steps = ", ".join(f"{step} {each:.1f} s" for step, each in told["seconds"].items())
    print(f"  {hits:,} hits: {steps}")
    print(f"  {told['bytes'] / PRODUCTS:.0f} bytes in counts for each product's day")
    print(f"  beacons {before:,.0f} hits/s before; {len(found)} times meanwhile:", end=" ")
    print(", ".join(f"{rate:,.0f}" for rate in found))
    return verdict(
        {
            f"sealed in {took:.0f} s, wanted {SECONDS_WANTED}": took <= SECONDS_WANTED,
            f"{memory:.0f} MiB resident, wanted under {MIB_WANTED}": memory < MIB_WANTED,
            f"beacons kept {kept:.0%} of their rate, wanted {KEPT_WANTED:.0%}": kept >= KEPT_WANTED,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
