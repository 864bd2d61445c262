"""Backup and restore: counts and only those, whole or not at all, and no day twice."""

import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest

from collector.upkeep import backup
from collector.upkeep.backup import UPLOADS_FROM
from collector.upkeep.restore import DamagedBackup, Restore
from collector.upkeep.tombstones import Tombstones
from tests.collector.sealing import DAY, Shop, noon, some_hits

pytestmark = pytest.mark.slow

NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """A shop with two sealed days, one that is open, and an upload."""
    for number, day in enumerate((DAY, NEXT_DAY)):
        shop.now = noon(day)
        shop.visit(day, some_hits(400, 50 + number))
        shop.midnight_after(day)
        shop.seal_all()
    shop.visit(shop.today(), some_hits(300, 52))
    upload = (DAY, "day", "seller 1", "product 1", "orders", "", 0, 3, 0, DAY, UPLOADS_FROM)
    shop.client.insert("counts", [upload])
    return shop


def made(shop: Shop) -> bytes:
    """Return a backup."""
    return b"".join(backup.stream(shop.client, shop.ledger.closes, shop.now))


def restore(shop: Shop, content: bytes) -> str:
    """Restore a backup and return the sentence."""
    gone = Tombstones(shop.data / "forgotten", [b"t" * 32])
    work = Restore(shop.warehouse, shop.client, shop.ledger.closes, gone)
    return work.restore(io.BytesIO(content)).sentence()


def everything(shop: Shop) -> object:
    """Return all rows of counts but for the seals' numbers."""
    columns = "day, period, seller, product, dimension, value, visitors, views, seconds, closed"
    return shop.counts(columns, "1")


def emptied(shop: Shop) -> None:
    """Make the installation a new one."""
    shop.stop()
    for table in ("counts", "pools", "hits"):
        shop.client.command(f"truncate table {table}")
    for path in shop.data.glob("ledger.sqlite*"):
        path.unlink()
    shop.start()


def test_a_backup_brings_an_empty_installation_back(filled: Shop) -> None:
    """Two sealed days and an upload are saved, everything is lost, and restored: the same rows,
    and readers see the days as sealed."""
    before = everything(filled)
    content = made(filled)
    emptied(filled)
    assert not everything(filled)
    assert restore(filled, content).startswith("2 days put back, 0 were here already.")
    assert everything(filled) == before
    assert filled.ledger.days(DAY, NEXT_DAY) == {DAY: "sealed", NEXT_DAY: "sealed"}


def test_a_day_that_is_sealed_while_a_backup_is_written_is_not_in_it_in_part(filled: Shop) -> None:
    """The first month is written when the open day's close begins to load: none of its rows comes
    along, and a restore doesn't take the day for a sealed one."""
    row = "'day', 'seller 1', 'p', '', '', 9, 9, 0"
    filled.client.command(
        f"insert into counts values ('2026-05-01', {row}, '2026-05-01', 1)"  # an earlier month
    )
    today, pieces = filled.today(), backup.stream(filled.client, filled.ledger.closes, filled.now)
    first = next(pieces)
    filled.ledger.closes.note(today)
    close = filled.ledger.closes.of(today)
    assert close is not None
    filled.client.command(f"insert into counts values ('{today}', {row}, '{today}', {close.seal})")
    content = first + b"".join(pieces)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(json.loads(archive.read(backup.MANIFEST))["files"]) == 2
    emptied(filled)
    restore(filled, content)
    assert filled.totals(DAY)
    assert not filled.totals(today)
    assert filled.ledger.closes.of(today) is None


def test_a_day_on_which_nobody_came_is_restored_as_zero(filled: Shop) -> None:
    """It has no row in any table, but the manifest knows that it ran: zero, not missing."""
    empty = filled.today()
    filled.midnight_after(empty)
    filled.seal_all()
    filled.client.command(f"alter table counts delete where closed = '{empty}' settings"
                          " mutations_sync = 2")  # fmt: skip
    content = made(filled)
    emptied(filled)
    restore(filled, content)
    assert filled.ledger.days(empty, empty) == {empty: "sealed"}


def test_a_restore_after_a_lost_ledger_takes_back_only_its_own_rows(filled: Shop) -> None:
    """With a new ledger seals begin at 1 again, as the first day's did that counts still hold: a
    day that is put back, or closed, never removes another one's rows."""
    content = made(filled)
    before = everything(filled)
    filled.client.command(f"alter table counts delete where closed = '{NEXT_DAY}' settings"
                          " mutations_sync = 2")  # fmt: skip
    filled.stop()
    for path in filled.data.glob("ledger.sqlite*"):
        path.unlink()
    filled.start()
    filled.ledger.learn_sealed([DAY])
    restore(filled, content)
    assert everything(filled) == before


def test_restoring_twice_doubles_nothing(filled: Shop) -> None:
    """Into the installation that made it, and again: every day is here already."""
    before = everything(filled)
    content = made(filled)
    for _ in range(2):
        assert restore(filled, content).startswith("0 days put back, 2 were here already.")
        assert everything(filled) == before


def test_a_restore_that_was_interrupted_is_begun_again(filled: Shop) -> None:
    """It died in the middle of a day, with some of the rows there: they are taken back first."""
    before = everything(filled)
    content = made(filled)
    emptied(filled)
    seal = filled.ledger.closes.begin_restore(DAY)
    filled.client.command(
        f"insert into counts values ('{DAY}', 'day', 's', 'p', '', '', 9, 9, 0, '{DAY}', {seal})"
    )
    restore(filled, content)
    assert everything(filled) == before


def test_a_restored_day_is_not_touched_by_later_closes(filled: Shop) -> None:
    """After the restore the next day is sealed: its number is a new one, and no restored row is
    taken for a part of its load."""
    content = made(filled)
    emptied(filled)
    restore(filled, content)
    before = filled.totals(DAY)
    later = filled.today() + timedelta(days=1)
    filled.now = noon(later)
    filled.visit(later, some_hits(200, 53))
    filled.midnight_after(later)
    filled.seal_all()
    assert filled.totals(DAY) == before
    assert filled.totals(later)


@pytest.mark.parametrize("damage", ["cut", "flip", "manifest", "rubbish"])
def test_a_damaged_backup_changes_nothing(filled: Shop, damage: str) -> None:
    """Half a file, a flipped byte, a manifest that says something else, and no backup at all: each
    is refused with a sentence before a row is written."""
    content = bytearray(made(filled))
    emptied(filled)
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 3] ^= 0xFF
    elif damage == "manifest":
        content = bytearray(content.replace(b'"rows": ', b'"rows": 1', 1))
    else:
        content = bytearray(b"no zip at all")
    with pytest.raises(DamagedBackup, match="backup"):
        restore(filled, bytes(content))
    assert not everything(filled)


def test_a_backup_holds_counts_only(filled: Shop) -> None:
    """Opened by anybody's tools: Parquet with the columns of counts, no row of today, and none of
    the hashes, salts or pools that lie in the data directory at that moment."""
    content = made(filled)
    hashes = {hit.visitor for hit in filled.written[filled.today()]}
    assert filled.client.query("select count() from hits").result_rows != [(0,)]
    assert list(filled.salts.iterdir())
    assert filled.waiting()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read(backup.MANIFEST))
        assert manifest["days"] == {str(DAY): "sealed", str(NEXT_DAY): "sealed"}
        assert (manifest["first"], manifest["last"]) == (str(DAY), str(NEXT_DAY))
        raw = b"".join(archive.read(name) for name in archive.namelist())
        tables = [
            pyarrow.parquet.read_table(io.BytesIO(archive.read(each["name"])))
            for each in manifest["files"]
        ]
    assert sum(table.num_rows for table in tables) == manifest["rows"] > 0
    days = {value for table in tables for value in table["closed"].to_pylist()}
    assert filled.today() not in {d if isinstance(d, date) else from_epoch(d) for d in days}
    numbers = {n for table in tables for name in ("visitors", "views", "seconds")
               for n in table[name].to_pylist()}  # fmt: skip
    assert not hashes & numbers
    for salt_file in filled.salts.iterdir():
        assert salt_file.read_bytes()[:16] not in raw
    assert not any(visitor.to_bytes(8, "little") in raw for visitor in hashes)


def test_scheduled_backups_are_made_once_a_day_and_seven_are_kept(tmp_path: Path) -> None:
    """Ten days, each asked twice: ten files were written, the last seven are there."""
    written = 0
    for number in range(10):
        for _ in range(2):
            day = DAY + timedelta(days=number)
            written += backup.scheduled(tmp_path, day, iter([b"x"])) is not None
    names = sorted(path.name for path in tmp_path.iterdir())
    assert written == 10
    assert names == [f"collector-{DAY + timedelta(days=n)}.zip" for n in range(3, 10)]


def from_epoch(number: int) -> date:
    """Return the day that the engine writes into Parquet as a number."""
    return date(1970, 1, 1) + timedelta(days=number)
