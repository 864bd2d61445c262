"""Processes: stopped, killed and started again, without a counted visit lost or doubled."""

import os
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.journeys.asking import WAIT_SECONDS, ask, eventually
from tests.journeys.processes import arguments, descendants, is_over
from tests.journeys.running import Collector, prepared, running

pytestmark = pytest.mark.slow

TERM, KILL = signal.SIGTERM, signal.SIGKILL
SENDERS = 6
ENOUGH = 60  # acknowledged visits before something is done, and again afterwards


class Load:
    """Visitors who send one visit after the other, and what they were told."""

    def __init__(self, collector: Collector, seller: str) -> None:
        self.collector = collector
        self.seller = seller
        self.told: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]

    @property
    def counted(self) -> int:
        """How many visits were acknowledged."""
        return self.told["yes"]

    def wait_for(self, more: int) -> None:
        """Return when so many more were acknowledged."""
        goal = self.counted + more
        eventually(lambda: self.counted >= goal, f"{more} more", lambda: self.collector.output)

    def _send(self, number: int) -> None:
        sent = 0
        while not self._stop.is_set():
            sent += 1
            try:
                answer = self.collector.pixel(self.seller, f"{number}-{sent}")
                self.told[answer.counted] += 1
            except (OSError, HTTPException):
                self.told["nothing"] += 1
                time.sleep(0.02)


@contextmanager
def visits(collector: Collector, seller: str) -> Iterator[Load]:
    """Send visits until the block ends."""
    load = Load(collector, seller)
    for thread in load._threads:
        thread.start()
    try:
        yield load
    finally:
        load._stop.set()
        for thread in load._threads:
            thread.join(WAIT_SECONDS)


def assert_all_counted(collector: Collector, load: Load) -> None:
    """Compare what visitors were told with what the seller is told.

    A connection that broke leaves a doubt that its visitor has too: the visit may have been kept
    and the answer lost.
    """
    # More than one worker's file: the control's may be sent before another's.
    eventually(lambda: collector.summary(load.seller)[0] >= load.counted, f"{load.told}")
    views, _ = collector.summary(load.seller)
    assert load.counted <= views <= load.counted + load.told["nothing"], load.told
    assert set(load.told) <= {"yes", "nothing"}


def test_a_clean_stop_loses_nothing_and_leaves_nothing_running(
    directory: Path, seller: str
) -> None:
    """SIGTERM in the middle of a load: exit status 0, every acknowledged visit is counted after the
    next start, the day's file was closed properly, and no process stays."""
    with running(directory) as collector:
        assert collector.process is not None
        started = descendants(collector.process.pid)
        assert len(started) == 2
        with visits(collector, seller) as load:
            load.wait_for(ENOUGH)
            assert collector.stop() == 0
        assert all(is_over(pid) for pid in started)
        (file,) = (collector.data / "spool").glob("*/*.sqlite")
        with sqlite3.connect(file) as connection:
            assert connection.execute("select count(*) from closed").fetchone() == (1,)
            kept = connection.execute("select max(last) from groups").fetchone()[0]
        connection.close()
        assert kept >= load.counted
        collector.start()
        assert_all_counted(collector, load)
        assert "Traceback" not in collector.output


@pytest.mark.parametrize("number", [TERM, KILL])
@pytest.mark.parametrize("which", ["beacons", "reports"])
def test_a_process_that_ends_is_started_again(
    directory: Path, seller: str, which: str, number: signal.Signals
) -> None:
    """Somebody ends one of the two processes under load. The supervisor starts it again, and what
    visitors were told is what the seller is told."""
    with running(directory) as collector, visits(collector, seller) as load:
        load.wait_for(ENOUGH)
        first = collector.child(which)
        os.kill(first, number)
        again = eventually(lambda: other_child(collector, which, first), f"{which} again")
        assert again != first
        eventually(lambda: both_ready(collector), "both ready", lambda: collector.output)
        load.wait_for(ENOUGH)
        load._stop.set()
        eventually(lambda: not any(each.is_alive() for each in load._threads), "the load's end")
        assert_all_counted(collector, load)
        assert f"{which} ended with status -{int(number)}" in collector.output


def other_child(collector: Collector, which: str, first: int) -> int:
    """Return the process that took the place of another one, or 0."""
    found = collector.child(which)
    return found if found != first else 0


def both_ready(collector: Collector) -> bool:
    """Return whether both ports say that they are ready."""
    try:
        ports = (collector.beacons, collector.reports)
        return all(ask(port, "GET", "/readyz").status == 200 for port in ports)
    except (OSError, HTTPException):
        return False


def test_beacons_answer_while_reports_are_down(directory: Path, seller: str) -> None:
    """The reports process is away for a while. Not one visit is refused or lost; afterwards the
    seller sees them all."""
    with running(directory, "beacons") as collector:
        with visits(collector, seller) as load:
            load.wait_for(3 * ENOUGH)
            assert collector.cli("status", expect=1).startswith(
                "Error: The reports process doesn't run in this data directory"
            )
        assert set(load.told) == {"yes"}
        collector.stop()
        collector.start()
        assert collector.summary(seller) == (load.counted, 1)


def test_stopped_reports_do_not_hold_up_a_beacon(directory: Path, seller: str) -> None:
    """The reports process stands still (SIGSTOP), with every lock that it has. Beacons go on being
    counted, and when it wakes it counts them."""
    with running(directory) as collector:
        reports = collector.child("reports")
        with visits(collector, seller) as load:
            load.wait_for(ENOUGH)
            os.kill(reports, signal.SIGSTOP)
            try:
                load.wait_for(3 * ENOUGH)
            finally:
                os.kill(reports, signal.SIGCONT)
        assert set(load.told) == {"yes"}
        assert collector.summary(seller) == (load.counted, 1)


def test_reports_leave_the_processor_to_beacons(directory: Path) -> None:
    """Where both want it, beacons come first: a close of ten million hits is work for a minute. As
    root the engine takes some of its threads out of that; as anybody else it can't."""
    with running(directory) as collector:
        reports, beacons = (
            os.getpriority(os.PRIO_PROCESS, collector.child(which))
            for which in ("reports", "beacons")
        )
        assert reports == min(beacons + 10, 19)


def test_nothing_outlives_a_killed_supervisor(directory: Path, seller: str) -> None:
    """SIGKILL to `collector serve` itself. Its processes notice, end as if told to, and lose
    nothing; their ports are free for the next start."""
    with running(directory) as collector:
        with visits(collector, seller) as load:
            load.wait_for(ENOUGH)
            assert collector.end(KILL) == -KILL
        collector.start()
        assert_all_counted(collector, load)


def test_workers_share_a_port_and_a_salt(directory: Path, seller: str) -> None:
    """Three workers take visits from the same port; a visitor who comes to all of them is one
    visitor, and each has a file of its own."""
    with running(directory, WORKERS="3") as collector:
        with visits(collector, seller) as load:
            load.wait_for(10 * ENOUGH)
        spool = collector.data / "spool"
        eventually(lambda: len(list(spool.glob("*/*.sqlite"))) == 3, "each worker's file")
        # The control's file may be sent before another worker's.
        eventually(lambda: collector.summary(seller) == (load.counted, 1), f"{load.told}")
        assert len(list((collector.data / "salts").iterdir())) == 1


@pytest.mark.parametrize("who", ["a worker", "the workers' parent"])
def test_a_killed_worker_takes_nobody_along(directory: Path, seller: str, who: str) -> None:
    """One of two workers is killed, or the process that watches them while both hold the port. The
    reports process never notices, and the beacons' processes are complete again."""
    with running(directory, WORKERS="2") as collector, visits(collector, seller) as load:
        parent, reports = collector.child("beacons"), collector.child("reports")
        load.wait_for(ENOUGH)
        first = set(workers(collector))
        victim = parent if who == "the workers' parent" else min(first)
        os.kill(victim, KILL)
        eventually(
            lambda: len(workers(collector)) == 2 and victim not in {*workers(collector), 0},
            "two workers",
            lambda: collector.output,
        )
        eventually(lambda: set(workers(collector)) - first, "a new worker")
        load.wait_for(ENOUGH)
        assert collector.child("reports") == reports
        load._stop.set()
        eventually(lambda: not any(each.is_alive() for each in load._threads), "the load's end")
        assert_all_counted(collector, load)


def workers(collector: Collector) -> list[int]:
    """Return the process ids of the beacons' workers."""
    assert collector.process is not None
    return [pid for pid in descendants(collector.process.pid) if "worker" in arguments(pid)]


def test_a_bad_setting_ends_the_start(directory: Path) -> None:
    """Both processes would fail for ever on a port that is taken, so `serve` says so and ends."""
    with prepared(directory) as collector:
        collector.settings["REPORTS_BIND"] = collector.settings["BEACONS_BIND"]
        said = collector.cli("serve", expect=78)
        assert (
            f"can't listen on {collector.settings['BEACONS_BIND']} (Address already in use)" in said
        )


def test_a_port_that_is_taken_later_is_waited_for(directory: Path, seller: str) -> None:
    """The beacons process dies and for some seconds something else has its port. That ends
    nothing: the reports process goes on, and when the port is free beacons are back."""
    with running(directory) as collector:
        beacons, reports = collector.child("beacons"), collector.child("reports")
        assert collector.pixel(seller).counted == "yes"
        with squatting(collector.beacons, lambda: os.kill(beacons, KILL)):
            eventually(
                lambda: "can't listen on" in collector.output, "a start that finds the port taken"
            )
            assert collector.process is not None
            assert collector.process.poll() is None
        eventually(lambda: both_ready(collector), "beacons again", lambda: collector.output)
        assert collector.child("reports") == reports
        assert collector.pixel(seller).counted == "yes"
        assert collector.summary(seller) == (2, 1)


@contextmanager
def squatting(port: int, kill: Callable[[], None]) -> Iterator[None]:
    """Free a port by a kill and take it before its owner can."""
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kill()

        def take() -> bool:
            try:
                squatter.bind(("127.0.0.1", port))
            except OSError:
                return False
            squatter.listen()
            return True

        eventually(take, "the port")
        yield
