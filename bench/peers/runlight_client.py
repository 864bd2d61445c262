"""Runlight: a Python package with the same promise to visitors, and the same uvicorn beneath."""

import json
import subprocess
import urllib.request
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.peers.figures import Figures, peak_mib, timed
from bench.peers.runlight_server import TOKEN
from bench.peers.sending import request, send
from bench.peers.visits import DAYS, HOST, Exact, Visit
from bench.serving import cpu_seconds, free_port, process

SERVER = Path(__file__).with_name("runlight_server.py")
BASE = "/runlight"
TIMES = 15
# What its dashboard asks for as it opens, as a browser's list of requests shows.
OPENING = (
    "breakdown?dimension=page&limit=50",
    "breakdown?dimension=channel&limit=50",
    "breakdown?dimension=country&limit=50",
    "breakdown?dimension=device&limit=50",
    "breakdown?dimension=event&limit=50",
    "breakdown?dimension=utm_campaign&limit=50",
    "breakdown?dimension=ai_agent&limit=50",
    "rhythm?",
    "stats?",
    "series?",
)


def measure(directory: Path, all_visits: Sequence[Visit], python: Path) -> Figures:
    """Take the history, count today's visits under load, and read what is told."""
    today = all_visits[-1].day
    past = directory / "past"
    past.write_text("".join(f"{line}\n" for line in history(all_visits, today)))
    subprocess.run([python, SERVER, directory, past], check=True, timeout=300)
    port = free_port()
    ready = f"http://127.0.0.1:{port}{BASE}/s.js"
    with process([str(SERVER), str(directory), str(port)], {}, ready, program=str(python)) as pid:
        idle = cpu_seconds(pid)
        sent = send(port, requests(all_visits, today))
        cpu = cpu_seconds(pid) - idle
        return Figures(
            "runlight",
            sent,
            cpu,
            peak_mib(pid),
            counted(port, sorted({visit.day for visit in all_visits})),
            timed(TIMES, partial(page, port, today)),
        )


def body(visit: Visit) -> bytes:
    """Return what its script sends when a page is opened."""
    said = {"k": "pageview", "u": f"https://{HOST}{visit.path}", "r": "", "t": visit.page,
            "w": 1920, "h": 1080, "l": "en-GB"}  # fmt: skip
    return json.dumps(said).encode()


def history(all_visits: Sequence[Visit], today: date) -> list[str]:
    """Return the visits before today: time in milliseconds, URL, headers and body of each."""
    lines = []
    for number, visit in enumerate(all_visits):
        if visit.day < today:
            midnight = datetime(*visit.day.timetuple()[:3], tzinfo=UTC)
            at = int(midnight.timestamp() * 1000) + 300_000 + number
            headers = [["user-agent", visit.agent], ["x-forwarded-for", visit.address]]
            lines.append(json.dumps([at, f"https://{HOST}{BASE}/e", headers, body(visit).decode()]))
    return lines


def requests(all_visits: Sequence[Visit], today: date) -> list[bytes]:
    """Return today's visits as its script sends them."""
    return [
        request("POST", f"{BASE}/e", HOST, visit.address, visit.agent, body(visit))
        for visit in all_visits
        if visit.day == today
    ]


def counted(port: int, days: Sequence[date]) -> Exact:
    """Return the distinct visitors of each page and day."""
    found = {}
    for day in days:
        asked = {"dimension": "page", "limit": 1000, "from": day, "to": day, "compare": "off"}
        for row in ask(port, f"breakdown?{urlencode(asked)}")["rows"]:
            found[day, row["value"].rpartition("/")[2]] = int(row["visitors"])
    return found


def page(port: int, today: date) -> None:
    """Ask for what the dashboard shows of 30 days, one after the other."""
    asked = urlencode({"from": today - timedelta(DAYS - 1), "to": today, "compare": "off"})
    for path in OPENING:
        ask(port, f"{path}&{asked}")


def ask(port: int, path: str) -> Any:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{BASE}/api/{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)
