"""Measure a large day's close: `python -m bench.seal [MILLIONS]`.

Ten million hits of one day, 200 sellers, 20,000 products, in the embedded engine: counted, loaded,
dropped and searched as the seal does it. Prints seconds, memory and bytes for each product's day.
"""

import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from random import SystemRandom

from collector.day_count import COUNT_SETTINGS, DayCount
from collector.integers import Integers
from collector.loading import Loading
from collector.removal import Remains, Removal
from collector.suppression import hold_back
from collector.warehouse import Client, Warehouse

DAY = date(2026, 6, 3)
STEP = 1_000_000
PRODUCTS = 20_000
SECONDS_WANTED, MIB_WANTED = 60, 2048


def main() -> None:
    """Measure and print."""
    hits = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "clickhouse")
        warehouse.migrate()
        fill(warehouse.connect(), hits)
        seconds = seal(warehouse, Path(folder) / "seals")
        size = (
            warehouse.connect()
            .query("select sum(bytes_on_disk) from system.parts where active and table = 'counts'")
            .result_rows[0][0]
        )
        warehouse.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{hits:,} hits sealed in {sum(seconds.values()):.1f} s (at most {SECONDS_WANTED}):")
    print("  " + ", ".join(f"{name} {each:.1f} s" for name, each in seconds.items()))
    print(f"  {memory:.0f} MiB resident at most (at most {MIB_WANTED})")
    print(f"  {size / PRODUCTS:.0f} bytes in counts for each product's day")


def fill(client: Client, hits: int) -> None:
    """Make the day's hits, behind the drain's back: that one is measured elsewhere."""
    statement = Path(__file__).with_suffix(".sql").read_text("utf-8")
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
