"""The day's key: one per day and secret, wiped when it is over, and salts destroyed in time."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector import salt
from collector.anonymise import day_key
from collector.clock import DayClock, day_end
from collector.day_key import DESTROY_AFTER_SECONDS, DayKeys, SaltKeeper, destroy_old_salts

DAY = date(2026, 1, 2)
NEXT_DAY = date(2026, 1, 3)
OLD, NEW, STRANGE = (bytes([n]) * 32 for n in (1, 2, 3))
UTC = ZoneInfo("UTC")
END = day_end(DAY, UTC)


def test_the_key_joins_salt_and_secret(tmp_path: Path) -> None:
    """It changes with either, so that neither a stolen salt nor a stolen secret is enough."""
    key = bytes(DayKeys(tmp_path, (NEW,)).of(DAY))
    content = salt.ensure(tmp_path, DAY, NEW)
    assert key == bytes(day_key(content[:32], NEW))
    assert len(key) == 32
    others = {bytes(day_key(content[:32], OLD)), bytes(day_key(bytes(32), NEW))}
    assert key not in others
    assert len(others) == 2


def test_every_process_has_the_same_key(tmp_path: Path) -> None:
    """Two workers recognise a visitor as one."""
    assert DayKeys(tmp_path, (NEW,)).of(DAY) == DayKeys(tmp_path, (NEW,)).of(DAY)


def test_a_new_secret_does_not_split_the_day(tmp_path: Path) -> None:
    """The secret is replaced at noon, the old one named as SECRET_PREVIOUS: whoever came in the
    morning is the same visitor; tomorrow begins with the new one."""
    morning = bytes(DayKeys(tmp_path, (OLD,)).of(DAY))
    replaced = DayKeys(tmp_path, (NEW, OLD))
    assert replaced.of(DAY) == morning
    tomorrow = bytes(replaced.of(NEXT_DAY))
    assert bytes(DayKeys(tmp_path, (NEW,)).of(NEXT_DAY)) == tomorrow


def test_a_secret_that_nobody_named_begins_anew(tmp_path: Path) -> None:
    """Without the previous secret the morning's pseudonyms can't be had back; that is no error."""
    morning = bytes(DayKeys(tmp_path, (OLD,)).of(DAY))
    assert bytes(DayKeys(tmp_path, (STRANGE,)).of(DAY)) != morning


def test_a_key_is_wiped_when_its_day_is_over(tmp_path: Path) -> None:
    """The memory that held it holds zeros, whoever still has a hand on it."""
    keys = DayKeys(tmp_path, (NEW,))
    held = keys.of(DAY)
    keys.wipe_before(DAY)
    assert any(held)
    keys.wipe_before(NEXT_DAY)
    assert not any(held)
    again = keys.of(DAY)
    keys.of(NEXT_DAY)
    assert not any(again)


def test_a_lent_key_survives_midnight_and_not_its_block(tmp_path: Path) -> None:
    """A withdrawal that began before midnight finds the day's pseudonyms after it; then its copy
    is wiped as well."""
    keys = DayKeys(tmp_path, (NEW,))
    expected = bytes(keys.of(DAY))
    with keys.lent(DAY) as lent:
        keys.wipe_before(NEXT_DAY)
        assert bytes(lent) == expected
    assert len(lent) == 32
    assert not any(lent)


@pytest.mark.parametrize(
    "zone",
    [
        "UTC", "Europe/Athens", "America/Santiago", "Pacific/Apia",
        "Africa/Cairo", "Asia/Beirut", "America/Havana",
    ],
)  # fmt: skip
def test_a_salt_goes_within_five_minutes_of_its_day(tmp_path: Path, zone: str) -> None:
    """Not a second before the day is over, in no zone, and with what a killed writer left."""
    tz = ZoneInfo(zone)
    end = day_end(DAY, tz)
    salt.ensure(tmp_path, DAY, NEW)
    (tmp_path / f".{DAY}.1.aa.new").hardlink_to(salt.path_of(tmp_path, DAY))
    for seconds in (end - 86_400, end - 1, end, end + DESTROY_AFTER_SECONDS - 1):
        assert destroy_old_salts(tmp_path, seconds, tz) == []
    assert len(list(tmp_path.iterdir())) == 2
    assert DESTROY_AFTER_SECONDS < 300
    assert destroy_old_salts(tmp_path, end + DESTROY_AFTER_SECONDS, tz) == [DAY]
    assert list(tmp_path.iterdir()) == []


def test_after_a_long_stop_every_old_salt_goes(tmp_path: Path) -> None:
    """Nothing ran for a week; the next start destroys what should be gone long since."""
    days = [DAY + timedelta(n) for n in range(5)]
    for day in days:
        salt.ensure(tmp_path, day, NEW)
    assert destroy_old_salts(tmp_path, END + 8 * 86_400, UTC) == days
    assert list(tmp_path.iterdir()) == []


def test_a_salt_that_cannot_be_destroyed_does_not_save_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody made a directory of that name. It is logged, the others go, and the next second
    tries again."""
    salt.path_of(tmp_path, DAY - timedelta(1)).mkdir()
    salt.ensure(tmp_path, DAY, NEW)
    assert destroy_old_salts(tmp_path, END + 300, UTC) == [DAY]
    assert "the salt of 2026-01-01 could not be destroyed" in caplog.text


class Running:
    """A process whose clock the test moves, as it is tended every second."""

    def __init__(self, directory: Path) -> None:
        self.now = END - 1.0
        self.boot = 1000.0
        self.keys = DayKeys(directory, (NEW,))
        clock = DayClock(UTC, lambda: self.now, lambda: self.boot)
        self.keeper = SaltKeeper(self.keys, directory, clock, UTC)

    def pass_(self, seconds: int) -> None:
        """Let seconds pass, and tend the salts in each."""
        for _ in range(seconds):
            self.now += 1
            self.boot += 1
            self.keeper.tend()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Running]:
    """A process that runs from the last second of the day."""
    running = Running(tmp_path / "salts")
    running.keeper.tend()
    yield running
    running.keys.wipe()


def test_midnight_brings_a_new_key_at_once_and_ends_the_old_salt_in_time(
    process: Running, tmp_path: Path
) -> None:
    """Yesterday's key is out of memory in the first second, today's is ready before the first
    visitor, and yesterday's salt is gone within five minutes."""
    yesterday = process.keys.of(DAY)
    process.pass_(2)
    assert not any(yesterday)
    assert list(salt.days(tmp_path / "salts")) == [DAY, NEXT_DAY]
    process.pass_(298)
    assert list(salt.days(tmp_path / "salts")) == [NEXT_DAY]
    assert process.keeper.fault == ""


def test_a_clock_that_jumps_destroys_no_salt_of_today(process: Running, tmp_path: Path) -> None:
    """For two minutes the clock is a month ahead, then somebody corrects it: today's salt and key
    are the ones of before, and no visitor is counted twice."""
    before = bytes(process.keys.of(DAY))
    process.now -= 3600
    process.pass_(1)
    process.now += 31 * 86_400
    process.pass_(120)
    process.now -= 31 * 86_400
    process.pass_(10)
    assert list(salt.days(tmp_path / "salts")) == [DAY]
    assert bytes(process.keys.of(DAY)) == before


def test_a_salt_that_cannot_be_made_is_said_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SALT_DIR is a file. The keeper says so once in the log and as its fault, goes on, and when
    the file is gone it makes the salt."""
    (tmp_path / "salts").touch()
    process = Running(tmp_path / "salts")
    process.keeper.tend()
    process.keeper.tend()
    sentence = "salt: without the salt of 2026-01-02 nothing is counted (Not a directory)"
    assert process.keeper.fault == sentence
    assert [record.message for record in caplog.records] == [sentence]
    (tmp_path / "salts").unlink()
    process.keeper.tend()
    assert process.keeper.fault == ""
    assert list(salt.days(tmp_path / "salts")) == [DAY]


def test_a_damaged_salt_is_a_fault(tmp_path: Path) -> None:
    """Until somebody looks, nothing is counted; nothing in the sentence is of the salt."""
    (tmp_path / "salts").mkdir()
    salt.path_of(tmp_path / "salts", DAY).write_bytes(b"short")
    process = Running(tmp_path / "salts")
    process.keeper.tend()
    assert process.keeper.fault == (
        "salt: without the salt of 2026-01-02 nothing is counted "
        "(the salt of 2026-01-02 is damaged)"
    )
