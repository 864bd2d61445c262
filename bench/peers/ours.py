"""Collector, with everything on: consent and signature checked, fsync before each answer."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.peers.figures import Figures, peak_mib, timed
from bench.peers.sending import request, send
from bench.peers.visits import HOST, SELLER, Exact, Visit
from bench.serving import LOAD_CORE, SECRET, cpu_seconds, free_port, process, sign_in, token
from collector import keys, page_tag

SETTLED = ("Nothing waits.", "Yesterday closed")
SETTLE_SECONDS = 120
TIMES = 15


def measure(directory: Path, all_visits: Sequence[Visit]) -> Figures:
    """Take the history, count today's visits under load, and read what is told."""
    today = all_visits[-1].day
    beacons, reports = free_port(), free_port()
    environment = {
        "COLLECTOR_DATA_DIR": str(directory / "data"),
        "COLLECTOR_SECRET": SECRET,
        "COLLECTOR_BEACONS_BIND": f"127.0.0.1:{beacons}",
        "COLLECTOR_REPORTS_BIND": f"127.0.0.1:{reports}",
        "COLLECTOR_TODAY_STEP_MINUTES": "0",
        "COLLECTOR_LOG_LEVEL": "error",
    }
    subprocess.run(
        [sys.executable, "-m", "bench.peers.history", today.isoformat()],
        env=os.environ | environment, check=True, timeout=120,
    )  # fmt: skip
    ready = f"http://127.0.0.1:{reports}/readyz"
    door = f"http://127.0.0.1:{beacons}/readyz"
    with (
        process(["-m", "collector", "reports"], environment, ready, LOAD_CORE) as storing,
        process(["-m", "collector", "beacons"], environment, door) as answering,
    ):
        settle(reports)
        idle = cpu_seconds(storing) + cpu_seconds(answering)
        sent = send(beacons, requests(all_visits, today))
        settle(reports, sent.requests)
        cpu = cpu_seconds(storing) + cpu_seconds(answering) - idle
        return Figures(
            "Collector",
            sent,
            cpu,
            peak_mib(storing) + peak_mib(answering),
            counted(reports, sorted({visit.day for visit in all_visits})),
            timed(TIMES, partial(page, reports, sign_in(reports, SELLER))),
        )


def requests(all_visits: Sequence[Visit], today: date) -> list[bytes]:
    """Return today's visits as the pages' pixels ask."""
    key = keys.derive(SECRET.encode(), "page-tag")
    return [
        request("GET", f"/pixel.gif?{pixel(visit.page, key)}", HOST, visit.address, visit.agent)
        for visit in all_visits
        if visit.day == today
    ]


def pixel(page: str, key: bytes) -> str:
    return urlencode({"seller": SELLER, "product": page, "sig": page_tag.sign(SELLER, page, key)})


def settle(port: int, views: int = 0) -> None:
    """Wait until every day before today is closed, and so many views of today are told."""
    end = time.monotonic() + SETTLE_SECONDS
    sentence = ""
    while time.monotonic() < end:
        try:
            status = ask(port, "/operator/status", token("operator"))
            sentence, today = status["sentence"], {"from": status["today"], "to": status["today"]}
            summary = ask(port, f"/api/v1/summary?{urlencode(today)}", token("stats", SELLER))
        except urllib.error.HTTPError:
            time.sleep(0.5)  # 503 while a day is being dropped
            continue
        if all(word in sentence for word in SETTLED) and (summary["views"] or 0) >= views:
            return
        time.sleep(0.1)
    raise SystemExit(f"not settled after {SETTLE_SECONDS} seconds: {sentence}")


def counted(port: int, days: Sequence[date]) -> Exact:
    """Return the distinct visitors of each product and day, as a seller's token is told."""
    found = {}
    for day in days:
        asked = {"from": day.isoformat(), "to": day.isoformat(), "limit": 1000}
        answer = ask(port, f"/api/v1/products?{urlencode(asked)}", token("stats", SELLER))
        for row in answer["products"]:
            found[day, row["product"]] = int(row["visitor_days"])
    return found


def page(port: int, cookie: str) -> None:
    """Open the seller's overview of 30 days."""
    get(f"http://127.0.0.1:{port}/dashboard/?range=30-days", {"Cookie": cookie})


def ask(port: int, path: str, bearer: str) -> Any:
    return json.loads(get(f"http://127.0.0.1:{port}{path}", {"Authorization": f"Bearer {bearer}"}))


def get(url: str, headers: Mapping[str, str]) -> bytes:
    asked = urllib.request.Request(url, headers=dict(headers))
    with urllib.request.urlopen(asked, timeout=60) as answer:
        content: bytes = answer.read()
    return content
