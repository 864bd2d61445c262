"""The supervisor: starts processes, watches them, starts them again, stops them cleanly.

A child notices its supervisor's death by a pipe that closes, whatever killed it, and then ends as
if it had been told to: nothing keeps listening that nobody watches.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger("collector.supervise")

EXIT_BAD_SETTINGS = 78  # EX_CONFIG of sysexits.h: starting it again would change nothing
STOP_SECONDS = 25  # Drain and wipe take less than one; systemd kills after 90.
PAUSE_SECONDS_MAX = 30.0
STEADY_SECONDS = 60.0  # A process that lived this long starts again without a pause.
POLL_SECONDS = 0.2
WATCH_VARIABLE = "COLLECTOR_WATCH_FD"  # Between our own processes only; not a setting.


@dataclass(slots=True)
class Child:
    """A process to keep running: its name in the log, and the arguments of `collector`."""

    name: str
    arguments: Sequence[str]
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    has_run: bool = False
    pause_seconds: float = field(default=0.5)


def supervise(children: Sequence[Child]) -> int:
    """Keep the children running until SIGTERM or SIGINT; return the exit status.

    Returns  0 after a clean stop, EXIT_BAD_SETTINGS when a child can't run as it is set up.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watched, alive = os.pipe()  # `alive` closes with us, however we end
    status = 0
    try:
        while not stop.is_set():
            for child in children:
                if not _tend(child, watched):
                    status = EXIT_BAD_SETTINGS
                    stop.set()
            stop.wait(POLL_SECONDS)
    finally:
        _stop(children)
        os.close(watched)
        os.close(alive)
    return status


def _tend(child: Child, watched: int) -> bool:
    """Start the child if it is due; return whether it makes sense to go on."""
    now = time.monotonic()
    if child.process is None:
        if now >= child.start_again_at:
            _start(child, watched, now)
        return True
    code = child.process.poll()
    if code is None:
        return True
    child.process = None
    # Settings that were good once are still good: the port of a process that was killed may be
    # held for a moment by its workers, a disk may be full.
    if code == EXIT_BAD_SETTINGS and not child.has_run:
        return False
    child.has_run |= code != EXIT_BAD_SETTINGS
    if now - child.started_at >= STEADY_SECONDS:
        child.pause_seconds = 0.5
    child.start_again_at = now + child.pause_seconds
    logger.error(
        "%s ended with status %d; it starts again in %.1f s", child.name, code, child.pause_seconds
    )
    child.pause_seconds = min(child.pause_seconds * 2, PAUSE_SECONDS_MAX)
    return True


def _start(child: Child, watched: int, now: float) -> None:
    child.started_at = now
    child.process = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, *_path_option(), "-m", "collector", *child.arguments],
        pass_fds=(watched, *child.pass_fds),
        env={**os.environ, WATCH_VARIABLE: str(watched)},
        # A terminal's Ctrl-C reaches only the supervisor, which then stops its children in order.
        start_new_session=True,
    )


def _path_option() -> list[str]:
    """Keep Python from importing what lies in the directory of the start, unless we were."""
    return [] if {"", str(Path.cwd())} & set(sys.path) else ["-P"]


def _stop(children: Sequence[Child]) -> None:
    """Tell the children in order: who takes visits first, who stores them last."""
    for child in children:
        if child.process is None:
            continue
        child.process.send_signal(signal.SIGTERM)
        try:
            child.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.error("%s did not stop within %d s and is killed", child.name, STOP_SECONDS)
            child.process.kill()
            child.process.wait()


def end_with_supervisor() -> None:
    """In a child: end cleanly when the supervisor is gone. Does nothing without one."""
    descriptor = os.environ.pop(WATCH_VARIABLE, None)
    if descriptor is None:
        return

    def watch(fd: int) -> None:
        os.read(fd, 1)  # returns when the other end closes; nobody ever writes
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, args=(int(descriptor),), daemon=True, name="watch").start()
