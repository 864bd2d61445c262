"""The ledger: what it says is on disk, and it refuses what it can't be sure of."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from collector.ledger import DayRefused, Ledger
from collector.ledger_file import UnreadableLedger
from tests.collector.spooling import DAY

NEXT_DAY = date(2026, 1, 3)
RUN = "0123456789ab"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's ledger is."""
    return tmp_path / "made" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """An empty one."""
    ledger = Ledger(path)
    yield ledger
    ledger.close()


def change(path: Path, statement: str) -> None:
    """Write into a ledger behind its back."""
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(statement)


def test_batches_are_numbered_upwards_and_never_twice(ledger: Ledger, path: Path) -> None:
    """Numbers rise over days, files and restarts, also after the highest were removed."""
    ledger.saw(DAY)
    ledger.saw(NEXT_DAY)
    first = ledger.form(DAY, RUN, [(1, 10), (11, 15)])
    second = ledger.form(NEXT_DAY, RUN, [(1, 5)])
    assert [batch.number for batch in first + second] == [1, 2, 3]
    change(path, "delete from batches")
    again = Ledger(path)
    assert again.next_batch() == 4
    assert again.form(DAY, RUN, [(1, 1)])[0].number == 4
    again.close()


def test_bounds_are_on_disk_before_anything_is_sent(ledger: Ledger, path: Path) -> None:
    """What form returned is read by whoever opens the file next, as in doubt until it arrived."""
    ledger.saw(DAY)
    batches = ledger.form(DAY, RUN, [(1, 10), (11, 15)])
    again = Ledger(path)
    assert again.in_doubt() == batches
    assert again.batched_to(DAY, RUN) == 15
    assert again.batched_to(NEXT_DAY, RUN) == 0
    again.arrived(1)
    assert ledger.in_doubt() == batches[1:]
    assert ledger.drained() == 1
    assert ledger.batches(DAY) == batches
    again.close()


def test_the_ledger_syncs_every_commit(ledger: Ledger) -> None:
    """FULL is 2: the log is fsynced at each commit, so a power cut takes nothing that was said."""
    assert ledger._file.rows("pragma synchronous") == [(2,)]
    assert ledger._file.rows("pragma journal_mode") == [("wal",)]


def test_drained_never_falls(ledger: Ledger) -> None:
    """An old batch that was in doubt for long arrives after newer ones: the mark stays."""
    ledger.saw(DAY)
    ledger.form(DAY, RUN, [(1, 1), (2, 2)])
    ledger.arrived(2)
    ledger.arrived(1)
    assert ledger.drained() == 2


def test_a_refused_day_forms_no_batch_at_all(ledger: Ledger) -> None:
    """A day that nobody saw, and one that was counted, take none."""
    with pytest.raises(DayRefused):
        ledger.form(DAY, RUN, [(1, 10)])
    assert ledger.in_doubt() == []
    assert ledger.next_batch() == 1


@pytest.mark.parametrize(
    ("state", "read_as"),
    [
        ("open", "open"),
        ("closed", "open"),
        ("drained", "open"),
        ("reconciled", "open"),
        ("counted", "open"),
        ("loaded", "sealed"),
        ("dropping", "sealed"),
        ("gone", "sealed"),
        ("sealed", "sealed"),
        ("losing", "lost"),
        ("lost", "lost"),
    ],
)
def test_readers_go_to_counts_as_soon_as_they_hold_the_day(
    ledger: Ledger, path: Path, state: str, read_as: str
) -> None:
    """Until counts are loaded a day is read from hits; from then on hits may be going already."""
    ledger.saw(DAY)
    change(path, f"update days set state = '{state}'")
    assert ledger.days(DAY, DAY) == {DAY: read_as}


def test_a_day_that_was_not_seen_is_absent(ledger: Ledger) -> None:
    """Missing isn't zero; and seeing a day again doesn't open it again."""
    ledger.saw(DAY)
    assert ledger.days(date.min, date.max) == {DAY: "open"}
    assert ledger.days(NEXT_DAY, date.max) == {}


def test_a_day_that_is_being_put_back_is_missing_until_it_is_whole(ledger: Ledger) -> None:
    """A restore stops in the middle of a day: readers find neither a zero nor a part of it."""
    assert ledger.closes.begin_restore(DAY) is not None
    assert ledger.days(DAY, DAY) == {}
    ledger.closes.advance(DAY, "sealed")
    assert ledger.days(DAY, DAY) == {DAY: "sealed"}


def test_days_are_told_as_they_are_now(ledger: Ledger, path: Path) -> None:
    """Readers ask often, so days are remembered: not beyond a write of ours, of another process's,
    or a transaction that was taken back."""
    ledger.saw(DAY)
    assert ledger.days(DAY, NEXT_DAY) == {DAY: "open"}
    change(path, f"insert into days (day, state) values ('{NEXT_DAY}', 'sealed')")
    assert ledger.days(DAY, NEXT_DAY) == {DAY: "open", NEXT_DAY: "sealed"}
    assert ledger.days(NEXT_DAY, NEXT_DAY) == {NEXT_DAY: "sealed"}

    def change_the_mind() -> None:
        with ledger._file.transaction():
            ledger.closes.advance(DAY, "lost")
            assert ledger.days(DAY, DAY) == {DAY: "lost"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_the_mind()
    with ledger._file.transaction():
        assert ledger.days(DAY, DAY) == {DAY: "open"}
    assert ledger.days(DAY, DAY) == {DAY: "open"}
    ledger.closes.advance(DAY, "lost")
    assert ledger.days(DAY, DAY) == {DAY: "lost"}


def test_a_closed_day_stays_closed_when_it_is_seen_again(ledger: Ledger, path: Path) -> None:
    """The spool directory is still there while the day is being sealed."""
    ledger.saw(DAY)
    change(path, "update days set state = 'counted'")
    ledger.saw(DAY)
    assert not ledger.takes_batches(DAY)


def test_an_erasure_keeps_its_first_batch(ledger: Ledger) -> None:
    """Noting an erasure again, after batches were formed, doesn't make it cover them."""
    ledger.saw(DAY)
    ledger.mark_erasures([(DAY, RUN, 1)])
    ledger.form(DAY, RUN, [(1, 10)])
    ledger.mark_erasures([(DAY, RUN, 1), (DAY, RUN, 2)])
    assert [(mark.row, mark.before_batch) for mark in ledger.marks(DAY)] == [(1, 1), (2, 2)]


def test_the_erasures_number_rises_when_they_are_applied(ledger: Ledger) -> None:
    """Not when they are noted: a reader that looked in between would keep the old sum."""
    ledger.mark_erasures([(DAY, RUN, 1)])
    before = ledger.erasures()
    ledger.applied(ledger.marks(DAY))
    assert ledger.erasures() == before + 1
    assert all(mark.applied for mark in ledger.marks(DAY))


def test_alarms_outlive_a_restart_and_keep_their_time(ledger: Ledger, path: Path) -> None:
    """An alarm sounds from when its reason was first seen until it is gone."""
    ledger.alarms.sound("spool-foreign", "a.sqlite", "a.sqlite: 1", 10.0)
    ledger.alarms.sound("warehouse-away", "", "away", 5.0)
    ledger.alarms.sound("spool-foreign", "a.sqlite", "a.sqlite: 2", 20.0)
    again = Ledger(path)
    assert [(alarm.code, alarm.sentence, alarm.since) for alarm in again.alarms.sounding()] == [
        ("warehouse-away", "away", 5.0),
        ("spool-foreign", "a.sqlite: 2", 10.0),
    ]
    again.alarms.hush("spool-foreign", "a.sqlite")
    again.close()
    last = Ledger(path)
    assert [alarm.code for alarm in last.alarms.sounding()] == ["warehouse-away"]
    last.close()


def test_an_alarm_is_logged_once(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    """One line when it begins, however often the drain meets its reason."""
    for second in range(3):
        ledger.alarms.sound("warehouse-away", "", "away", float(second))
    assert caplog.messages == ["warehouse-away: away"]


def test_an_alarm_is_told_though_the_ledger_can_not_be_written(
    ledger: Ledger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full (here: the table is gone): the alarm sounds all the same."""
    change(path, "drop table alarms")
    ledger.alarms.sound("warehouse-away", "", "away", 1.0)
    assert [alarm.code for alarm in ledger.alarms.sounding()] == ["warehouse-away"]
    assert "ledger-unwritable" in caplog.text


def test_a_newer_ledger_is_refused(ledger: Ledger, path: Path) -> None:
    """An older program would not know what the newer one meant."""
    ledger.close()
    change(path, "pragma user_version = 99")
    with pytest.raises(UnreadableLedger, match="a newer version wrote it"):
        Ledger(path)


def test_a_damaged_ledger_is_refused(path: Path) -> None:
    """It isn't replaced by an empty one: that would send everything again."""
    path.parent.mkdir()
    path.write_bytes(b"this was a ledger once " * 1000)
    with pytest.raises(UnreadableLedger, match=r"ledger\.sqlite: damaged"):
        Ledger(path)
    assert path.read_bytes().startswith(b"this was a ledger once")


def test_a_failed_transaction_leaves_nothing(ledger: Ledger) -> None:
    """Of two batches the second has impossible bounds: neither is noted, and the next one works."""
    ledger.saw(DAY)
    with pytest.raises(sqlite3.IntegrityError):
        ledger.form(DAY, RUN, [(1, 10), (11, None)])  # type: ignore[list-item]  # on purpose
    assert ledger.in_doubt() == []
    assert ledger.form(DAY, RUN, [(1, 10)])[0].number == 1


def test_many_threads_read_while_one_writes(ledger: Ledger) -> None:
    """Readers ask for marks while the drain goes on; nobody fails and the mark never falls."""
    ledger.saw(DAY)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(ledger.drained())
            ledger.days(DAY, DAY)

    reader = threading.Thread(target=read)
    reader.start()
    for row in range(1, 51):
        [batch] = ledger.form(DAY, RUN, [(row, row)])
        ledger.arrived(batch.number)
    done.set()
    reader.join()
    assert seen == sorted(seen)
    assert ledger.drained() == 50
