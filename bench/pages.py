"""Measure how soon a seller's page is ready: `python -m bench.pages [MILLIONS]`.

A seller of 2,000 products has a year of counts, others have a hundred million; today's visits
arrived a moment ago. Everything is asked for over HTTP on 127.0.0.1, one at a time: for other days
each time, so that nothing is known yet, and then for the same days again and again. Two figures
without a target stand apart: a year's overview as the first page of all after a start, when
nothing is remembered of any day, and after the marketplace told something anew.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.beacon import load, write_inputs
from bench.serving import SECRET, cpu_seconds, free_port, process, sign_in, token, verdict
from bench.year import SELLER

TIMES = 15
DAYS = 365 + TIMES  # The same year, a day earlier each time.
MILLIONS = 100.0
MS_WANTED = 100.0
PRODUCT = "product=product-10"


def pages() -> dict[str, tuple[int, str]]:
    """Return what a seller opens, by name: days and path; the dashboard's, then the API's."""
    return {
        "overview, 7 days": (7, "/dashboard/?"),
        "overview, 30 days": (30, "/dashboard/?"),
        "overview, 90 days": (90, "/dashboard/?"),
        "overview, a year": (365, "/dashboard/?"),
        "overview, a year by change": (365, "/dashboard/?sort=change&page=20&"),
        "overview, 30 days, a search": (30, "/dashboard/?q=lamp&"),
        "product, 30 days": (30, f"/dashboard/product?{PRODUCT}&"),
        "product, a year": (365, f"/dashboard/product?{PRODUCT}&"),
        "API summary, a year": (365, "/api/v1/summary?"),
        "API timeseries, a year": (365, "/api/v1/timeseries?"),
        "API products, a year": (365, "/api/v1/products?"),
        "API breakdown, a year": (365, "/api/v1/breakdown?by=source&"),
    }


MARKET = {
    "marketplace, 30 days": (30, "/dashboard/?"),
    "marketplace, a year": (365, "/dashboard/?"),
    "marketplace, a seller's 30 days": (30, f"/dashboard/?seller={SELLER}&"),
}


class Site:
    """The server: asks as one reader, on one connection."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = dict(headers)

    def milliseconds(self, path: str) -> float:
        """Return how long an answer took, from asking to its last byte."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != http.client.OK:
            raise SystemExit(f"{path}: {answer.status}")
        return took

    def close(self) -> None:
        self._connection.close()


def measure(port: int, last: date) -> tuple[str, str]:
    """Ask for everything and print it; return what is slowest anew, and what again."""
    seller = {
        "Cookie": sign_in(port, SELLER),
        "Authorization": f"Bearer {token('stats', SELLER)}",
    }
    # Of days that no other page asks for.
    year = "/dashboard/?" + span(last - timedelta(TIMES), 365)
    site = Site(port, seller)
    print(
        f"  {'a year, first after a start':32}        {site.milliseconds(year):6.1f} ms", flush=True
    )
    site.close()
    market = {"Cookie": sign_in(port, None)}
    anew, again = {}, {}
    for asked, headers in ((pages(), seller), (MARKET, market)):
        site = Site(port, headers)
        for name, (days, path) in asked.items():
            ranges = [path + span(last - timedelta(n), days) for n in range(TIMES)]
            first = [site.milliseconds(each) for each in ranges]
            anew[name] = statistics.median(first)
            again[name] = statistics.median(site.milliseconds(ranges[-1]) for _ in range(TIMES))
            print(
                f"  {name:32} median {anew[name]:6.1f} ms   worst {max(first):6.1f} ms"
                f"   again {again[name]:6.1f} ms",
                flush=True,
            )
        site.close()
    site = Site(port, seller)
    told = []
    for _ in range(TIMES):
        tell(port, last)
        told.append(site.milliseconds(year))
    site.close()
    print(f"  {'a year, after an upload':32} median {statistics.median(told):6.1f} ms", flush=True)
    return slowest(anew), slowest(again)


def tell(port: int, day: date) -> None:
    """Tell an order of somebody's, after which what was told is asked for anew."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    told = [{"date": f"{day}", "seller": "other-0", "product": "product-1", "orders": 1}]
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token('operator')}",
    }
    connection.request("POST", "/operator/totals", json.dumps(told), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"/operator/totals: {answer.status}")


def span(last: date, days: int) -> str:
    return f"from={last - timedelta(days - 1)}&to={last}"


def slowest(medians: Mapping[str, float]) -> str:
    """Return the slowest one's milliseconds and name."""
    name = max(medians, key=lambda each: medians[each])
    return f"{medians[name]:.0f} ms ({name})"


def main() -> int:
    """Run the bench; return 1 when the target is missed."""
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else MILLIONS
    last = datetime.now(UTC).date() - timedelta(1)
    first = last - timedelta(DAYS - 1)
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as name:
        data = Path(name) / "data"
        subprocess.run(
            [sys.executable, "-m", "bench.year", data, str(millions), str(first), str(last)],
            check=True,
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
            print(f"  {visits:,} visits of today; each {TIMES} times:", flush=True)
            anew, again = measure(reports, last)
    return verdict(
        {
            f"{what}: {told}, wanted {MS_WANTED:.0f}": float(told.split()[0]) <= MS_WANTED
            for what, told in (("slowest for new days", anew), ("slowest again", again))
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
