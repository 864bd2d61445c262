"""Forget a seller: nothing that names one stays, and nothing brings it back."""

import io
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from collector.upkeep import backup
from collector.upkeep.forget import Forgetting, NotNow
from collector.upkeep.restore import Restore
from collector.upkeep.retention import delete_expired
from collector.upkeep.tombstones import Tombstones
from tests.collector.sealing import DAY, Shop, noon, some_hits, totals_of

NEXT_DAY = DAY + timedelta(days=1)
GONE = "seller 1"


def forgetting(shop: Shop, gone: Tombstones) -> Forgetting:
    """Return the means to forget, with a catalogue of two listings."""
    return Forgetting(
        shop.spool,
        shop.ledger.closes,
        shop.client,
        gone,
        threading.Lock(),
        {"catalogue": lambda seller: 2 if seller == GONE else 0},
        notice=0,
    )


def test_a_forgotten_seller_is_in_no_table_and_the_day_is_sealed_without(shop: Shop) -> None:
    """One sealed day, one open day half drained: after forgetting, no table, spool file or total
    names the seller, the others' numbers are what they were, and the open day is sealed."""
    shop.visit(DAY, some_hits(400, 60))
    shop.midnight_after(DAY)
    shop.seal_all()
    others = [row for row in shop.totals(DAY).elements() if row[0] != GONE]
    shop.now = noon(NEXT_DAY)
    shop.visit(NEXT_DAY, some_hits(300, 61), finish=False)
    worker = shop.workers[NEXT_DAY][0]
    worker.commit(some_hits(200, 62))
    shop.written[NEXT_DAY] += worker.rows[300:]
    gone = Tombstones(shop.data / "forgotten", [b"t" * 32])
    removed = forgetting(shop, gone).forget(GONE)
    assert set(removed) == {"spool", "counts", "pools", "hits", "erased", "catalogue"}
    assert min(removed[name] for name in ("spool", "counts", "pools", "hits", "catalogue")) > 0
    worker.commit(some_hits(50, 63, sellers=1))
    shop.written[NEXT_DAY] += worker.rows[500:]
    worker.finish()
    for path in shop.spool.rglob("*.sqlite*"):
        assert GONE.encode() not in path.read_bytes()
    shop.drain_all()
    shop.midnight_after(NEXT_DAY)
    shop.seal_all()
    assert sorted(shop.totals(DAY).elements()) == sorted(others)
    kept = [hit for hit in shop.written[NEXT_DAY] if hit.seller != GONE]
    assert shop.totals(NEXT_DAY) == totals_of(kept)
    assert not shop.ledger.alarms.sounding()


def test_a_restore_does_not_bring_a_forgotten_seller_back(shop: Shop) -> None:
    """A backup from before; the seller is forgotten; the data directory is lost but for the
    tombstones; the restore leaves the seller out."""
    shop.visit(DAY, some_hits(400, 64))
    shop.midnight_after(DAY)
    shop.seal_all()
    content = b"".join(backup.stream(shop.client, shop.ledger.closes, shop.now))
    gone = Tombstones(shop.data / "forgotten", [b"t" * 32])
    forgetting(shop, gone).forget(GONE)
    shop.stop()
    shop.client.command("truncate table counts")
    for path in shop.data.glob("ledger.sqlite*"):
        path.unlink()
    shop.start()
    restored = Restore(shop.warehouse, shop.client, shop.ledger.closes, gone)
    assert restored.restore(io.BytesIO(content)).days == [DAY]
    sellers = {row[0] for row in shop.counts("seller", "dimension = ''")}
    assert sellers == {"seller 0", "seller 2"}


def test_nobody_is_forgotten_while_a_day_is_between_hits_and_counts(shop: Shop) -> None:
    """The integers of a day that is being sealed name the seller: the operator is asked to wait,
    and the tombstone is set already."""
    shop.visit(DAY, some_hits(50, 65))
    shop.midnight_after(DAY)
    shop.seal_until("counted")
    gone = Tombstones(shop.data / "forgotten", [b"t" * 32])
    with pytest.raises(NotNow, match="is being sealed"):
        forgetting(shop, gone).forget(GONE)
    assert GONE in gone
    shop.seal_all()
    assert forgetting(shop, gone).forget(GONE)["counts"] > 0


def test_nobody_is_forgotten_by_an_empty_name(shop: Shop) -> None:
    """An empty variable in a script: the sentence names the field, and no tombstone is set."""
    gone = Tombstones(shop.data / "forgotten", [b"t" * 32])
    with pytest.raises(ValueError, match="seller: empty"):
        forgetting(shop, gone).forget("")
    assert not (shop.data / "forgotten").exists()


def test_a_tombstone_names_nobody_and_every_process_sees_it(tmp_path: Path) -> None:
    """Set by one, seen by another after its next look; the file holds no name; a secret that was
    replaced doesn't lift it; a seller who comes back is welcome."""
    ours = Tombstones(tmp_path / "forgotten", [b"a" * 32])
    theirs = Tombstones(tmp_path / "forgotten", [b"b" * 32, b"a" * 32])
    assert GONE not in theirs
    ours.add(GONE)
    ours.add(GONE)
    theirs.refresh()
    assert GONE in theirs
    assert "seller 2" not in theirs
    content = (tmp_path / "forgotten").read_bytes()
    assert len(content.splitlines()) == 1
    assert GONE.encode() not in content
    assert GONE not in Tombstones(tmp_path / "forgotten", [b"c" * 32])
    assert theirs.remove(GONE)
    assert not theirs.remove(GONE)
    assert GONE not in Tombstones(tmp_path / "forgotten", [b"a" * 32])


def test_counts_that_are_too_old_are_deleted(shop: Shop) -> None:
    """With 62 days kept, a day, a week and a month that end before go, and those that end later
    stay, also when they begin before; 0 keeps everything."""
    today = DAY + timedelta(days=100)
    rows = [
        ("2026-07-10", "day", 1), ("2026-07-11", "day", 2),
        ("2026-07-01", "week", 3), ("2026-07-06", "week", 4),
        ("2026-06-01", "month", 5), ("2026-07-01", "month", 6),
    ]  # fmt: skip
    for start, period, visitors in rows:
        shop.client.command(
            f"insert into counts values ('{start}', '{period}', 's', 'p', '', '', {visitors},"
            f" 0, 0, '{start}', 1)"
        )
    assert delete_expired(shop.client, today, 0) == 0
    assert delete_expired(shop.client, today, 62) == 3
    assert sorted(shop.counts("visitors", "1")) == [(2,), (4,), (6,)]
