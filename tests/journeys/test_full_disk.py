"""A full disk: beacons are told to come again, nothing is promised, and it passes."""

import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.journeys.asking import Answer, ask, eventually
from tests.journeys.running import Collector, prepared

pytestmark = pytest.mark.slow

MOUNT = 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"'
SHOP = "https://shop.example"
ALARM = "spool: beacons can't be written to disk, so nothing is counted"


def unshare() -> list[str]:
    """Return the command that gives a process mounts of its own; root needs no name space more."""
    said = ""
    for options in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *options]
        tried = subprocess.run(
            [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return command
        said += tried.stderr.decode()
    if os.geteuid() == 0:
        pytest.fail(f"root can't mount a small disk here: {said}")
    pytest.skip("a plain user may not mount a small disk on this machine")


@pytest.fixture
def collector(directory: Path) -> Iterator[Collector]:
    """A beacons process whose spool is on a disk of two megabytes."""
    with prepared(directory, ORIGINS=SHOP) as collector:
        spool = collector.data / "spool"
        spool.mkdir(parents=True)
        collector.before = (*unshare(), "sh", "-c", MOUNT, "sh", str(spool))
        collector.start("beacons")
        yield collector


class Disk:
    """The small disk, seen from outside."""

    def __init__(self, collector: Collector) -> None:
        assert collector.process is not None
        self.spool = Path(f"/proc/{collector.process.pid}/root{collector.data}/spool")
        self._filling = self.spool / "filling"

    def fill(self) -> None:
        """Leave not one free byte."""
        size = 65_536
        with self._filling.open("ab", buffering=0) as file:
            while size:
                try:
                    file.write(bytes(size))
                except OSError:  # no space left for so many
                    size //= 2
        assert shutil.disk_usage(self.spool).free == 0

    def free(self) -> None:
        """Make room again."""
        self._filling.unlink()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Ask every spool file, in a copy: SQLite doesn't follow the way in from outside."""
        found = []
        for path in self.spool.glob("*/*.sqlite"):
            with TemporaryDirectory() as directory:
                for each in path.parent.glob(f"{path.name}*"):
                    if not each.name.endswith("-shm"):
                        shutil.copy(each, directory)
                connection = sqlite3.connect(Path(directory) / path.name)
                found += connection.execute(question).fetchall()
                connection.close()
        return found

    def hits(self) -> int:
        """Return how many hits are on the disk."""
        return sum(row[0] for row in self.rows("select last - first + 1 from groups"))

    def names(self) -> list[str]:
        """Return the names of spool files and their locks."""
        found = self.spool.glob("*/*")
        return [path.name for path in found if path.suffix in (".sqlite", ".lock")]

    def outcomes(self) -> Counter[str]:
        """Return what became of beacons, as the disk knows it."""
        total: Counter[str] = Counter()
        for outcome, beacons in self.rows("select outcome, beacons from outcomes"):
            total[outcome] += beacons
        return total


def send_until_refused(collector: Collector, seller: str) -> tuple[int, Answer]:
    """Send visits until one is not counted; return how many were, and its answer."""
    counted = 0
    while (answer := collector.pixel(seller, f"p{counted}")).counted == "yes":
        counted += 1
        assert counted < 5000, "the full disk took 5,000 visits"
    return counted, answer


def test_a_full_disk_is_told_and_passes(collector: Collector, seller: str) -> None:
    """The disk fills up. Visits get 503, when to come again and still an image; a withdrawal isn't
    promised; who said no is answered as ever; monitoring sees it. Then there is room: the same
    process counts again. What was acknowledged is on the disk, and nothing else."""
    disk, sent = Disk(collector), Counter[str]()
    sent["yes"] += sum(collector.pixel(seller).counted == "yes" for _ in range(20))
    assert sent["yes"] == 20
    disk.fill()
    counted, refused = send_until_refused(collector, seller)
    sent["yes"] += counted
    assert (refused.status, refused.counted) == (503, "unavailable")
    assert refused.headers["retry-after"] == "1"
    assert refused.content.startswith(b"GIF89a")
    beacon = collector.post(seller)
    assert (beacon.status, beacon.headers["retry-after"]) == (503, "1")
    assert beacon.message == "nothing can be kept at the moment; try again in a second"
    sent["unavailable"] += 2
    assert collector.pixel(seller, cookie=None).status == 200
    assert collector.post(seller, cookie="statistics_consent=refused").status == 204
    sent.update({"no-consent": 1, "refused": 1})
    assert withdraw(collector).status == 503
    ready = ask(collector.beacons, "GET", "/readyz")
    assert ready.status == 503
    assert ready.json["alarms"][0].startswith(ALARM)
    assert ask(collector.beacons, "GET", "/healthz").status == 200

    disk.free()
    eventually(lambda: ask(collector.beacons, "GET", "/readyz").status == 200, "ready again")
    assert withdraw(collector).status == 200
    assert collector.post(seller).counted == "yes"
    sent["yes"] += 1
    eventually(lambda: disk.outcomes() == sent, f"{sent}", lambda: str(disk.outcomes()))
    assert disk.hits() == sent["yes"]
    assert collector.output.count("beacons can't be kept") == 1
    assert collector.output.count("database or disk is full") == 1
    assert "Traceback" not in collector.output


def withdraw(collector: Collector) -> Answer:
    """Take consent back on the shop's page."""
    headers = {"Origin": SHOP, "Content-Type": "application/json"}
    headers |= {"Cookie": "statistics_consent=granted", "User-Agent": "x"}
    return ask(collector.beacons, "POST", "/consent", headers, b'{"choice": "refused"}')


def test_a_disk_that_stays_full_is_not_littered(collector: Collector, seller: str) -> None:
    """For seconds every attempt fails. No file is left behind by any of them: a disk without free
    names would be the next thing to fail."""
    disk = Disk(collector)
    assert collector.pixel(seller).counted == "yes"
    disk.fill()
    counted, _ = send_until_refused(collector, seller)
    for _ in range(50):
        assert collector.pixel(seller).counted == "unavailable"
    # An attempt that is under way has a file and a lock of its own, for a moment.
    eventually(lambda: len(disk.names()) <= 2, "no litter", lambda: str(disk.names()))
    disk.free()
    eventually(lambda: collector.pixel(seller).counted == "yes", "room again")
    assert disk.hits() == 1 + counted + 1


def test_a_database_that_is_whole_after_all(collector: Collector, seller: str) -> None:
    """After the disk was full, every spool file passes SQLite's own check."""
    disk = Disk(collector)
    for _ in range(3):
        disk.fill()
        send_until_refused(collector, seller)
        disk.free()
        eventually(lambda: collector.pixel(seller).counted == "yes", "room again")
    checks = disk.rows("pragma integrity_check")
    assert len(checks) >= 3
    assert set(checks) == {("ok",)}
