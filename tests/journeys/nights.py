"""A Collector whose clock a test moves: both real processes, some minutes before a midnight."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from collector import salt
from tests.journeys.asking import eventually
from tests.journeys.memory import times_found
from tests.journeys.running import ROOT, Collector, prepared

DAY = timedelta(days=1)
SUNDAY = 6
BEFORE_MIDNIGHT = 600  # A start on a busy machine takes a while, and the clock goes on.


def ends_more_than_itself(day: date) -> bool:
    """Return whether a week or a month ends with a day."""
    return day.weekday() == SUNDAY or (day + DAY).day == 1


class Night:
    """Both processes and their clock: today's night, or the next that ends a day and no more."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.clock = collector.directory / "ahead"
        self.day = datetime.now(UTC).date()
        while ends_more_than_itself(self.day):
            self.day += DAY
        midnight = datetime.combine(self.day + DAY, datetime.min.time(), UTC).timestamp()
        self.ahead = midnight - BEFORE_MIDNIGHT - time.time()
        self.pass_(0)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def now(self) -> float:
        """Return what the processes' clocks show."""
        return time.time() + self.ahead

    def pass_(self, seconds: float) -> None:
        """Let both clocks go on at once, as while a machine sleeps."""
        self.ahead += seconds
        later = self.clock.with_suffix(".new")
        later.write_text(str(self.ahead))
        later.replace(self.clock)  # nobody reads half a number

    def start(self, who: str, **more: str) -> subprocess.Popen[bytes]:
        """Start one of the two."""
        own = {f"COLLECTOR_{name}": value for name, value in more.items()}
        with (self.collector.directory / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.night", who, str(self.clock)],
                env=self.collector.environment() | own,
                stdout=output,
                stderr=output,
                cwd=ROOT,
            )
        self.processes[who] = process
        return process

    def start_both(self) -> None:
        """Start both, as `collector serve` does, and wait until they are ready."""
        collector = self.collector
        for who, port in (("beacons", collector.beacons), ("reports", collector.reports)):
            self.start(who)
            eventually(partial(self.is_ready, port), who, lambda: collector.output)

    def stop(self) -> None:
        """Stop whatever runs."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(60)
        self.processes.clear()

    def is_ready(self, port: int) -> bool:
        """Return whether a port is."""
        self.collector.process = next(iter(self.processes.values()))
        try:
            return self.collector.is_ready(port)
        finally:
            self.collector.process = None

    def state(self) -> str:
        """Return how far the day's close is."""
        with closing(sqlite3.connect(self.collector.data / "ledger.sqlite")) as ledger:
            question = "select state from days where day = ?"
            row = ledger.execute(question, (str(self.day),)).fetchone()
        return row[0] if row else "missing"

    def salt_file(self) -> Path:
        """Return where the day's salt is."""
        return salt.path_of(self.collector.data / "salts", self.day)

    def in_memory(self, wanted: bytes) -> dict[str, int]:
        """Return how often each process's memory holds it."""
        return {who: times_found(each.pid, wanted) for who, each in self.processes.items()}


@contextmanager
def night(directory: Path, **settings: str) -> Iterator[Night]:
    """Give a night; what was started in it ends with the block."""
    with prepared(directory, **settings) as collector:
        late = Night(collector)
        try:
            yield late
        finally:
            late.stop()
