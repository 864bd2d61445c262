"""Seals in a process of its own, so that it can be killed: `python -m tests.faults.sealing`.

`seal FOLDER DSN` works in a folder until its day is sealed, then prints what counts and pools
hold and what is left of the day. An empty DSN is an engine in the folder. `prepare FOLDER DSN`
fills such a folder: a Saturday that is sealed, and a Sunday with two workers' hits whose close
also ends the week.
"""

import json
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from collector.warehouse import Warehouse
from tests.collector.sealing import Shop, noon, some_hits, totals_of

SATURDAY, SUNDAY = date(2026, 6, 6), date(2026, 6, 7)


def seal(folder: Path, dsn: str) -> dict[str, Any]:
    """Seal what is due and return what came of it."""
    warehouse = Warehouse(folder / "clickhouse", dsn)
    shop = Shop(folder, warehouse)
    shop.midnight_after(SUNDAY)
    shop.drain_all()
    shop.seal_all()
    answer = {
        "totals": listed(shop.totals(SUNDAY)),
        "cells": listed(shop.cells()),
        "waiting": listed(shop.waiting()),
        "hits": shop.client.query("select count() from hits").result_rows[0][0],
        "state": shop.state_of(SUNDAY),
        "alarms": [alarm.sentence for alarm in shop.ledger.alarms.sounding()],
        "files": sorted(
            str(path.relative_to(folder))
            for place in ("spool", "seals", "salts")
            for path in (folder / place).rglob("*")
            if path.is_file() and path.suffix != ".closed"
        ),
    }
    shop.stop()
    warehouse.close()
    return answer


def prepare(folder: Path, dsn: str) -> dict[str, Any]:
    """Fill a folder and return what sealing it must come to."""
    warehouse = Warehouse(folder / "clickhouse", dsn)
    warehouse.migrate()
    shop = Shop(folder, warehouse)
    shop.now = noon(SATURDAY)
    shop.visit(SATURDAY, some_hits(300, 31, sellers=2, products=2))
    shop.midnight_after(SATURDAY)
    shop.seal_all()
    shop.now = noon(SUNDAY)
    shop.visit(SUNDAY, some_hits(200, 32, sellers=2, products=2), some_hits(150, 33))
    published, waiting = shop.expected([SATURDAY, SUNDAY], SUNDAY)
    expected = {
        "totals": listed(totals_of(shop.written[SUNDAY])),
        "cells": listed(published),
        "waiting": listed(waiting),
        "hits": 0,
        "state": "sealed",
        "alarms": [],
        "files": [],
    }
    shop.stop()
    warehouse.close()
    return expected


def listed(rows: Counter[tuple[Any, ...]]) -> list[list[Any]]:
    """Return rows in an order, as JSON has them."""
    return sorted([str(x) if isinstance(x, date) else x for x in row] for row in rows.elements())


if __name__ == "__main__":
    work = prepare if sys.argv[1] == "prepare" else seal
    sys.stdout.write(json.dumps(work(Path(sys.argv[2]), sys.argv[3])))
    sys.stdout.flush()
    os._exit(0)  # the engine's own end is not what is killed here
