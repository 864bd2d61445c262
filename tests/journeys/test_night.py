"""A night: two real processes pass midnight, and what was known of the day's visitors is gone."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from collector import keys, salt
from collector.anonymise import day_key, visitor
from tests.collector.traces import ENCODINGS, found
from tests.journeys.asking import eventually
from tests.journeys.memory import times_found
from tests.journeys.running import FIREFOX, ROOT, Collector, new_seller, prepared

pytestmark = pytest.mark.slow

ADDRESSES = [f"198.51.100.{n}" for n in range(1, 101)]
BEFORE_MIDNIGHT = 30


class Night:
    """Both processes and their clock."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.clock = collector.directory / "ahead"
        midnight = (time.time() // 86_400 + 1) * 86_400
        self.ahead = midnight - BEFORE_MIDNIGHT - time.time()
        self.pass_(0)
        self.day = datetime.fromtimestamp(time.time() + self.ahead, UTC).date()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

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
def night(directory: Path) -> Iterator[Night]:
    """Give a night; what was started in it ends with the block."""
    with prepared(directory) as collector:
        late = Night(collector)
        try:
            yield late
        finally:
            for process in late.processes.values():
                process.send_signal(signal.SIGTERM)
            for process in late.processes.values():
                process.wait(30)


def test_after_the_night_nobody_can_tell_who_was_there(tmp_path: Path) -> None:
    """A hundred visitors come half a minute before midnight. Until then the beacons' memory holds
    the day's key, and the disk their hashes and the salt; a minute after midnight neither key nor
    salt is in the memory of either process, five minutes after it the salt is gone, the day is
    sealed, and no file holds a hash."""
    with night(tmp_path / "collector") as late:
        collector = late.collector
        for who, port in (("beacons", collector.beacons), ("reports", collector.reports)):
            late.start(who)
            eventually(partial(late.is_ready, port), who, lambda: collector.output)
        seller = new_seller()
        for address in ADDRESSES:
            forwarded = {"X-Forwarded-For": address}
            assert collector.pixel(seller, headers=forwarded).counted == "yes"
        content = late.salt_file().read_bytes()[: salt.SALT_BYTES]
        key = bytes(day_key(content, keys.derive(collector.secret.encode(), "visitor")))
        hashes = [
            visitor(IPv4Address(address), FIREFOX.encode(), seller=seller, key=key)
            for address in ADDRESSES
        ]
        eventually(
            lambda: (
                found([collector.data / "clickhouse" / "store"], hashes)["little-endian"]
                == len(hashes)
            ),
            "the hits in the engine",
        )
        assert late.in_memory(key)["beacons"] > 0
        late.pass_(BEFORE_MIDNIGHT + 60)
        nowhere = {"beacons": 0, "reports": 0}
        eventually(lambda: late.in_memory(key) == nowhere, "the key's end")
        assert late.in_memory(content) == nowhere
        late.pass_(240)
        eventually(lambda: late.state() == "sealed", "the seal", lambda: collector.output)
        assert not late.salt_file().exists()
        assert late.in_memory(content) == nowhere
        assert found([collector.data], hashes) == dict.fromkeys(ENCODINGS, 0)
        assert collector.pixel(seller).counted == "yes"


@pytest.mark.parametrize("who", ["beacons", "reports"])
def test_an_old_salt_is_gone_before_the_next_start_listens(tmp_path: Path, who: str) -> None:
    """Nothing ran at the day's end. Whoever starts first destroys the salt, and only then takes a
    request; the reports process also where ClickHouse doesn't answer, though it can't start."""
    with night(tmp_path / "collector") as late:
        salt.ensure(late.salt_file().parent, late.day, b"k" * 32)
        late.pass_(BEFORE_MIDNIGHT + 300)
        away = {"CLICKHOUSE_DSN": "clickhouse://127.0.0.1:1/collector"} if who == "reports" else {}
        process = late.start(who, **away)
        if who == "beacons":
            port = late.collector.beacons
            eventually(lambda: late.is_ready(port), who, lambda: late.collector.output)
        else:
            process.wait(60)
        assert not late.salt_file().exists(), late.collector.output
