"""A worker is killed at each of its mutating system calls; every answered hit is on disk, once.

A kill costs a third of a second, so `make test` takes every call of the first commits and of
midnight and a sample of the rest; `COLLECTOR_EVERY_FAULT=1` takes all.
"""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from collector.spool_file import files, is_finished
from collector.spool_reader import is_blank, reading
from tests.faults.appending import COUNT, day_of

EVERY_FAULT = bool(os.environ.get("COLLECTOR_EVERY_FAULT"))
SAMPLE = 40
SECONDS_MAX = 60
CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "mkdir", "openat")
LINE = re.compile(r"(\d+) +(\w+)\((.*)")


def append(folder: Path, *wrapper: str) -> tuple[int, set[int]]:
    """Append in a process of its own; return its exit status and the hits that it answered."""
    ours, theirs = os.pipe()
    with subprocess.Popen(
        [*wrapper, sys.executable, "-m", "tests.faults.appending", str(folder), str(theirs)],
        pass_fds=(theirs,),
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            answered = {int(line) for line in pipe.read().split()}
        process.wait(SECONDS_MAX)
    return process.returncode, answered


def kept(folder: Path) -> Counter[tuple[date, int]]:
    """Return how often each hit is on disk, by day and number, as a drain would read it."""
    found: Counter[tuple[date, int]] = Counter()
    for file in files(folder):
        assert is_finished(file)
        if not file.path.stat().st_size:
            continue  # killed between making the file and its first page
        with reading(file.path) as connection:
            if is_blank(connection):
                continue
            for product, visitor in connection.execute("select product, visitor from hits"):
                assert product == f"p{visitor}"
                found[file.day, visitor] += 1
    return found


def calls(folder: Path, log: Path) -> list[tuple[str, int]]:
    """Return (name, n) for each n-th mutating call on the spool that one of the threads makes."""
    status, answered = append(
        folder, "strace", "-f", "-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}"
    )
    assert status == 0
    assert answered == set(range(COUNT))
    seen: Counter[tuple[str, str]] = Counter()
    found = set()
    for line in log.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        thread, name, rest = match.groups()
        seen[thread, name] += 1
        if str(folder) in rest:
            found.add((name, seen[thread, name]))
    return sorted(found)


def chosen(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return every call, or every rare one and an even sample of the others."""
    if EVERY_FAULT:
        return found
    frequent = {"pwrite64", "fdatasync", "openat"}
    rare = [call for call in found if call[0] not in frequent]
    others = [call for call in found if call[0] in frequent]
    return sorted({*rare, *others[:: max(1, len(others) // SAMPLE)]})


def test_an_append_that_nobody_kills_keeps_every_hit_in_its_day(tmp_path: Path) -> None:
    """The comparison itself: all hits, each once, half of them on either side of midnight."""
    status, answered = append(tmp_path / "spool")
    assert (status, answered) == (0, set(range(COUNT)))
    assert kept(tmp_path / "spool") == Counter((day_of(n), n) for n in range(COUNT))


def test_killed_at_any_mutating_call_every_answered_hit_is_on_disk_once(tmp_path: Path) -> None:
    """SIGKILL at the call's entry, so it doesn't happen. What was answered is there; what was not
    may be there, but never twice; the lock of the dead worker's file is free."""
    found = calls(tmp_path / "traced", tmp_path / "trace")
    assert {"pwrite64", "fdatasync", "fsync", "mkdir", "openat"} <= {name for name, _ in found}
    killed = 0
    for name, when in chosen(found):
        folder = tmp_path / f"{name}-{when}"
        log = tmp_path / "log"
        status, answered = append(
            folder,
            "strace", "-f", "-o", str(log), "-e", f"trace={name}",
            "-e", f"inject={name}:signal=KILL:when={when}",
        )  # fmt: skip
        if status == 0:
            continue  # group commits differ from run to run: this time there were fewer calls
        assert status == -signal.SIGKILL
        killed += 1
        here = kept(folder)
        missing = [n for n in answered if here[day_of(n), n] != 1]
        assert not missing, f"killed at {name} {when}: answered and not kept: {missing}"
        assert not [key for key, times in here.items() if times > 1]
    assert killed >= 20


@pytest.mark.parametrize(("name", "when"), [("fdatasync", 10), ("pwrite64", 50)])
def test_a_failing_disk_answers_unavailable_and_keeps_what_it_answered(
    name: str, when: int, tmp_path: Path
) -> None:
    """From a certain call on every one fails with EIO. Hits answered before are on disk; the
    process ends with the error that its caller would turn into a 503."""
    status, answered = append(
        tmp_path / "spool",
        "strace", "-f", "-o", str(tmp_path / "log"), "-e", f"trace={name}",
        "-e", f"inject={name}:error=EIO:when={when}+",
    )  # fmt: skip
    assert "EIO" in (tmp_path / "log").read_text()
    assert status == 1
    assert answered
    assert answered != set(range(COUNT))
    here = kept(tmp_path / "spool")
    assert all(here[day_of(n), n] == 1 for n in answered)
