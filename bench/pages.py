"""Measure how soon a seller's page is ready: `python -m bench.pages [MILLIONS]`.

A seller of 2,000 products has a year of counts, others have a hundred million; today's visits
arrived a moment ago. Every page is asked for again and again, over HTTP on 127.0.0.1, one at a
time. Today's numbers are asked for anew each time, where the default is every fifteen minutes.
"""

import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from bench.beacon import load, write_inputs
from bench.serving import SECRET, cpu_seconds, free_port, process, sign_in, token, verdict
from bench.year import SELLER

DAYS = 365
MILLIONS = 100.0
TIMES = 15
MS_WANTED = 100.0


def pages(first: str, last: str) -> dict[str, str]:
    """Return what a seller opens, by name: the dashboard's pages, then the API's answers."""
    product = f"product={quote('product-10')}"
    year = f"from={first}&to={last}"
    return {
        "overview, today": "/dashboard/?range=today",
        "overview, 7 days": "/dashboard/?range=7-days",
        "overview, 30 days": "/dashboard/?range=30-days",
        "overview, 90 days": "/dashboard/?range=90-days",
        "overview, 12 months": "/dashboard/?range=12-months",
        "overview, 12 months by change": "/dashboard/?range=12-months&sort=change&page=20",
        "overview, 30 days, a search": "/dashboard/?range=30-days&q=lamp",
        "product, 30 days": f"/dashboard/product?{product}&range=30-days",
        "product, 12 months": f"/dashboard/product?{product}&range=12-months",
        "what the numbers mean": "/dashboard/words",
        "API summary, a year": f"/api/v1/summary?{year}",
        "API timeseries, a year": f"/api/v1/timeseries?{year}",
        "API products, a year": f"/api/v1/products?{year}",
        "API breakdown, a year": f"/api/v1/breakdown?{year}&by=source",
    }


MARKET = {
    "marketplace, 30 days": "/dashboard/?range=30-days",
    "marketplace, 12 months": "/dashboard/?range=12-months",
    "marketplace, a seller's page": f"/dashboard/?range=30-days&seller={SELLER}",
}


def milliseconds(port: int, path: str, headers: Mapping[str, str]) -> tuple[list[float], int]:
    """Return how long each answer took, from asking to its last byte, and its size in bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times, size = [], 0
    for _ in range(TIMES):
        began = time.perf_counter()
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != http.client.OK:
            raise SystemExit(f"{path}: {answer.status}")
    connection.close()
    return times, size


def measure(port: int, first: str, last: str) -> tuple[str, float]:
    """Ask for everything and print it; return the slowest page and its median in milliseconds."""
    seller = {
        "Cookie": sign_in(port, SELLER),
        "Authorization": f"Bearer {token('stats', SELLER)}",
        "Accept-Encoding": "identity",
    }
    market = {"Cookie": sign_in(port, None)}
    medians = {}
    asked = [(name, path, seller) for name, path in pages(first, last).items()]
    asked += [(name, path, market) for name, path in MARKET.items()]
    for name, path, headers in asked:
        times, size = milliseconds(port, path, headers)
        medians[name] = statistics.median(times)
        print(
            f"  {name:32} median {medians[name]:6.1f} ms   worst {max(times):6.1f} ms"
            f"   {size / 1000:7.1f} kB",
            flush=True,
        )
    slowest = max(medians, key=lambda name: medians[name])
    return slowest, medians[slowest]


def main() -> int:
    """Run the bench; return 1 when the target is missed."""
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else MILLIONS
    last = datetime.now(UTC).date() - timedelta(1)
    first, end = (last - timedelta(DAYS - 1)).isoformat(), last.isoformat()
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as name:
        data = Path(name) / "data"
        subprocess.run(
            [sys.executable, "-m", "bench.year", data, str(millions), first, end], check=True
        )
        beacons, reports = free_port(), free_port()
        environment = {
            "COLLECTOR_DATA_DIR": str(data),
            "COLLECTOR_SECRET": SECRET,
            "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{beacons}",
            "COLLECTOR_REPORTS_BIND": f"127.0.0.1:{reports}",
            "COLLECTOR_TODAY_STEP_MINUTES": "0",
            "COLLECTOR_LOG_LEVEL": "error",
        }
        ready = f"http://127.0.0.1:{beacons}/readyz"
        with process(["-m", "collector", "beacons"], environment, ready) as pid:
            visits = load(beacons, write_inputs(Path(name)), 2, pid).requests
        ready = f"http://127.0.0.1:{reports}/readyz"
        # No core of its own: pages are read beside nothing here, and the engine has threads.
        with process(["-m", "collector", "reports"], environment, ready, "0,1") as pid:
            settle(pid)
            print(f"  {visits:,} visits of today; each page {TIMES} times:", flush=True)
            slowest, median = measure(reports, first, end)
    return verdict(
        {
            f"any page in {MS_WANTED:.0f} ms at the median; slowest: {slowest}, {median:.0f} ms": (
                median <= MS_WANTED
            )
        }
    )


def settle(pid: int) -> None:
    """Wait until the process has stored what waits: until it has nothing to do for a second."""
    for _ in range(60):
        before = cpu_seconds(pid)
        time.sleep(1)
        if cpu_seconds(pid) - before < 0.1:
            return


if __name__ == "__main__":
    sys.exit(main())
