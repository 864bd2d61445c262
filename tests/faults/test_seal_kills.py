"""The seal is killed at its renames, writes, syncs and unlinks; afterwards the day counts once.

There are some hundred such calls and each costs two starts of the engine, so `make test` kills at
a sample that moves with the day of the year, and at every call on the seal's own files.
`COLLECTOR_EVERY_FAULT=1` kills at all of them.
"""

import faulthandler
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

EVERY_FAULT = bool(os.environ.get("COLLECTOR_EVERY_FAULT"))
SAMPLE = 10
OWN_SAMPLE = 10
SECONDS_MAX = 90
CALLS = (
    "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link",
    "linkat", "unlink", "unlinkat", "ftruncate", "mkdir", "mkdirat", "rmdir",
)  # fmt: skip
LINE = re.compile(r"(\d+) +(\w+)\((.*)")

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
    pytest.mark.slow,
]


class Call(NamedTuple):
    """The when-th call of one kind in the seal's thread; own: on a file of the seal itself."""

    name: str
    when: int
    own: bool


class Prepared(NamedTuple):
    """A folder to copy, what sealing it must come to, and the calls that sealing it makes."""

    folder: Path
    expected: dict[str, Any]
    calls: list[Call]


def run(work: str, folder: Path, *wrapper: str) -> subprocess.CompletedProcess[str]:
    """Prepare or seal a folder in a process of its own."""
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "tests.faults.sealing", work, str(folder)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def copy(prepared: Path, folder: Path) -> None:
    """Begin anew in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared, folder, symlinks=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """One for all tests of this module."""
    place = tmp_path_factory.mktemp("seal")
    done = run("prepare", place / "prepared")
    assert done.returncode == 0, done.stderr
    copy(place / "prepared", place / "work")
    log = place / "trace"
    trace = ("strace", "-f", "-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    traced = run("seal", place / "work", *trace)
    assert traced.returncode == 0, traced.stderr
    calls = list(calls_in(log.read_text(errors="replace"), place / "work"))
    assert {"rename", "write", "fsync", "unlink", "rmdir"} <= {call.name for call in calls}
    assert sum(call.own for call in calls) > 30
    return Prepared(place / "prepared", json.loads(done.stdout), calls)


def calls_in(log: str, folder: Path) -> list[Call]:
    """Return the mutating calls on files of a folder that the seal's thread made."""
    seen: Counter[str] = Counter()
    calls = []
    main = ""
    own = (f"{folder}/seals", f"{folder}/spool", f"{folder}/ledger", f"{folder}/salts")
    for line in log.splitlines():
        if match := LINE.match(line):
            thread, name, rest = match.groups()
            main = main or thread
            if thread == main:
                seen[name] += 1
                if str(folder) in rest or "memfd:" in rest:
                    calls.append(Call(name, seen[name], any(place in rest for place in own)))
    return calls


def chosen(calls: list[Call]) -> list[Call]:
    """Return every call, or a sample that differs from day to day."""
    if EVERY_FAULT:
        return calls
    today = time.localtime().tm_yday
    found: set[Call] = set()
    for group, size in (
        ([call for call in calls if call.own], OWN_SAMPLE),
        ([call for call in calls if not call.own], SAMPLE),
    ):
        step = max(1, len(group) // size)
        found.update(group[today % step :: step])
    return sorted(found)


def test_a_seal_that_nobody_kills_counts_the_day(prepared: Prepared, tmp_path: Path) -> None:
    """The comparison itself holds without a fault, and sees one missing cell."""
    copy(prepared.folder, tmp_path / "work")
    answer = json.loads(run("seal", tmp_path / "work").stdout)
    assert answer == prepared.expected
    assert len(answer["cells"]) > 50
    assert {**answer, "cells": answer["cells"][1:]} != prepared.expected


def test_killed_at_a_mutating_call_the_day_is_counted_once(
    prepared: Prepared, tmp_path: Path
) -> None:
    """SIGKILL at the call's entry, so that it doesn't happen; then a start as any other. Totals,
    cells and what waits are the same as without it, and nothing of the day is left."""
    wrong: dict[Call, Any] = {}
    killed = 0
    calls = chosen(prepared.calls)
    for call in calls:
        if EVERY_FAULT:
            faulthandler.cancel_dump_traceback_later()  # an hour is not a hang here
        copy(prepared.folder, tmp_path / "work")
        log = tmp_path / "log"
        first = run(
            "seal", tmp_path / "work", "strace", "-f", "-o", str(log),
            "-e", f"trace={call.name}", "-e", f"inject={call.name}:signal=KILL:when={call.when}",
        )  # fmt: skip
        if first.returncode == 0:
            continue  # this time fewer calls of that kind were needed
        assert first.returncode == -signal.SIGKILL, first.stderr
        killed += 1
        second = run("seal", tmp_path / "work")
        answer = json.loads(second.stdout) if second.returncode == 0 else second.stderr[-300:]
        if answer != prepared.expected:
            wrong[call] = answer if isinstance(answer, str) else differing(answer, prepared)
    assert not wrong
    assert killed >= 0.7 * len(calls)


def differing(answer: dict[str, Any], prepared: Prepared) -> list[str]:
    """Return the names of what differs."""
    return [name for name, value in answer.items() if value != prepared.expected[name]]
