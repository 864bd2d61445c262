"""What the collector's tests share: one engine for all of them, with empty tables for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.warehouse import Warehouse
from tests.collector.desk import Desk
from tests.collector.sealing import Shop

TABLES = ("hits", "erased", "counts", "pools")


@pytest.fixture(name="warehouse")
def empty_warehouse(warehouse: Warehouse) -> Warehouse:
    """The run's engine, with nothing in its tables."""
    client = warehouse.connect()
    for table in TABLES:
        client.command(f"truncate table {table}")
    warehouse.disconnect(client)
    return warehouse


@pytest.fixture
def desk(warehouse: Warehouse, tmp_path: Path) -> Iterator[Desk]:
    """An empty spool, ledger and drain over the engine."""
    desk = Desk(tmp_path, warehouse)
    yield desk
    desk.stop()
    warehouse.disconnect(desk.client)


@pytest.fixture
def shop(tmp_path: Path, warehouse: Warehouse) -> Iterator[Shop]:
    """A shop whose days can be closed, with nothing counted yet."""
    shop = Shop(tmp_path, warehouse)
    yield shop
    shop.stop()
