"""docs/operations.md: what it says to type resolves the alarm that it says it resolves."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector.warehouse import Warehouse
from tests.collector.sealing import DAY, Shop, some_hits, totals_of
from tests.documents import blocks, section, text

EXAMPLE_DAY, EXAMPLE_BATCH = "2026-11-20", "batch = 17"


@pytest.fixture
def shop(tmp_path: Path, warehouse: Warehouse) -> Iterator[Shop]:
    """A shop of the test's own, in tables that nobody else's rows are in."""
    for table in ("hits", "erased", "counts", "pools"):
        warehouse.connect().command(f"truncate table {table}")
    shop = Shop(tmp_path, warehouse)
    yield shop
    shop.stop()


def typed(code: str, batch: int) -> str:
    """Return the block under an alarm's heading, for the test's day and batch."""
    (block,) = blocks(section(text("operations.md"), f"### {code}"), "sh")
    return block.replace(EXAMPLE_DAY, str(DAY)).replace(EXAMPLE_BATCH, f"batch = {batch}").strip()


def codes(shop: Shop) -> list[str]:
    """Return what sounds."""
    return [alarm.code for alarm in shop.ledger.alarms.sounding()]


def lose_rows(shop: Shop) -> int:
    """Let some rows of the day's batch disappear; return its number."""
    shop.client.command("alter table hits delete where visitor % 7 = 0 settings mutations_sync = 2")
    (batch,) = shop.ledger.batches(DAY)
    return batch.number


def test_a_batch_that_differs_is_sent_again_whole(shop: Shop) -> None:
    """Rows are gone and the batch is in doubt: the drain stands. The documented statement removes
    the rest of it, and after the start every row is there once."""
    shop.visit(DAY, some_hits(300, 12))
    batch = lose_rows(shop)
    shop.ledger.doubt([batch])
    shop.drain.step()
    assert codes(shop) == ["batch-differs"]
    shop.stop()
    shop.client.command(typed("batch-differs", batch))
    shop.start()
    shop.drain_all()
    assert codes(shop) == []
    assert shop.client.query("select count() from hits").result_rows == [(300,)]


@pytest.mark.slow
def test_a_day_whose_batch_differed_is_sealed_after_all(shop: Shop) -> None:
    """Found only when the day is over. The batch is removed, the day goes back to where it takes
    batches, and is sealed with every visit."""
    shop.visit(DAY, some_hits(300, 12))
    batch = lose_rows(shop)
    shop.midnight_after(DAY)
    for _ in range(5):
        shop.seal.step()
    assert codes(shop) == ["seal-differs"]
    shop.stop()
    shop.client.command(typed("batch-differs", batch))
    found = re.search(r'ledger\.sqlite "(.*)"', typed("seal-differs", batch))
    assert found is not None
    with closing(sqlite3.connect(shop.data / "ledger.sqlite")) as ledger:
        ledger.execute(found[1])
        ledger.commit()
    shop.start()
    shop.drain_all()
    shop.seal_all()
    assert codes(shop) == []
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
