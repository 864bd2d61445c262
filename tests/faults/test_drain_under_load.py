"""The drain is killed again and again while a worker writes; every answered hit counts once."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from tests.collector.spooling import DAY, Worker, any_hits
from tests.faults.draining import SECONDS_MAX, counted, run

KILLS = 6


def arrived(folder: Path) -> int:
    """Return how many batches the ledger calls stored."""
    path = folder / "ledger.sqlite"
    if not path.exists():
        return 0
    question = "select count(*) from batches where state = 'stored'"
    with closing(sqlite3.connect(path, timeout=10)) as base, suppress(sqlite3.OperationalError):
        return int(base.execute(question).fetchone()[0])
    return 0  # its tables are being made


def test_killed_at_any_moment_under_load_every_hit_counts_once(tmp_path: Path) -> None:
    """A worker commits group after group and somebody withdraws now and then, while the drain is
    killed six times in the middle of its work, which the ledger proves; then it is left alone.
    What counts are the worker's rows less those that came before their visitor's withdrawal."""
    worker = Worker(tmp_path / "spool")
    chance = random.Random()
    done = threading.Event()
    withdrawn: dict[tuple[str, int], int] = {}  # up to which row

    def write() -> None:
        for hits in iter(lambda: any_hits(60, seed=chance.randrange(10**9)), None):
            if done.is_set():
                return
            worker.commit(hits)
            if chance.random() < 0.1:
                worker.erase(hits[0].seller, hits[0].visitor)
                withdrawn[hits[0].seller, hits[0].visitor] = len(worker.rows)
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    progress = [0]
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.draining", str(tmp_path), "--for-ever"]
        )
        deadline = time.monotonic() + SECONDS_MAX
        while arrived(tmp_path) < progress[-1] + 3 and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.0, 0.1))
        child.send_signal(signal.SIGKILL)
        assert child.wait(SECONDS_MAX) == -signal.SIGKILL
        progress.append(arrived(tmp_path))
    done.set()
    writer.join()
    worker.finish()
    assert progress == sorted(set(progress)), "each was killed after it had drained something"

    answer = json.loads(run(tmp_path).stdout)
    assert not answer["alarms"]
    rows = Counter(
        (str(DAY), *row)
        for number, row in enumerate(worker.rows, 1)
        if number > withdrawn.get((row.seller, row.visitor), 0)
    )
    assert counted(answer) == rows
    assert 1000 < rows.total() < len(worker.rows)
