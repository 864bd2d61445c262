"""The drain is killed at each of its mutating system calls; afterwards every row counts once.

With the embedded engine, and with a ClickHouse server, where it is killed at what it sends, too.
There are about 250 such calls and each costs two starts of the engine, so `make test` takes a
sample that moves with the day of the year. `COLLECTOR_EVERY_FAULT=1` takes all of them.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clickhouse_server import engine_of
from tests.faults.draining import SECONDS_MAX, Rows, copy, counted, run

EVERY_FAULT = bool(os.environ.get("COLLECTOR_EVERY_FAULT"))
SAMPLE = 8
PARTS = 16 if EVERY_FAULT else 1
CALLS = (
    "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link",
    "linkat", "unlink", "unlinkat", "ftruncate", "mkdir", "mkdirat", "sendto",
)  # fmt: skip
LINE = re.compile(r"(\w+)\((.*)")

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


class Call(NamedTuple):
    """The when-th call of one kind that the drain's thread makes."""

    name: str
    when: int


class Prepared(NamedTuple):
    """A folder to copy, its engine's kind, what must count at the end, and the calls it takes."""

    folder: Path
    kind: str
    rows: Rows
    calls: list[Call]


def injecting(call: Call, fault: str, log: Path) -> list[str]:
    """Return strace's command line for a fault at one call.

    Without -f it follows the thread that asks, in which chDB does its work; its own threads only
    sync files that this one waits for. A pipe between those doesn't fail on a full disk either.
    """
    return [
        "strace", "-o", str(log),
        "-e", f"trace={call.name}",
        "-e", f"inject={call.name}:{fault}:when={call.when}",
    ]  # fmt: skip


def traced(folder: Path, kind: str, log: Path) -> list[Call]:
    """Drain a folder; return each mutating call on a file in it, and what its engine was sent."""
    with engine_of(folder, kind) as dsn:
        trace = f"trace={','.join(CALLS)}"
        done = run(folder, "strace", "-y", "-o", str(log), "-e", trace, dsn=dsn)
    assert done.returncode == 0, done.stderr
    seen: Counter[str] = Counter()
    calls = []
    for line in log.read_text(errors="replace").splitlines():
        if match := LINE.match(line):
            seen[match[1]] += 1
            if any(place in match[2] for place in (str(folder), "memfd:", "<socket:", "<TCP:")):
                calls.append(Call(match[1], seen[match[1]]))
    return calls


@pytest.fixture(scope="module", params=["embedded", "server"])
def prepared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Prepared:
    """One for all tests, of each kind; preparing runs in a process of its own, for the engine's
    sake."""
    kind: str = request.param
    place = tmp_path_factory.mktemp("kills")
    story = (
        "import json, sys; from pathlib import Path; from tests.faults.draining import prepare;"
        "print(json.dumps(list(prepare(Path(sys.argv[1]), sys.argv[2]).elements())))"
    )
    with engine_of(place / "prepared", kind) as dsn:
        done = subprocess.run(
            [sys.executable, "-c", story, str(place / "prepared"), dsn],
            capture_output=True, text=True, timeout=SECONDS_MAX, check=True,
        )  # fmt: skip
    rows = Counter(tuple(row) for row in json.loads(done.stdout))
    copy(place / "prepared", place / "work")
    calls = traced(place / "work", kind, place / "trace")
    engines = {"rename", "mkdir", "unlink", "write"} if kind == "embedded" else {"sendto"}
    assert {"pwrite64", "fdatasync"} | engines <= {call.name for call in calls}
    assert len(calls) > 50
    return Prepared(place / "prepared", kind, rows, calls)


def chosen(calls: list[Call], most: int, part: int) -> list[Call]:
    """Return a part of all calls, or a sample: the same every day, so that a run says something
    of a change and not of the date."""
    if EVERY_FAULT:
        return calls[part::PARTS]
    return calls[:: -(-len(calls) // most)]


def wrong_after(prepared: Prepared, work: Path, dsn: str) -> str:
    """Start as any other time; say what is wrong with what counts then, or nothing."""
    second = run(work, dsn=dsn)
    if second.returncode:
        return second.stderr[-1000:]
    answer = json.loads(second.stdout)
    missing, extra = prepared.rows - counted(answer), counted(answer) - prepared.rows
    if missing or extra or answer["alarms"] or answer["in doubt"]:
        return f"{missing.total()} missing, {extra.total()} too many, {answer['alarms']}"
    return ""


def test_a_drain_that_nobody_kills_counts_every_row(prepared: Prepared, tmp_path: Path) -> None:
    """The comparison itself: without a fault it holds, and it notices one missing row."""
    copy(prepared.folder, tmp_path / "work")
    with engine_of(tmp_path / "work", prepared.kind) as dsn:
        answer = json.loads(run(tmp_path / "work", dsn=dsn).stdout)
    assert counted(answer) == prepared.rows
    assert counted({"rows": answer["rows"][1:]}) != prepared.rows


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_mutating_call_every_row_counts_once(
    prepared: Prepared, tmp_path: Path, part: int
) -> None:
    """SIGKILL at the call's entry, so it doesn't happen; then a start as any other."""
    wrong = {}
    killed = 0
    calls = chosen(prepared.calls, SAMPLE, part)
    for call in calls:
        copy(prepared.folder, tmp_path / "work")
        killing = injecting(call, "signal=KILL", tmp_path / "log")
        with engine_of(tmp_path / "work", prepared.kind) as dsn:
            first = run(tmp_path / "work", *killing, dsn=dsn)
            if first.returncode == 0:
                continue  # this time the engine needed fewer calls of that kind
            assert first.returncode == -signal.SIGKILL
            assert "killed by SIGKILL" in (tmp_path / "log").read_text(errors="replace")
            killed += 1
            if trouble := wrong_after(prepared, tmp_path / "work", dsn):
                wrong[call] = trouble
    assert not wrong
    assert killed >= 0.7 * len(calls)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (("fsync", "fdatasync"), "error=EIO"),
        (("write", "pwrite64", "mkdir", "ftruncate"), "error=ENOSPC"),
        (("rename", "renameat2", "unlink"), "error=EIO"),
    ],
    ids=["a sync fails", "the disk is full", "a rename or unlink fails"],
)
def test_a_call_that_fails_costs_no_row_and_adds_none(
    prepared: Prepared, tmp_path: Path, names: tuple[str, ...], fault: str, part: int
) -> None:
    """One call fails and the drain goes on, or gives up; the next start finds every row once."""
    wrong = {}
    failed = 0
    calls = chosen([call for call in prepared.calls if call.name in names], SAMPLE // 2, part)
    for call in calls:
        copy(prepared.folder, tmp_path / "work")
        with engine_of(tmp_path / "work", prepared.kind) as dsn:
            run(tmp_path / "work", *injecting(call, fault, tmp_path / "log"), dsn=dsn)
            failed += "(INJECTED)" in (tmp_path / "log").read_text(errors="replace")
            if trouble := wrong_after(prepared, tmp_path / "work", dsn):
                wrong[call] = trouble
    assert not wrong
    assert failed >= min(len(calls), max(1, len(calls) - 2))  # the last ones are not always made
