"""A large day and its close: `nice python -m bench.large_day FOLDER HITS`; bench.seal starts it.

Fills the engine, says so, and waits for a line; then counts, loads, drops and searches as the seal
does it, and tells how long each took.
"""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path
from random import SystemRandom

from bench.serving import HERE
from collector.close.day_count import COUNT_SETTINGS, DayCount
from collector.close.integers import Integers
from collector.close.loading import Loading
from collector.close.removal import Remains, Removal
from collector.http.server import collect_seldom
from collector.suppression import hold_back
from collector.warehouse import Client, Warehouse

DAY = date(2026, 6, 3)
STEP = 1_000_000


def main() -> None:
    """Fill; when told to, seal; print seconds by step, MiB at most and bytes of counts as JSON."""
    folder, hits = Path(sys.argv[1]), int(sys.argv[2])
    warehouse = Warehouse(folder / "clickhouse")
    warehouse.migrate()
    fill(warehouse.connect(), hits)
    print("filled", flush=True)
    collect_seldom()  # as every process that serves does
    sys.stdin.readline()
    seconds = seal(warehouse, folder / "seals")
    size = (
        warehouse.connect()
        .query("select sum(bytes_on_disk) from system.parts where active and table = 'counts'")
        .result_rows[0][0]
    )
    warehouse.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": memory, "bytes": size}), flush=True)


def fill(client: Client, hits: int) -> None:
    """Make the day's hits, behind the drain's back: that one is measured elsewhere."""
    statement = (HERE / "seal.sql").read_text("utf-8")
    for first in range(0, hits, STEP):
        asked = {"day": DAY, "first": first, "rows": min(STEP, hits - first)}
        client.command(statement, parameters=asked)


def seal(warehouse: Warehouse, directory: Path) -> dict[str, float]:
    """Seal the day; return the seconds of each step."""
    client = warehouse.connect(**COUNT_SETTINGS)
    times = [time.perf_counter()]
    removal = Removal(DAY, directory, warehouse.path)
    removal.keep_sample(client)
    counting = DayCount(DAY, DAY, lambda month: 5, hold_back(SystemRandom()))
    with Integers(directory, DAY, 1) as integers:
        manifest = counting.into(integers, client, {})
    times.append(time.perf_counter())
    Loading(warehouse, client, directory, manifest).load()
    times.append(time.perf_counter())
    while True:
        try:
            removal.drop(client)
            break
        except Remains:
            time.sleep(0.1)
    assert removal.search(client).nothing
    times.append(time.perf_counter())
    names = ("count", "load", "drop and search")
    return {name: end - begin for name, begin, end in zip(names, times, times[1:], strict=False)}


if __name__ == "__main__":
    main()
