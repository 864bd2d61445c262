"""The spool's readers: both shapes of a file, whichever version wrote it."""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector.backlog import opened
from collector.close import blanking
from collector.close.blanking import blank_seller
from collector.erasure import HITS_OF_VISITOR
from collector.hit import Hit
from collector.ledger import Batch
from collector.spool_file import GROUP_HITS_MAX, files, signed
from collector.spool_reader import is_blank, last_row, reading, version
from collector.status import waiting
from tests.collector.desk import Desk, expected
from tests.collector.spooling import Worker, any_hits, hit

# As version 1 wrote it, a row for each hit.
ROWS_SCHEMA = """
create table hits (
    row integer primary key,
    hour integer not null, seller text not null, product text not null,
    visitor integer not null, view integer not null,
    source text not null, campaign text not null,
    device text not null, browser text not null, os text not null,
    seconds integer not null
) strict;
drop table groups;
pragma user_version = 1;
"""


def made_old(worker: Worker) -> Worker:
    """Rewrite a worker's file as version 1 would have written it, beside its worker."""
    with closing(sqlite3.connect(worker.path)) as base, base:
        base.executescript(ROWS_SCHEMA)
        base.executemany(
            f"insert into hits values ({', '.join('?' * 12)})",
            [
                (number, *each[:3], signed(each.visitor), *each[4:])
                for number, each in enumerate(worker.rows, 1)
            ],
        )
    return worker


def old_worker(spool: Path, hits: Sequence[Hit]) -> Worker:
    """Return a worker of version 1 that committed hits."""
    worker = Worker(spool)
    worker.commit(hits)
    return made_old(worker)


def ask(path: Path, question: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask a spool file as another process would."""
    with reading(path) as connection:
        return connection.execute(question, values).fetchall()


def read_as_groups(path: Path) -> list[tuple[int, Any, Any]]:
    """Return row, visitor and hit of every hit, as the groups have them."""
    found = []
    for first, last, visitors, hits in ask(path, "select * from groups order by first"):
        pairs = list(zip(json.loads(visitors), json.loads(hits), strict=True))
        assert len(pairs) == last - first + 1
        found += [(row, *pair) for row, pair in enumerate(pairs, first)]
    return found


@pytest.mark.parametrize("is_old", [False, True], ids=["groups", "rows"])
def test_both_shapes_say_the_same(tmp_path: Path, is_old: bool) -> None:
    """Names that are hard to quote and pseudonyms around 2^63 are the same in a row and in a group,
    whichever of the two the file has and whichever is a view."""
    worker = Worker(tmp_path)
    for size in (1, 2, GROUP_HITS_MAX + 300):
        worker.commit(any_hits(size, seed=size))
    if is_old:
        made_old(worker)
    numbered = list(enumerate(worker.rows, 1))
    assert read_as_groups(worker.path) == [
        (row, signed(each.visitor), list(each)) for row, each in numbered
    ]
    assert ask(worker.path, "select * from hits order by row") == [
        (row, *each[:3], signed(each.visitor), *each[4:]) for row, each in numbered
    ]
    with reading(worker.path) as connection:
        assert version(connection) == (1 if is_old else 2)
        assert last_row(connection) == len(worker.rows)
        assert not is_blank(connection)
    worker.die()


@pytest.mark.parametrize("is_old", [False, True], ids=["groups", "rows"])
def test_a_blanked_hit_keeps_its_row_and_says_nothing(tmp_path: Path, is_old: bool) -> None:
    """A seller is forgotten while the worker is at work: her hits are null in every group, the
    others' are what and where they were, and rows that come later have later numbers."""
    worker = Worker(tmp_path)
    worker.commit([hit("a", visitor=1), hit('b "', visitor=2**63 + 2), hit("a", visitor=3)])
    worker.commit([hit('b "', visitor=4)])
    if is_old:
        made_old(worker)
    assert blank_seller(tmp_path, 'b "') == 2
    a, c = [*hit("a", visitor=1)], [*hit("a", visitor=3)]
    assert read_as_groups(worker.path) == [(1, 1, a), (2, None, None), (3, 3, c), (4, None, None)]
    with reading(worker.path) as connection:
        assert last_row(connection) == 4
        assert not connection.execute("select 1 from hits where seller = 'b \"'").fetchall()
        found = connection.execute(HITS_OF_VISITOR, (json.dumps([1, signed(2**63 + 2), 4]),))
        assert found.fetchall() == [("a", 1)]
    assert blank_seller(tmp_path, 'b "') == 0
    worker.die()


def test_a_worker_gets_its_turns_while_a_large_seller_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Her hits are in 2,000 groups. They are blanked in many turns, and in the pause behind each
    the worker, whose visitors wait for it, can commit."""
    worker = Worker(tmp_path)
    for number in range(2_000):
        worker.writer.insert([hit("a", visitor=number), hit("b", visitor=number)], {})
    worker.writer.commit()
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        worker.commit([hit("b")])

    monkeypatch.setattr(blanking, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    monkeypatch.setattr(blanking, "TURN_SECONDS", 0.001)
    assert blank_seller(tmp_path, "a") == 2_000
    assert len(pauses) > 3
    assert set(pauses) == {0.001}, "as long as a turn"
    question = "select count(*), min(seller), max(seller) from hits where seller is not null"
    assert ask(worker.path, question) == [(2_000 + len(pauses), "b", "b")]
    worker.die()


@pytest.mark.parametrize("visitors", ["nonsense", "[1]", "null"])
def test_a_damaged_group_is_an_error_of_the_file(tmp_path: Path, visitors: str) -> None:
    """Forgetting says that the file is damaged, as it does of a page that can't be read, and quotes
    nothing of it; the group stays as it was."""
    worker = Worker(tmp_path)
    worker.commit([hit("a"), hit("b")])
    worker.die()
    with closing(sqlite3.connect(worker.path)) as base, base:
        base.execute("update groups set visitors = ?", (visitors,))
    with pytest.raises(sqlite3.Error, match="the group at row 1 is damaged"):
        blank_seller(tmp_path, "b")
    with closing(sqlite3.connect(worker.path)) as base:
        assert base.execute("select visitors from groups").fetchall() == [(visitors,)]


def test_a_file_without_tables_stops_no_forgetting(tmp_path: Path) -> None:
    """A worker died behind the first page of its file: nobody's hits are in it."""
    worker, other = Worker(tmp_path), Worker(tmp_path)
    worker.commit([hit("a")])
    other.die()
    other.path.unlink()
    with closing(sqlite3.connect(other.path)) as base:
        base.execute("pragma journal_mode = wal")
    assert other.path.stat().st_size
    assert blank_seller(tmp_path, "a") == 1
    worker.die()


def test_an_older_versions_hits_are_counted_once(desk: Desk) -> None:
    """Collector is upgraded in the middle of a day, with hits on disk that version 1 wrote and a
    visitor who withdraws afterwards: each counts once, in the same numbers, and hers don't."""
    old = old_worker(desk.spool, [*any_hits(400), hit(visitor=7), hit("t", visitor=7)])
    new = Worker(desk.spool)
    new.commit([*any_hits(100, seed=2), hit(visitor=7)])
    ends = {each.writer.run: len(each.rows) for each in (old, new)}
    new.erase("s", 7, json.dumps(ends))
    new.commit([hit(visitor=7)])
    assert waiting(desk.spool, lambda _day, _run: 0, list) == 504
    desk.drain.step()
    desk.drain.step()
    assert not desk.alarms()
    withdrawn = [(old.writer.day, *hit(visitor=7))] * 2
    found = desk.rows()
    found.update(withdrawn)
    assert found == expected(old, new)
    assert {file.run for file in files(desk.spool)} == set(ends)


def test_the_order_of_visits_does_not_reach_the_engine(desk: Desk) -> None:
    """Hits of one page reach ClickHouse sorted by what they say, so nothing tells who came first:
    the bytes sent are the same for any order of the same hits."""
    sent = []
    for hits in (any_hits(50), any_hits(50)[::-1]):
        worker = Worker(desk.spool)
        worker.commit(hits[:20])
        worker.commit(hits[20:])
        sent.append(body(worker))
        worker.die()
    assert sent[0] == sent[1]
    assert sent[0].count(b"\n") == 49


def body(worker: Worker) -> bytes:
    """Return what the drain would send of a worker's first fifty rows."""
    (file,) = [file for file in files(worker.path.parents[1]) if file.run == worker.writer.run]
    with opened(file) as found:
        assert found is not None
        count, text = found.body(Batch(1, file.day, file.run, 1, 50))
    assert count == 50
    return text


def test_a_batch_ends_within_a_group(desk: Desk) -> None:
    """Batches are cut by rows, not by groups: of a group of 50, rows 11 to 30 are sent, and the
    others aren't."""
    worker = Worker(desk.spool)
    worker.commit([hit(product=f"p{number}") for number in range(1, 51)])
    (file,) = files(desk.spool)
    with opened(file) as found:
        assert found is not None
        batch = Batch(1, file.day, file.run, 11, 30)
        count, text = found.body(batch)
        assert found.count(batch) == count == 20
    products = {json.loads(line)[4] for line in text.splitlines()}
    assert products == {f"p{number}" for number in range(11, 31)}
