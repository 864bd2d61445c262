"""Drains on a disk that is full to the last byte, then on the same disk with room again.

`python -m tests.faults.draining_on_full_disk FOLDER`, where FOLDER is a small disk of its own;
prints what was seen.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from collector.drain import Drain
from collector.ledger import Ledger
from collector.warehouse import Warehouse
from tests.faults.draining import counted, prepare, run

STEPS = 5


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def drain_through(data: Path, filler: Path) -> dict[str, Any]:
    """Drain while the disk is full, and go on when it isn't any more."""
    warehouse = Warehouse(data / "clickhouse")
    ledger = Ledger(data / "ledger.sqlite")
    pump = Drain(data / "spool", ledger, warehouse, lambda: 1_767_345_600.0)
    fill(filler)
    free = os.statvfs(data).f_bavail
    for _ in range(STEPS):
        pump.step()
    sounding = [alarm.code for alarm in ledger.alarms.sounding()]
    filler.unlink()
    for _ in range(STEPS):
        pump.step()
    answer = {
        "free": free,
        "full": sounding,
        "waiting after": pump.waiting(),
        "alarms after": [alarm.code for alarm in ledger.alarms.sounding()],
    }
    pump.close()
    warehouse.close()
    ledger.close()
    return answer


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    rows = prepare(folder / "data")
    fill(folder / "filler")
    refused = run(folder / "data")
    (folder / "filler").unlink()
    answer = drain_through(folder / "data", folder / "filler")
    after = json.loads(run(folder / "data").stdout)
    answer |= {
        "start": refused.stderr.strip().splitlines()[-1:],
        "right": counted(after) == rows,
        "alarms at last": after["alarms"],
    }
    sys.stdout.write(json.dumps(answer))
