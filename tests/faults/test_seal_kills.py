"""The seal is killed at its renames, writes, syncs and unlinks; afterwards the day counts once.

With the embedded engine, and with a ClickHouse server, where it is killed at what it sends, too.
There are some hundred such calls and each costs two starts of the engine, so `make test` kills at
a sample that moves with the day of the year. `COLLECTOR_EVERY_FAULT=1` kills at all of them.
"""

import faulthandler
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clickhouse_server import engine_of

EVERY_FAULT = bool(os.environ.get("COLLECTOR_EVERY_FAULT"))
SAMPLE = {"embedded": 10, "server": 5}
OWN_SAMPLE = {"embedded": 10, "server": 5}
PARTS = 4
SECONDS_MAX = 90
CALLS = (
    "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link",
    "linkat", "unlink", "unlinkat", "ftruncate", "mkdir", "mkdirat", "rmdir", "sendto",
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
    """A folder to copy, its engine's kind, what sealing it must come to, and the calls it takes."""

    folder: Path
    kind: str
    expected: dict[str, Any]
    calls: list[Call]


def run(work: str, folder: Path, dsn: str, *wrapper: str) -> subprocess.CompletedProcess[str]:
    """Prepare or seal a folder in a process of its own."""
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "tests.faults.sealing", work, str(folder), dsn],
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


@pytest.fixture(scope="module", params=["embedded", "server"])
def prepared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Prepared:
    """One for all tests of this module, of each kind."""
    kind: str = request.param
    place = tmp_path_factory.mktemp("seal")
    with engine_of(place / "prepared", kind) as dsn:
        done = run("prepare", place / "prepared", dsn)
    assert done.returncode == 0, done.stderr
    copy(place / "prepared", place / "work")
    log = place / "trace"
    trace = ("strace", "-f", "-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    with engine_of(place / "work", kind) as dsn:
        traced = run("seal", place / "work", dsn, *trace)
    assert traced.returncode == 0, traced.stderr
    calls = list(calls_in(log.read_text(errors="replace"), place / "work"))
    engines = {"rename", "rmdir"} if kind == "embedded" else {"sendto"}
    assert {"write", "fsync", "unlink"} | engines <= {call.name for call in calls}
    assert sum(call.own for call in calls) > 30
    return Prepared(place / "prepared", kind, json.loads(done.stdout), calls)


def calls_in(log: str, folder: Path) -> list[Call]:
    """Return what the seal's thread did to files of a folder, and what it sent to its engine."""
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
                if any(place in rest for place in (str(folder), "memfd:", "<socket:", "<TCP:")):
                    calls.append(Call(name, seen[name], any(place in rest for place in own)))
    return calls


def chosen(prepared: Prepared) -> list[Call]:
    """Return every call, or a sample: the same every day, so that a run says something of a change
    and not of the date."""
    calls = prepared.calls
    if EVERY_FAULT:
        return calls
    found: set[Call] = set()
    for group, size in (
        ([call for call in calls if call.own], OWN_SAMPLE[prepared.kind]),
        ([call for call in calls if not call.own], SAMPLE[prepared.kind]),
    ):
        found.update(group[:: -(-len(group) // size)])
    return sorted(found)


def test_a_seal_that_nobody_kills_counts_the_day(prepared: Prepared, tmp_path: Path) -> None:
    """The comparison itself holds without a fault, and sees one missing cell."""
    copy(prepared.folder, tmp_path / "work")
    with engine_of(tmp_path / "work", prepared.kind) as dsn:
        answer = json.loads(run("seal", tmp_path / "work", dsn).stdout)
    assert answer == prepared.expected
    assert len(answer["cells"]) > 50
    assert {**answer, "cells": answer["cells"][1:]} != prepared.expected


@pytest.mark.timeout(0 if EVERY_FAULT else 270)  # an hour is not a hang there
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_a_mutating_call_the_day_is_counted_once(
    prepared: Prepared, tmp_path: Path, part: int
) -> None:
    """SIGKILL at the call's entry, so that it doesn't happen; then a start as any other. Totals,
    cells and what waits are the same as without it, and nothing of the day is left."""
    wrong: dict[Call, Any] = {}
    killed = 0
    calls = chosen(prepared)[part::PARTS]
    for call in calls:
        if EVERY_FAULT:
            faulthandler.cancel_dump_traceback_later()
        copy(prepared.folder, tmp_path / "work")
        with engine_of(tmp_path / "work", prepared.kind) as dsn:
            first = run(
                "seal", tmp_path / "work", dsn, "strace", "-f", "-o", str(tmp_path / "log"),
                "-e", f"trace={call.name}",
                "-e", f"inject={call.name}:signal=KILL:when={call.when}",
            )  # fmt: skip
            if first.returncode == 0:
                continue  # this time fewer calls of that kind were needed
            assert first.returncode == -signal.SIGKILL, first.stderr
            killed += 1
            second = run("seal", tmp_path / "work", dsn)
        answer = json.loads(second.stdout) if second.returncode == 0 else second.stderr[-300:]
        if answer != prepared.expected:
            wrong[call] = answer if isinstance(answer, str) else differing(answer, prepared)
    assert not wrong
    assert killed >= len(calls) // 2


def differing(answer: dict[str, Any], prepared: Prepared) -> list[str]:
    """Return the names of what differs."""
    return [name for name, value in answer.items() if value != prepared.expected[name]]
