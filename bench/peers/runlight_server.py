"""Runlight as its README has it for an app, served as we are: `runlight_server.py DIRECTORY PORT`.

Runs in the peers' own virtual environment and imports nothing of ours. With a file of visits, one
JSON list a line, instead of a port: takes those, with the clock as the argument that it offers.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

TOKEN = "t" * 40
SITE = {"name": "shop.example", "hostnames": ["shop.example"], "timezone": "UTC"}
ROLLUPS_MAX = 30


def runlight(directory: Path, **more: Any) -> Any:
    """Return an instance with SQLite, its default. Its limit of 120 a minute is for visitors."""
    package = importlib.import_module("runlight")
    store = importlib.import_module("runlight.store").Stores.sqlite(str(directory / "runlight.db"))
    return package.Runlight(store=store, site=SITE, rate_limit=False, **more)


def serve(directory: Path, port: int) -> None:
    application = importlib.import_module("runlight.asgi").app(runlight(directory), token=TOKEN)
    importlib.import_module("uvicorn").run(
        application, host="127.0.0.1", port=port, loop="uvloop", http="httptools",
        access_log=False, log_level="error",
    )  # fmt: skip


def take(directory: Path, visits: Path) -> None:
    """Take visits at the times that they name, then build what its scheduled check builds."""
    now = [0]
    instance = runlight(directory, now=lambda: now[0])
    request = importlib.import_module("runlight.http").Request
    for line in visits.read_text().splitlines():
        now[0], url, headers, body = json.loads(line)
        instance.collect(request(url, "POST", headers, body.encode(), "127.0.0.1"))
    now[0] += 24 * 3600 * 1000
    for _ in range(ROLLUPS_MAX):
        instance.build_rollups()


if __name__ == "__main__":
    where, what = Path(sys.argv[1]), sys.argv[2]
    if what.isdigit():
        serve(where, int(what))
    else:
        take(where, Path(what))
