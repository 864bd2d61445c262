"""nginx with GoAccess: the log that a shop's server writes anyway, read afterwards.

It is the other way to count, and the cheapest: no request of its own, no consent, every address
in a file.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

from bench.peers.figures import Figures, peak_mib, timed
from bench.peers.sending import request, send
from bench.peers.visits import HOST, Exact, Visit
from bench.serving import LOAD_CORE, cpu_seconds, free_port, process

TIMES = 5
ITEMS_MAX = "100000"
SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"


def measure(directory: Path, all_visits: Sequence[Visit]) -> Figures:
    """Serve today's visits under load, put the history's lines before them, and read the log."""
    today = all_visits[-1].day
    port = free_port()
    settings = Path(__file__).with_name("nginx.conf").read_text().replace("PORT", str(port))
    (directory / "nginx.conf").write_text(settings)
    program = shutil.which("nginx", path=SBIN)
    if program is None:
        raise SystemExit("nginx is missing: sudo apt-get install -y nginx goaccess")
    arguments = ["-p", str(directory), "-c", "nginx.conf", "-e", "stderr"]
    ready = f"http://127.0.0.1:{port}/"
    with process(arguments, {}, ready, program=program) as pid:
        log = directory / "access.log"
        log.write_text("")
        idle = cpu_seconds(pid)
        sent = send(port, requests(all_visits, today))
        cpu = cpu_seconds(pid) - idle
        memory = peak_mib(pid)
    reading_cpu, reading_memory = report(log, directory / "today.json")
    past = "".join(line(visit) for visit in all_visits if visit.day < today)
    (directory / "month.log").write_text(past + log.read_text())
    return Figures(
        "nginx + GoAccess",
        sent,
        cpu + reading_cpu,
        memory + reading_memory,
        counted(directory, all_visits, log.read_text()),
        timed(TIMES, partial(report, directory / "month.log", directory / "month.html")),
    )


def requests(all_visits: Sequence[Visit], today: date) -> list[bytes]:
    """Return today's visits: the pages themselves."""
    return [
        request("GET", visit.path, HOST, visit.address, visit.agent)
        for visit in all_visits
        if visit.day == today
    ]


def line(visit: Visit) -> str:
    """Return the line that nginx would have written on that day."""
    return (
        f'{visit.address} - - [{visit.day:%d/%b/%Y}:12:00:00 +0000] "GET {visit.path} HTTP/1.1"'
        f' 200 7 "-" "{visit.agent}"\n'
    )


def report(log: Path, to: Path) -> tuple[float, float]:
    """Let GoAccess read a log and write a report; return its CPU seconds and its MiB at most.

    The report's kind follows from its name: .html or .json.
    """
    started = subprocess.Popen(
        ["taskset", "-c", LOAD_CORE, "goaccess", log, "--log-format=COMBINED", "--no-progress",
         "--no-global-config", f"--max-items={ITEMS_MAX}", "-o", to],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"goaccess: status {started.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def counted(directory: Path, all_visits: Sequence[Visit], todays: str) -> Exact:
    """Return the distinct visitors of each page and day, from one report for each day."""
    today = all_visits[-1].day
    found = {}
    with tempfile.TemporaryDirectory(dir=directory) as name:
        log, told = Path(name) / "day.log", Path(name) / "day.json"
        for day in sorted({visit.day for visit in all_visits}):
            lines = "".join(line(visit) for visit in all_visits if visit.day == day)
            log.write_text(todays if day == today else lines)
            report(log, told)
            for row in json.loads(told.read_text())["requests"]["data"]:
                shop, _, page = row["data"].rpartition("/")
                if shop == "/shop":  # not the question whether nginx is there
                    found[day, page] = int(row["visitors"]["count"])
    return found
