"""The supervisor: what it starts again, what it gives up, and whom it stops first."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import collector
from collector import supervise
from collector.supervise import EXIT_BAD_SETTINGS

pytestmark = pytest.mark.processes

SECONDS_MAX = 30
# A stand-in for the package `collector` in a directory of its own: each child notes that it began
# and how it ended, and does what its argument says.
CHILD = (
    f"from {supervise.__name__} import end_with_supervisor"
    + """
import os, signal, sys, time
from pathlib import Path
name, *orders = sys.argv[1:]
log = Path(os.environ["LOG"])
def note(word):
    with log.open("a") as file:
        file.write(f"{name} {word}\\n")
def stopped(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stopped)
end_with_supervisor()
note("began")
for order in orders:
    begun = log.read_text().count(f"{name} began")
    if order.startswith("end"):
        sys.exit(int(order.removeprefix("end")))
    if order.startswith("first") and begun == 1:
        sys.exit(int(order.removeprefix("first")))
    if order == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note("deaf")
time.sleep(60)
"""
)
SUPERVISOR = (
    f"import {supervise.__name__} as supervise"
    + """
import sys
supervise.STOP_SECONDS = 1
children = [supervise.Child(line.split()[0], line.split()) for line in sys.argv[1:]]
sys.exit(supervise.supervise(children))
"""
)


class Supervised:
    """A supervisor over children that do as they are told."""

    def __init__(self, folder: Path, *children: str) -> None:
        package = folder / "package" / "collector"
        package.mkdir(parents=True)
        real = collector.__path__[0]
        (package / "__init__.py").write_text(f"__path__.append({real!r})\n")
        (package / "__main__.py").write_text(CHILD)
        self.log = folder / "log"
        self.log.touch()
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, *children],
                env={**os.environ, "LOG": str(self.log), "PYTHONPATH": str(package.parent)},
                cwd=package.parent,
                stderr=output,
            )

    def lines(self) -> list[str]:
        """Return what the children noted."""
        return self.log.read_text().splitlines()

    def wait_for(self, look: Callable[[list[str]], bool]) -> list[str]:
        """Return the notes once they are so."""
        until = time.monotonic() + SECONDS_MAX
        while not look(self.lines()):
            assert time.monotonic() < until, self.lines()
            time.sleep(0.02)
        return self.lines()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS_MAX)


def test_children_are_stopped_in_order_and_each_before_the_next(tmp_path: Path) -> None:
    """Who takes visits ends first, who stores them last; all cleanly, so the status is 0."""
    supervised = Supervised(tmp_path, "beacons", "reports")
    supervised.wait_for(lambda lines: sorted(lines) == ["beacons began", "reports began"])
    assert supervised.end() == 0
    assert supervised.lines()[2:] == ["beacons stopped", "reports stopped"]


def test_a_child_that_ends_is_started_again_and_the_other_is_left_alone(tmp_path: Path) -> None:
    """Whatever its status was."""
    supervised = Supervised(tmp_path, "beacons first3", "reports")
    supervised.wait_for(
        lambda lines: lines.count("beacons began") == 2 and "reports began" in lines
    )
    assert supervised.lines().count("reports began") == 1
    assert supervised.end() == 0


def test_settings_that_never_were_good_end_everything(tmp_path: Path) -> None:
    """The child says so by its status, and nobody tries again: an operator has to look."""
    supervised = Supervised(tmp_path, "reports", f"beacons end{EXIT_BAD_SETTINGS}")
    assert supervised.process.wait(SECONDS_MAX) == EXIT_BAD_SETTINGS
    assert supervised.lines().count("beacons began") == 1
    # Told to stop while it notes that it began, it may note both in either order.
    assert "reports stopped" in supervised.lines() or "reports began" not in supervised.lines()


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    """It ignores SIGTERM: after its time it is killed, and the next one is stopped as ever."""
    supervised = Supervised(tmp_path, "beacons deaf", "reports")
    supervised.wait_for(lambda lines: {"beacons deaf", "reports began"} <= set(lines))
    assert supervised.end() == 0
    assert supervised.lines()[-1] == "reports stopped"
    assert "beacons stopped" not in supervised.lines()
    assert "beacons did not stop" in supervised.output.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    """Also where nobody could tell the children: a pipe closes, and they stop themselves."""
    supervised = Supervised(tmp_path, "beacons", "reports")
    supervised.wait_for(lambda lines: len(lines) == 2)
    supervised.end(number)
    ended = supervised.wait_for(lambda lines: len(lines) == 4)
    assert set(ended[2:]) == {"beacons stopped", "reports stopped"}
