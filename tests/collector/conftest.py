"""What the collector's tests share: one engine for all of them, with empty tables for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.warehouse import Warehouse
from tests.collector.desk import Desk
from tests.collector.sealing import Shop

TABLES = ("hits", "erased", "counts", "pools")


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The engine of the run; chDB has one path a process."""
    warehouse = Warehouse(tmp_path_factory.mktemp("engine") / "clickhouse")
    warehouse.migrate()
    yield warehouse
    warehouse.close()


@pytest.fixture
def warehouse(engine: Warehouse) -> Warehouse:
    """The engine, with nothing in its tables."""
    client = engine.connect()
    for table in TABLES:
        client.command(f"truncate table {table}")
    engine.disconnect(client)
    return engine


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
