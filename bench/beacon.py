"""Measure the beacon beside a server that does nothing: `python -m bench.beacon`.

Both answer the same GIF from the same uvicorn on the same core, in turn, to the same load. Then
every acknowledged hit is looked for in ClickHouse. Loads 127.0.0.1 only.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from bench.serving import (
    CONNECTIONS,
    HERE,
    LOAD_CORE,
    SECRET,
    cpu_seconds,
    free_port,
    process,
    token,
    verdict,
)
from collector import keys, page_tag

# Many short turns: who else is on the processor comes and goes within seconds, and must not meet
# one of the two servers only.
SECONDS = 2
ROUNDS = 15
PRODUCTS = 200
SELLERS = 10
AGENTS = 40
RATIO_WANTED, RATE_WANTED, P99_WANTED = 0.70, 8_000, 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw, in seconds and milliseconds, and the server's CPU seconds meanwhile."""

    requests: int
    seconds: float
    uncounted: int
    errors: int
    p50: float
    p99: float
    cpu: float

    @property
    def cpu_microseconds(self) -> float:
        """CPU microseconds of the server for each answer."""
        return self.cpu / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def write_inputs(directory: Path) -> tuple[Path, Path]:
    """Write the signed pairs and the user agents that the load sends."""
    key = keys.derive(SECRET.encode(), "page-tag")
    queries = []
    for number in range(PRODUCTS):
        seller, product = f"seller-{number % SELLERS}", f"product-{number}"
        fields = {
            "seller": seller,
            "product": product,
            "sig": page_tag.sign(seller, product, key),
            "ref": f"https://www.site{number % 30}.example.com/path?q={number}",
        }
        queries.append(urlencode(fields))
    agents = [
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
        " Safari/537.36"
        for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64")
        for version in range(120, 120 + AGENTS // 2)
    ]
    pairs, browsers = directory / "pairs", directory / "agents"
    pairs.write_text("\n".join(queries) + "\n")
    browsers.write_text("\n".join(agents) + "\n")
    return pairs, browsers


def load(port: int, inputs: tuple[Path, Path], seconds: int, pid: int) -> Load:
    """Run wrk on its own core against the server with that pid."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s",
         "-s", str(HERE / "load.lua"), f"http://127.0.0.1:{port}/", "--", *map(str, inputs)],
        check=True, capture_output=True, text=True, timeout=seconds + 60,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    microseconds = result.pop("microseconds")
    return Load(seconds=microseconds / 1e6, cpu=cpu_seconds(pid) - before, **result)


def ask(url: str, bearer: str) -> dict[str, int]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def stored(reports: int, expected: int) -> int:
    """Return how many views sellers see, once as many as expected are there or time is up."""
    operator = token("operator")
    today = datetime.now(UTC).date().isoformat()
    seen = 0
    for _ in range(240):
        seen = sum(
            ask(
                f"http://127.0.0.1:{reports}/api/v1/summary?from={today}&to={today}"
                f"&seller=seller-{number}",
                operator,
            )["views"]
            for number in range(SELLERS)
        )
        if seen >= expected:
            time.sleep(2)  # More than expected would arrive now.
            break
        time.sleep(0.5)
    return seen


def main() -> int:
    """Run the bench; return 1 when a target is missed or a hit is."""
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as name:
        directory = Path(name)
        inputs = write_inputs(directory)
        bare_port, beacons, reports = free_port(), free_port(), free_port()
        environment = {
            "COLLECTOR_DATA_DIR": str(directory / "data"),
            "COLLECTOR_SECRET": SECRET,
            "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{beacons}",
            "COLLECTOR_REPORTS_BIND": f"127.0.0.1:{reports}",
            "COLLECTOR_TODAY_STEP_MINUTES": "0",
            "COLLECTOR_VISITOR_VIEWS_MAX": "65535",
            "COLLECTOR_LOG_LEVEL": "error",
        }
        ours_url = f"http://127.0.0.1:{beacons}"
        bare_url = f"http://127.0.0.1:{bare_port}/"
        ready = f"http://127.0.0.1:{reports}/readyz"
        ours: list[Load] = []
        bare: list[Load] = []
        with (
            process(["-m", "collector", "reports"], environment, ready, LOAD_CORE) as storing,
            process(["-m", "collector", "beacons"], environment, f"{ours_url}/readyz") as answering,
            process(["-m", "bench.bare", f"127.0.0.1:{bare_port}"], {}, bare_url) as doing_nothing,
        ):
            idle = cpu_seconds(storing) + cpu_seconds(answering)
            acknowledged = load(beacons, inputs, 2, answering).requests
            for _ in range(ROUNDS):
                bare.append(load(bare_port, inputs, SECONDS, doing_nothing))
                ours.append(load(beacons, inputs, SECONDS, answering))
            acknowledged += sum(each.requests - each.uncounted for each in ours)
            found = stored(reports, acknowledged)
            cpu = cpu_seconds(storing) + cpu_seconds(answering) - idle
        return tell(ours, bare, acknowledged, found, cpu)


def tell(ours: list[Load], bare: list[Load], acknowledged: int, found: int, cpu: float) -> int:
    """Print what was measured; return the exit status."""
    ratios = [one.rate / other.rate for one, other in zip(ours, bare, strict=True)]
    ratio = statistics.median(ratios)
    rate = statistics.median(each.rate for each in ours)
    p99 = statistics.median(each.p99 for each in ours)
    print(f"one core, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s each, in turn")
    for label, loads in (("bare", bare), ("ours", ours)):
        print(
            f"  {label}  {statistics.median(each.rate for each in loads):9,.0f} answers/s"
            f"   p50 {statistics.median(each.p50 for each in loads):6.2f} ms"
            f"   p99 {statistics.median(each.p99 for each in loads):6.2f} ms"
            f"   {statistics.median(each.cpu_microseconds for each in loads):5.1f} us CPU each"
        )
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f"  ratio {ratio:.2f} (half of the rounds: {low:.2f} to {high:.2f})")
    print(f"  {cpu / acknowledged * 1000:.3f} CPU s per 1,000 hits, storing and reading included")
    # What was under way when wrk stopped was counted and not acknowledged: one per connection.
    spare = CONNECTIONS * (ROUNDS + 1)
    exact = acknowledged <= found <= acknowledged + spare
    uncounted = sum(each.uncounted + each.errors for each in ours)
    print(f"  acknowledged {acknowledged:,}, in ClickHouse {found:,}, other answers {uncounted}")
    return verdict(
        {
            f"a ratio of {ratio:.2f}, wanted {RATIO_WANTED} or more": ratio >= RATIO_WANTED,
            f"{rate:,.0f} hits a second, wanted {RATE_WANTED:,}": rate >= RATE_WANTED,
            f"p99 {p99:.1f} ms, wanted under {P99_WANTED:.0f}": p99 < P99_WANTED,
            "every acknowledged hit in ClickHouse once": exact and not uncounted,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
