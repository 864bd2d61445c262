"""What is told of each product, and how."""

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.peers.sending import Sent
from bench.peers.visits import Exact


@dataclass(frozen=True, slots=True)
class Figures:
    """One product's row.

    sent      how today's visits went
    cpu       seconds of all its processes, until a reader has the numbers
    memory    MiB resident at most, of its processes together
    counted   distinct visitors of each day and page, as it tells them
    page      seconds until a 30-day page is ready, each time it was asked for
    """

    name: str
    sent: Sent
    cpu: float
    memory: float
    counted: Exact
    page: Sequence[float]

    def row(self, truth: Exact) -> str:
        """Return the row of the table."""
        ready = statistics.median(self.page) * 1000
        cpu = self.cpu / self.sent.requests * 1000
        return (
            f"  {self.name:18}{self.sent.rate:10,.0f}{cpu:12.3f}{self.memory:10.0f}"
            f"   {accuracy(self.counted, truth):32}{ready:9.0f} ms"
        )


HEAD = (
    f"  {'':18}{'hits/s':>10}{'CPU s/1,000':>12}{'MiB':>10}"
    f"   {'page-days that are exact':32}{'30-day page':>12}"
)


def accuracy(counted: Exact, truth: Exact) -> str:
    """Say how many days of pages are exact, and how far off all of them are together."""
    keys = truth.keys() | counted.keys()
    wrong = [abs(counted.get(key, 0) - truth.get(key, 0)) for key in keys]
    right = sum(not each for each in wrong)
    off = sum(wrong) / sum(truth.values())
    return f"{right:,} of {len(keys):,} ({off:.2%} off)"


def peak_mib(pid: int) -> float:
    """MiB that a running process had resident at most, from Linux's /proc (proc_pid_status(5))."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def timed(times: int, ask: Callable[[], object]) -> list[float]:
    """Return the seconds that each of several calls took."""
    found = []
    for _ in range(times):
        began = perf_counter()
        ask()
        found.append(perf_counter() - began)
    return found
