"""Drains in a process of its own, so that it can be killed: `python -m tests.faults.draining`.

Works in the folder that it is given until nothing waits, then prints every row that counts and
every alarm. A second word leads to a ClickHouse server; without it the folder has an engine of its
own. `prepare` fills such a folder with what a reports process may find in the morning.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from collector.drain import Drain
from collector.hit import Hit
from collector.ledger import Ledger
from collector.warehouse import Warehouse
from tests.collector.spooling import DAY, Worker, any_hits, hit

NEXT_DAY = date(2026, 1, 3)
STEPS_MAX = 50
SECONDS_MAX = 45
Rows = Counter[tuple[Any, ...]]


def drain(folder: Path, dsn: str = "") -> dict[str, Any]:
    """Drain until nothing waits and nothing is in doubt, or for fifty steps."""
    warehouse = Warehouse(folder / "clickhouse", dsn)
    ledger = Ledger(folder / "ledger.sqlite")
    pump = Drain(folder / "spool", ledger, warehouse, lambda: 1_767_345_600.0)
    for _ in range(STEPS_MAX):
        pump.step()
        if not pump.waiting() and not ledger.in_doubt() and not ledger.alarms.sounding():
            break
    client = warehouse.connect()
    columns = ", ".join(("day", *Hit._fields))
    rows = client.query(f"select {columns} from visible_hits").result_rows
    answer = {
        "rows": [[str(day), *rest] for day, *rest in rows],
        "alarms": [alarm.sentence for alarm in ledger.alarms.sounding()],
        "in doubt": len(ledger.in_doubt()),
    }
    pump.close()
    warehouse.close()
    ledger.close()
    return answer


def drain_for_ever(folder: Path) -> None:
    """Drain until killed, with hardly a pause."""
    warehouse = Warehouse(folder / "clickhouse")
    ledger = Ledger(folder / "ledger.sqlite")
    pump = Drain(folder / "spool", ledger, warehouse, lambda: 1_767_345_600.0)
    while True:
        pump.step()
        time.sleep(0.01)


def prepare(folder: Path, dsn: str = "") -> Rows:
    """Fill a folder and return what must count once it was drained.

    A day of which a part was drained already, by a worker that is gone; a second day with two
    files; somebody who withdrew on each, and came back on one.
    """
    chance = any_hits(400)
    eve = hit(visitor=0xF1E2D3C4B5A69788)
    old = Worker(folder / "spool", DAY)
    old.commit([*chance[:100], eve])
    drain(folder, dsn)
    old.erase("s", eve.visitor)
    old.commit([*chance[100:150], eve._replace(hour=20)])
    old.die()
    new, other = Worker(folder / "spool", NEXT_DAY), Worker(folder / "spool", NEXT_DAY)
    new.commit([*chance[150:300], eve])
    other.commit([*chance[300:], eve])
    marks = {new.writer.run: len(new.rows), other.writer.run: len(other.rows)}
    new.erase("s", eve.visitor, json.dumps(marks))
    new.finish()
    other.die()
    rows: Rows = Counter()
    for worker in (old, new, other):
        rows.update((str(worker.writer.day), *row) for row in worker.rows if row != eve)
    return rows


def run(folder: Path, *wrapper: str, dsn: str = "") -> subprocess.CompletedProcess[str]:
    """Drain a folder in a process of its own; whoever hangs is killed with everything it began."""
    command = [*wrapper, sys.executable, "-m", "tests.faults.draining", str(folder), dsn]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            told, wrong = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            told, wrong = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, told, wrong)


def counted(answer: dict[str, Any]) -> Rows:
    """Return the rows of an answer."""
    return Counter(tuple(row) for row in answer["rows"])


def copy(prepared: Path, folder: Path) -> None:
    """Begin anew in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared, folder, symlinks=True)


if __name__ == "__main__":
    if sys.argv[2:] == ["--for-ever"]:
        drain_for_ever(Path(sys.argv[1]))
    sys.stdout.write(json.dumps(drain(Path(sys.argv[1]), *sys.argv[2:])))
