"""The clock: no day is split, lost or closed too early because a clock was wrong."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.clock import BELIEVED_AFTER_SECONDS, DayClock, Moment, boot_seconds, day_end

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
TODAY = date(2026, 11, 22)
DAY_SECONDS = 86_400


class Machine:
    """A machine's two clocks: one that can be set, one that counts from boot."""

    def __init__(self, now: float = NOON) -> None:
        self.wall = now
        self.boot = 5000.0

    def clock(self, zone: str = "UTC") -> DayClock:
        """Start a process on it."""
        return DayClock(ZoneInfo(zone), lambda: self.wall, lambda: self.boot)

    def pass_(self, seconds: float) -> None:
        """Let time pass for both."""
        self.wall += seconds
        self.boot += seconds


def test_time_that_passes_is_told(tmp_path: object) -> None:
    """Hour by hour through a day and into the next."""
    machine = Machine(NOON - 12 * 3600)
    clock = machine.clock()
    told = []
    for _ in range(26):
        told.append(clock.read())
        machine.pass_(3600)
    assert told[:24] == [Moment(TODAY, hour) for hour in range(24)]
    assert told[24:] == [Moment(TODAY + timedelta(1), hour) for hour in range(2)]


@pytest.mark.parametrize(
    ("zone", "utc", "told"),
    [
        ("Europe/Athens", "2026-01-01T21:59:59", (date(2026, 1, 1), 23)),
        ("Europe/Athens", "2026-01-01T22:00:00", (date(2026, 1, 2), 0)),
        ("Asia/Kathmandu", "2026-01-01T18:14:59", (date(2026, 1, 1), 23)),
        ("Asia/Kathmandu", "2026-01-01T18:15:00", (date(2026, 1, 2), 0)),
        ("Pacific/Kiritimati", "2026-01-01T10:00:00", (date(2026, 1, 2), 0)),
        ("America/Santiago", "2026-09-06T03:59:59", (date(2026, 9, 5), 23)),
        ("America/Santiago", "2026-09-06T04:00:00", (date(2026, 9, 6), 1)),  # no midnight there
        ("Europe/Berlin", "2026-10-25T00:30:00", (date(2026, 10, 25), 2)),
        ("Europe/Berlin", "2026-10-25T01:30:00", (date(2026, 10, 25), 2)),  # the hour comes twice
    ],
)
def test_a_day_is_the_local_one(zone: str, utc: str, told: tuple[date, int]) -> None:
    """Whatever the zone does with its hours; asked in one go and a second before."""
    moment = datetime.fromisoformat(f"{utc}+00:00").timestamp()
    assert Machine(moment).clock(zone).read() == told
    machine = Machine(moment - 1)
    clock = machine.clock(zone)
    clock.read()
    machine.pass_(1)
    assert clock.read() == told


@pytest.mark.parametrize("back", [1, 3600, DAY_SECONDS, 400 * DAY_SECONDS])
def test_the_day_never_runs_backwards(back: float) -> None:
    """Somebody sets the clock back past midnight, or a year: hits go on into the day that has
    begun, in its last hour, until the clock is there again."""
    machine = Machine(NOON - 12 * 3600)
    clock = machine.clock()
    assert clock.read() == (TODAY, 0)
    machine.wall -= back
    assert clock.read() == (TODAY, 23)
    machine.pass_(10)
    assert clock.read().day == TODAY


@pytest.mark.parametrize("jump", [61, 3600, DAY_SECONDS, 3000 * DAY_SECONDS])
def test_a_jump_forward_is_not_believed_at_once(jump: float) -> None:
    """A wrong clock must not close the day: for three minutes time goes on as it did, and when
    somebody corrects the clock in between, nothing has happened."""
    machine = Machine()
    clock = machine.clock()
    assert clock.seconds() == NOON
    machine.wall += jump
    for _ in range(BELIEVED_AFTER_SECONDS - 1):
        machine.pass_(1)
        assert clock.read() == (TODAY, 12)
        assert clock.seconds() == pytest.approx(machine.wall - jump)
    machine.wall -= jump
    assert clock.seconds() == machine.wall
    assert clock.read() == (TODAY, 12)
    machine.pass_(BELIEVED_AFTER_SECONDS)
    assert clock.read() == (TODAY, 12)


def test_a_jump_that_stands_is_believed() -> None:
    """After three minutes the new time is the time."""
    machine = Machine()
    clock = machine.clock()
    clock.read()
    machine.wall += DAY_SECONDS
    for _ in range(BELIEVED_AFTER_SECONDS + 1):
        clock.seconds()
        machine.pass_(1)
    assert clock.read() == (TODAY + timedelta(1), 12)
    assert clock.seconds() == machine.wall


def test_two_jumps_are_waited_for_once_each() -> None:
    """A second jump during the first one's three minutes doesn't start them anew, and a jump after
    a correction gets its own three minutes."""
    machine = Machine()
    clock = machine.clock()
    machine.wall += DAY_SECONDS
    clock.seconds()
    machine.pass_(100)
    machine.wall -= DAY_SECONDS  # corrected
    clock.seconds()
    machine.wall += DAY_SECONDS
    clock.seconds()
    machine.pass_(100)
    assert clock.read().day == TODAY
    machine.pass_(100)
    assert clock.read().day == TODAY + timedelta(1)


def test_a_machine_that_slept_wakes_up_today() -> None:
    """Sleep is in the boot clock, so the jump is explained and believed at once."""
    machine = Machine()
    clock = machine.clock()
    clock.read()
    machine.pass_(3 * DAY_SECONDS)
    assert clock.read() == (TODAY + timedelta(3), 12)


def test_a_clock_that_is_corrected_bit_by_bit_is_followed() -> None:
    """NTP moves the clock by half a second at a time, an hour in the end."""
    machine = Machine()
    clock = machine.clock()
    for _ in range(7200):
        machine.pass_(1)
        machine.wall += 0.5
        clock.seconds()
    assert clock.seconds() == machine.wall


@given(st.lists(st.integers(-200_000, 200_000), max_size=30))
def test_whatever_is_done_to_the_clock_days_only_go_forward(steps: list[int]) -> None:
    """Any sequence of passing time and of setting the clock: the day told never falls, and is
    never later than the latest that the machine ever said."""
    machine = Machine()
    clock = machine.clock()
    told, latest = [clock.read().day], machine.wall
    for step in steps:
        if step % 3 == 0:
            machine.pass_(abs(step) / 100)
        else:
            machine.wall = max(machine.wall + step, 0.0)
        latest = max(latest, machine.wall)
        told.append(clock.read().day)
        assert told[-1] <= datetime.fromtimestamp(latest, UTC).date()
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", date(2026, 11, 22), "2026-11-23T00:00:00"),
        ("Europe/Athens", date(2026, 1, 1), "2026-01-01T22:00:00"),
        ("America/Santiago", date(2026, 9, 5), "2026-09-06T04:00:00"),
        ("America/Havana", date(2026, 10, 31), "2026-11-01T04:00:00"),
        ("America/St_Johns", date(2010, 11, 6), "2010-11-07T03:30:00"),
        ("America/Havana", date(2026, 3, 7), "2026-03-08T05:00:00"),
        ("Africa/Cairo", date(2026, 4, 23), "2026-04-23T22:00:00"),
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-29T22:00:00"),
        ("Asia/Beirut", date(2026, 3, 28), "2026-03-28T22:00:00"),
        ("Asia/Beirut", date(2026, 10, 24), "2026-10-24T22:00:00"),
    ],
)
def test_a_day_ends_at_its_last_end(zone: str, day: date, end: str) -> None:
    """Where midnight is skipped the day ends when the next one begins. Where it comes twice, as in
    Havana, at the first, for no moment of the day follows; where the clock went back behind it, as
    it did in Newfoundland, at the second: a salt is never destroyed while its day may be told."""
    expected = datetime.fromisoformat(f"{end}+00:00").timestamp()
    assert day_end(day, ZoneInfo(zone)) == expected
    assert Machine(expected).clock(zone).read().day > day


def test_in_no_zone_does_a_day_end_early_or_twice() -> None:
    """Every zone that there is, around each of a year's switches: a second before its
    end a day is told, from its end on never again."""
    first = date(2026, 1, 1)
    looked_at = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        noons = [datetime(2026, 1, 1, 12, tzinfo=zone) + timedelta(n) for n in range(366)]
        changes = [n for n in range(1, 366) if noons[n].utcoffset() != noons[n - 1].utcoffset()]
        for day in (first + timedelta(n - more) for n in changes for more in (0, 1, 2)):
            end = day_end(day, zone)
            assert datetime.fromtimestamp(end - 1, zone).date() == day, name
            later = (datetime.fromtimestamp(end + n * 900, zone).date() for n in range(48))
            assert all(told > day for told in later), name
            looked_at += 1
    assert looked_at > 500


def test_the_boot_clock_goes_forward() -> None:
    """It is the machine's own."""
    assert 0 < boot_seconds() <= boot_seconds()
