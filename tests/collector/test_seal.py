"""The seal: after a day's close its numbers stand, once, and nothing else of it is left."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from collector.close.absence import search
from collector.suppression import OTHER, hold_back
from collector.warehouse import Warehouse
from tests.collector.sealing import ARROWS, DAY, Shop, noon, some_hits, totals_of, units_of
from tests.collector.traces import contents

pytestmark = pytest.mark.slow


def test_sealed_numbers_equal_an_exact_reference(shop: Shop) -> None:
    """Two workers' hits of a day, shared out at random: totals by product and seller are those of
    Python's sets over what was sent; published cells and pools are those of the rule over the
    visitor-days of the same input."""
    shop.visit(DAY, some_hits(2_000, 1), some_hits(1_500, 2))
    shop.midnight_after(DAY)
    assert shop.seal_all() == ARROWS
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    published, waiting = shop.expected([DAY], DAY)
    assert shop.cells() == published
    assert shop.waiting() == waiting
    assert published.total() > 50
    assert waiting.total() > 10


def test_a_stop_between_every_two_steps_changes_nothing(shop: Shop) -> None:
    """The reports process is stopped and started after each arrow; the day is counted once."""
    shop.visit(DAY, some_hits(1_000, 3))
    shop.midnight_after(DAY)
    assert shop.seal_all(restart=True) == ARROWS
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert (shop.cells(), shop.waiting()) == shop.expected([DAY], DAY)


@pytest.mark.parametrize("back_to", ["closed", "drained", "reconciled"])
def test_every_step_before_the_drop_may_be_done_again(shop: Shop, back_to: str) -> None:
    """The process dies after an arrow's work and before its record, even after the load: the work
    is done again and the counts don't double."""
    shop.visit(DAY, some_hits(1_000, 4))
    shop.midnight_after(DAY)
    shop.seal_until("loaded")
    shop.ledger.closes.advance(DAY, back_to)
    shop.restart()
    shop.seal_all()
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert (shop.cells(), shop.waiting()) == shop.expected([DAY], DAY)


def test_half_a_load_is_removed_and_loaded_again(shop: Shop) -> None:
    """The process dies in the middle of a load: some of the rows are there under this seal's
    number. They are taken back before the next try."""
    shop.visit(DAY, some_hits(1_000, 5))
    shop.midnight_after(DAY)
    shop.seal_until("loaded")
    shop.client.command("alter table counts delete where product != '' settings mutations_sync = 2")
    shop.client.command("insert into pools select * from pools")
    shop.ledger.closes.advance(DAY, "counted")
    shop.seal_all()
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert (shop.cells(), shop.waiting()) == shop.expected([DAY], DAY)


def test_after_a_lost_ledger_a_close_leaves_the_sealed_days_alone(shop: Shop) -> None:
    """Seals are numbered anew, so the close that ends the week carries a number that rows of an
    earlier day of that week have: they are not taken for the rest of an interrupted load."""
    shop.visit(DAY, some_hits(400, 8))
    shop.midnight_after(DAY)
    shop.seal_all()
    shop.stop()
    for path in shop.data.glob("ledger.sqlite*"):
        path.unlink()
    shop.start()
    sunday = DAY + timedelta(days=4)
    shop.now = noon(sunday)
    shop.visit(sunday, some_hits(300, 9))
    shop.midnight_after(sunday)
    shop.seal_all()
    assert shop.counts("distinct seal, closed", "1") == {(1, DAY): 1, (1, sunday): 1}
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert shop.totals(sunday) == totals_of(shop.written[sunday])


def test_damaged_integers_are_counted_again_while_the_hits_are_whole(shop: Shop) -> None:
    """A bit of the integers file is flipped before they were loaded: they are not believed, and
    the day goes back to be counted."""
    shop.visit(DAY, some_hits(500, 6))
    shop.midnight_after(DAY)
    shop.seal_until("counted")
    rows = shop.data / "seals" / DAY.isoformat() / "counts.rows"
    content = bytearray(rows.read_bytes())
    content[len(content) // 2] ^= 1
    rows.write_bytes(content)
    assert shop.seal_all()[0] == "reconciled"
    assert shop.totals(DAY) == totals_of(shop.written[DAY])


@pytest.mark.slow
def test_a_week_and_a_month_publish_what_their_days_could_not(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    """Three weeks of a small shop, across a month's end: cells of days, weeks and months and what
    waits are those of the rule, at the end and with a restart in every close."""
    shop = Shop(tmp_path, warehouse)
    days = [date(2026, 6, 20) + timedelta(days=n) for n in range(14)]
    shop.now = noon(days[0])
    for number, day in enumerate(days):
        if number % 5 != 3:  # Nothing ran on some days.
            shop.now = noon(day)
            shop.visit(day, some_hits(120, number, sellers=2, products=2))
            shop.midnight_after(day)
            shop.seal_all(restart=number % 2 == 0)
    published, waiting = shop.expected(shop.written, days[-1])
    assert shop.cells() == published
    assert shop.waiting() == waiting
    assert {row[0] for row in published} == {"day", "week", "month"}
    shop.stop()


@pytest.mark.slow
def test_each_visitor_day_is_in_one_cell_whatever_chance_held_back(
    tmp_path: Path, warehouse: Warehouse
) -> None:
    """A month of a small shop with real chance: the cells of each dimension add up to the
    visitor-days, those of a value never to more than came, and only (other) is small."""
    shop = Shop(tmp_path, warehouse, hold_back(Random(5)))
    days = [date(2026, 6, 1) + timedelta(days=n) for n in range(0, 30, 3)] + [date(2026, 6, 30)]
    shop.now = noon(days[0])
    came: Counter[tuple[str, str]] = Counter()
    for number, day in enumerate(days):
        shop.now = noon(day)
        shop.visit(day, some_hits(60, number, sellers=1, products=2))
        shop.midnight_after(day)
        shop.seal_all()
        for cell in units_of(day, shop.written[day]):
            came[cell.dimension, cell.value] += cell.visitors
    assert not shop.waiting()
    shown: Counter[tuple[str, str]] = Counter()
    for _, _, _, product, dimension, value, visitors, _ in shop.cells("dimension != 'seconds'"):
        assert visitors >= 5 or (product, value) == ("", OTHER)
        shown[dimension, value] += visitors
    for dimension in ("source", "device", "hour"):
        assert total(shown, dimension) == total(came, dimension)
    assert all(n <= came[key] for key, n in shown.items() if key[1] != OTHER)
    shop.stop()


def test_outcomes_are_counted_per_day(shop: Shop) -> None:
    """The beacons of two workers by outcome, and the views among those that counted: they survive
    the spool as counts without a seller."""
    shop.visit(DAY, some_hits(30, 7), some_hits(20, 8))
    shop.midnight_after(DAY)
    shop.seal_all()
    rows = shop.counts("seller, product, value, views", "dimension = 'outcome'")
    assert rows == Counter({("", "", "yes", 50): 1})
    views = sum(each.view for each in shop.written[DAY])
    assert 0 < views < 50
    rows = shop.counts("seller, product, value, views", "dimension = 'views'")
    assert rows == Counter({("", "", "", views): 1})


def test_the_withdrawn_are_in_no_sealed_number(shop: Shop) -> None:
    """Somebody withdraws and comes back: what came before counts nowhere, what came later does."""
    hits = some_hits(400, 9)
    gone = hits[0]
    shop.visit(DAY, hits, finish=False)
    worker = shop.workers[DAY][0]
    worker.erase(gone.seller, gone.visitor)
    shop.drain_all()
    worker.commit([gone._replace(product="back again", view=1)])
    worker.finish()
    shop.drain_all()
    shop.midnight_after(DAY)
    shop.seal_all()
    kept = [h for h in hits if (h.seller, h.visitor) != (gone.seller, gone.visitor)]
    assert shop.totals(DAY) == totals_of([*kept, gone._replace(product="back again", view=1)])


def test_a_killed_drop_is_finished_and_nothing_is_recounted(shop: Shop) -> None:
    """A drop was killed and left one of the day's parts: it goes, and the numbers stay those of
    the integers."""
    shop.visit(DAY, some_hits(300, 13), some_hits(300, 14), some_hits(300, 15))
    shop.midnight_after(DAY)
    shop.seal_until("dropping")
    shop.client.command("alter table hits delete where batch != 2 settings mutations_sync = 2")
    shop.restart()
    shop.seal_all()
    assert shop.totals(DAY) == totals_of(shop.written[DAY])
    assert shop.client.query("select count() from hits").result_rows == [(0,)]


def test_after_the_seal_no_hash_is_anywhere(shop: Shop) -> None:
    """Before the close every sampled hash is found, in parts in use, detached and frozen ones;
    afterwards in none of the engine's files and in none of the data directory's."""
    hits = some_hits(2_000, 16)
    shop.visit(DAY, hits)
    engine = shop.warehouse.path
    assert engine is not None
    sample = sorted({hit.visitor.to_bytes(8, "little") for hit in hits})[:300]
    # As the spool has them.
    texts = [str(int.from_bytes(each, "little")).encode() for each in sample[:100]]
    assert sum(found(shop.spool, each) for each in texts) > 90
    shop.client.command(f"alter table hits freeze partition '{DAY}'")
    assert all(found(engine, each) for each in sample[:20])
    assert search(engine, DAY, sample).hits > 0, "the search sees the frozen copies"
    shop.midnight_after(DAY)
    shop.seal_all()
    assert search(engine, DAY, sample).nothing
    everywhere = (engine, shop.data)
    signed = [(int.from_bytes(s, "little")).to_bytes(8, "big") for s in sample[:100]]
    gone = (*sample[:100], *signed, *texts)
    assert not any(found(place, each) for place in everywhere for each in gone)
    close = shop.ledger.closes.of(DAY)
    assert close is not None
    assert close.notes["searched_hashes"] > 0
    assert close.notes["found"] == 0


def total(counts: Counter[tuple[str, str]], dimension: str) -> int:
    """Return a dimension's visitor-days."""
    return sum(n for (name, _), n in counts.items() if name == dimension)


def found(directory: Path, needle: bytes) -> bool:
    """Return whether any file below a directory holds some bytes."""
    return any(needle in content for content in contents(directory))
