"""A year of counts, made inside ClickHouse: `python -m bench.year DIRECTORY MILLIONS FIRST LAST`.

A process of its own, because an engine's directory is opened by one process, once. What it leaves
is a data directory as a year of closes would: counts, the days' states, a catalogue.
"""

import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from bench.serving import HERE
from collector.ledger import Ledger
from collector.warehouse import Client, Warehouse
from dashboards.catalogue import Catalogue, Listing

SELLER = "seller-0"
PRODUCTS = 2000
MERGE_SECONDS_MAX = 300
WORDS = "Oak Ash Blue Linen Old Small Round Red".split()
THINGS = "table mug apron stool lamp bowl basket quilt rug vase".split()


def months(first: date, last: date) -> Iterator[tuple[date, int]]:
    """Yield the first day and the number of days of each month's part between two days."""
    while first <= last:
        following = (first.replace(day=1) + timedelta(32)).replace(day=1)
        end = min(last, following - timedelta(1))
        yield first, (end - first).days + 1
        first = following


def fill(client: Client, rows: int, first: date, last: date) -> None:
    """Make the counts: those of others month by month, then one seller's year."""

    def tell(name: str, **asked: object) -> None:
        client.command((HERE / f"pages_{name}.sql").read_text("utf-8"), parameters=asked)

    days = (last - first).days + 1
    for month, length in months(first, last):
        tell("others", month=month, days=length, rows=rows * length // days)
    tell("seller", seller=SELLER, first=first, days=days, products=PRODUCTS)
    tell("outcomes", first=first, days=days)


def wait_for_merges(client: Client) -> None:
    """Wait until the engine has put its parts together, as it does overnight."""
    end = time.monotonic() + MERGE_SECONDS_MAX
    while time.monotonic() < end:
        if not client.query("select count() from system.merges").result_rows[0][0]:
            return
        time.sleep(1)


def listings() -> Iterator[Listing]:
    for number in range(PRODUCTS):
        word, thing = WORDS[number % len(WORDS)], THINGS[number % len(THINGS)]
        product = f"product-{number}"
        yield Listing(
            SELLER, product, f"{word} {thing} {number}", f"https://shop.example/{product}"
        )


def main() -> None:
    """Fill the directory; print what it holds."""
    directory, millions = Path(sys.argv[1]), float(sys.argv[2])
    first, last = map(date.fromisoformat, sys.argv[3:5])
    directory.mkdir(mode=0o700)
    began = time.monotonic()
    warehouse = Warehouse(directory / "clickhouse")
    warehouse.migrate()
    client = warehouse.connect()
    fill(client, int(millions * 1e6), first, last)
    wait_for_merges(client)
    rows, size, parts = client.query(
        "select sum(rows), sum(bytes_on_disk), count() from system.parts"
        " where active and table = 'counts'"
    ).result_rows[0]
    warehouse.close()
    ledger = Ledger(directory / "ledger.sqlite")
    ledger.learn_sealed(first + timedelta(n) for n in range((last - first).days + 1))
    ledger.close()
    Catalogue(directory / "catalogue.sqlite").put(listings())
    took = time.monotonic() - began
    print(f"  {rows:,} counts, {size / 1e6:,.0f} MB in {parts} parts, made in {took:.0f} s")


if __name__ == "__main__":
    main()
