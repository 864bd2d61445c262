"""The country is for tax and shipping: it is in no number, no table and no export."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journeys import backend
from tests.journeys.asking import ask
from tests.journeys.running import GRANTED, ROOT, Collector, new_seller, running

# Nobody else's visits come from there, and no word of ours looks like it.
COUNTRY = re.compile(r"\bZW\b|Zimbabwe|Simbabwe")
ADDRESSES = [f"41.57.64.{last}" for last in range(7, 12)]
PRODUCT = "marked-product"

DUMP = """
import json, sys
from pathlib import Path
from collector.warehouse import Warehouse
warehouse = Warehouse(Path(sys.argv[1]))
client = warehouse.connect()
rows = client.query("show tables").result_rows
tables = {name: client.query(f"select * from {name}") for (name,) in rows}
print(json.dumps({name: [found.column_names, found.result_rows] for name, found in tables.items()},
                 default=str))
warehouse.close()
"""


def visit(collector: Collector, seller: str, address: str) -> str:
    """Visit a product, ask for the country in every way, choose it, and visit again; return what
    the location door said."""
    forwarded = {"X-Forwarded-For": address}
    chosen = f"{GRANTED}; tax_country=ZW"
    token = backend.token(collector.secret, scope="location")
    marketplace = {"Authorization": f"Bearer {token}"}
    own = {"Origin": f"http://127.0.0.1:{collector.beacons}"}
    assert collector.pixel(seller, PRODUCT, headers=forwarded).counted == "yes"
    said = [
        ask(collector.beacons, "POST", "/location", marketplace,
            json.dumps({"ip": address}).encode()),
        ask(collector.beacons, "GET", "/location", forwarded),
        ask(collector.beacons, "PUT", "/location", own, b'{"country": "ZW"}'),
    ]  # fmt: skip
    again = collector.post(
        seller, PRODUCT, cookie=chosen, headers=forwarded, ref="https://a.example"
    )
    assert again.counted == "yes"
    return "\n".join(answer.content.decode() for answer in said)


def exported(collector: Collector, seller: str) -> str:
    """Return all that can be read about a seller and about the servers."""
    today = datetime.now(UTC).date().isoformat()
    stats = backend.token(collector.secret, scope="stats", sub=seller)
    texts = []
    for path in ("summary", "timeseries", "products", "export.csv"):
        answer = collector.api(path, stats, from_=today, to=today)
        assert answer.status == 200, (path, answer.content)
        texts.append(answer.content.decode())
    for by in ("source", "campaign", "device", "browser", "os", "hour"):
        texts.append(
            collector.api("breakdown", stats, from_=today, to=today, by=by).content.decode()
        )
    operator = {"Authorization": f"Bearer {collector.token('operator')}"}
    for port in (collector.beacons, collector.reports):
        metrics = ask(port, "GET", "/metrics", operator)
        assert metrics.status == 200
        texts.append(metrics.content.decode())
    return "\n".join(texts)


def in_sqlite(data: Path) -> Iterator[str]:
    """Yield every row of every table of every SQLite file."""
    for path in data.rglob("*.sqlite"):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        for table, sql in connection.execute("select name, sql from sqlite_master").fetchall():
            yield f"{path.name}: {sql}"
            if sql and sql.lower().startswith("create table"):
                for row in connection.execute(f'select * from "{table}"'):
                    yield f"{path.name} {table}: {row}"
        connection.close()


@pytest.mark.slow
def test_no_country_reaches_the_statistics(directory: Path) -> None:
    """Five visitors from one country visit, are located, choose it and visit again. Then every
    export, metric, table of ClickHouse and row of every SQLite file is read: the product is there,
    and the country is nowhere."""
    seller = new_seller()
    with running(directory) as collector:
        said = "\n".join(visit(collector, seller, address) for address in ADDRESSES)
        assert said.count('"country": "ZW"') == 3 * len(ADDRESSES), "the door did not know it"
        assert collector.summary(seller) == (2 * len(ADDRESSES), len(ADDRESSES))
        exports = exported(collector, seller)
    dump = subprocess.run(
        [sys.executable, "-c", DUMP, str(collector.data / "clickhouse")],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    rows = "\n".join(in_sqlite(collector.data))
    tables = json.loads(dump)
    assert {"hits", "counts", "erased"} <= set(tables)
    for place in (exports, json.dumps(tables["hits"]), rows):
        assert PRODUCT in place, "what is certainly there was not found"
    for place in (exports, dump, rows, collector.output):
        assert not COUNTRY.findall(place)
    columns = {column for names, _ in tables.values() for column in names}
    assert not {name for name in columns if "country" in name or "location" in name}
