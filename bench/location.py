"""Measure the location door beside a server that does nothing: `python -m bench.location`.

Both get the same requests on the same core, in turn: lookups of a marketplace's server, and of
browsers. Then batches of a hundred, one after the other. Loads 127.0.0.1 only.
"""

import http.client
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from ipaddress import IPv4Address
from pathlib import Path

from bench.serving import (
    CONNECTIONS,
    HERE,
    LOAD_CORE,
    SECRET,
    cpu_seconds,
    free_port,
    process,
    verdict,
)
from collector import keys, tokens

SECONDS = 4
ROUNDS = 3
BATCHES = 300
BATCH = 100
RATIO_WANTED, BATCH_MS_WANTED = 0.70, 2.0


def rate(port: int, method: str, token: str, pid: int) -> tuple[float, float]:
    """Return answers a second, under wrk on its own core, and the server's CPU microseconds each.

    The second figure says what the first would be on a machine with nothing else to do.
    """
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s",
         "-s", str(HERE / "location.lua"), f"http://127.0.0.1:{port}/", "--", method, token],
        check=True, capture_output=True, text=True, timeout=SECONDS + 60,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["missed"]:
        raise SystemExit(f"{method}: {result['missed']} answers were not 200")
    spent = cpu_seconds(pid) - before
    return float(result["rate"]), spent * 1e6 / (result["rate"] * SECONDS)


def batch_milliseconds(port: int, token: str) -> float:
    """Return the median time from sending a hundred lookups to having the whole answer."""
    chance = random.Random(7)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {token}"}
    times = []
    for _ in range(BATCHES):
        lookups = [{"ip": str(IPv4Address(chance.getrandbits(32)))} for _ in range(BATCH)]
        body = json.dumps({"lookups": lookups})
        began = time.perf_counter()
        connection.request("POST", "/location", body, headers)
        answer = connection.getresponse().read()
        times.append((time.perf_counter() - began) * 1000)
        if len(json.loads(answer)["results"]) != BATCH:
            raise SystemExit("a batch has fewer results than lookups")
    connection.close()
    return statistics.median(times)


def main() -> int:
    """Run the bench; return 1 when a target is missed."""
    token = tokens.mint("location", keys.derive(SECRET.encode(), "token"), now=int(time.time()))
    ratios: dict[str, list[float]] = {"POST": [], "GET": []}
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as name:
        ours, bare = free_port(), free_port()
        environment = {
            "COLLECTOR_DATA_DIR": str(Path(name) / "data"),
            "COLLECTOR_SECRET": SECRET,
            "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{ours}",
            "COLLECTOR_LOG_LEVEL": "error",
        }
        ready = f"http://127.0.0.1:{ours}/readyz"
        with (
            process(["-m", "collector", "beacons"], environment, ready) as our_pid,
            process(
                ["-m", "bench.bare", f"127.0.0.1:{bare}"], {}, f"http://127.0.0.1:{bare}/"
            ) as bare_pid,
        ):
            for _ in range(ROUNDS):
                for method, found in ratios.items():
                    nothing, nothing_cpu = rate(bare, method, token, bare_pid)
                    something, something_cpu = rate(ours, method, token, our_pid)
                    found.append(something / nothing)
                    print(
                        f"  {method:4}  bare {nothing:8,.0f}/s {nothing_cpu:5.1f} us CPU"
                        f"   location {something:8,.0f}/s {something_cpu:5.1f} us CPU"
                    )
            batch = batch_milliseconds(ours, token)
    met = {
        f"{method}: ratio {statistics.median(found):.2f} of {RATIO_WANTED}": (
            statistics.median(found) >= RATIO_WANTED
        )
        for method, found in ratios.items()
    }
    met[f"a batch of {BATCH}: {batch:.2f} ms of {BATCH_MS_WANTED}"] = batch < BATCH_MS_WANTED
    return verdict(met)


if __name__ == "__main__":
    sys.exit(main())
