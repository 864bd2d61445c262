"""The history: a month of generated visits, sent through the real beacons door.

One worker lives through the month under a clock of its own, so days end, salts are destroyed and
spool files are closed as they are in a real month; only the drain comes later. Nothing is
inserted behind anybody's back, and every answer is looked at.

Until the month is whole, nothing else has been in the data directory; what an interrupted run
left is thrown away and the same month, from the same seed, is sent again.
"""

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from collector import keys, page_tag, salt, secret
from collector.beacons import ASGIApp
from collector.clock import day_end
from collector.day_key import DESTROY_AFTER_SECONDS
from collector.demo.asgi import Answer, call, running
from collector.demo.visits import Hour, Request, visits
from collector.salt import sync_directory
from collector.serve_beacons import Worker, World
from collector.settings import PREFIX, BadSettings, Settings

DAYS = 30
MARK = "demo.json"
AT_ONCE = 200  # As many as one commit can well take together.
FIRST_SECOND = 300  # Into the day: yesterday's salt is due by then.


@dataclass(frozen=True, slots=True)
class Month:
    """What is noted about the history, beside the data.

    whole     every visit was sent
    last      the day on which it was generated; `days` days lie before it
    outcomes  how many beacons had which
    told      page views and orders were told as well
    """

    whole: bool
    last: date
    days: int
    outcomes: dict[str, int]
    told: bool = False


@dataclass(slots=True)
class Clock:
    """The worker's clock; it stands until it is moved."""

    seconds: float

    def read(self) -> float:
        return self.seconds


def is_whole(settings: Settings) -> bool:
    """Return whether the month is there.

    Errors  BadSettings when the directory holds something that is not a demo's: a demo hands out
            everybody's numbers to whoever asks, so it never opens real ones.
    """
    directory = settings.data_dir
    if (directory / MARK).exists():
        return read(settings).whole
    if directory.is_dir() and any(directory.iterdir()):
        raise BadSettings(
            f"{PREFIX}DATA_DIR: holds data that is not a demo's; name a directory of its own"
        )
    return False


def read(settings: Settings) -> Month:
    """Return what is noted about the history; BadSettings when the note is damaged."""
    path = settings.data_dir / MARK
    try:
        noted = json.loads(path.read_text("utf-8"))
        return Month(**(noted | {"last": date.fromisoformat(noted["last"])}))
    except (ValueError, KeyError, TypeError):
        raise BadSettings(f"{path}: damaged; delete the directory") from None


def note(settings: Settings, month: Month) -> None:
    """Note how far the month is: whole or not at all, and on disk before anything goes on."""
    path = settings.data_dir / MARK
    temporary = path.with_name(f".{MARK}.new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(month) | {"last": month.last.isoformat()}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def generate(
    settings: Settings, *, now: float, days: int, advance: Callable[[int], None]
) -> Counter[str]:
    """Send the visits of `days` days and of today so far; return how many had which outcome.

    now      seconds since 1970
    advance  is told how many days were done since it was last called
    Errors   RuntimeError when anything was answered in a way that a visit can't be.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    month = Month(False, datetime.fromtimestamp(now, settings.timezone).date(), days, {})
    note(settings, month)
    if (settings.data_dir / "spool").exists():
        shutil.rmtree(settings.data_dir / "spool")
    outcomes = asyncio.run(_live(settings, now, days, advance))
    _expect_no_old_salt(settings, now)
    note(settings, replace(month, whole=True, outcomes=dict(outcomes)))
    return outcomes


async def _live(
    settings: Settings, now: float, days: int, advance: Callable[[int], None]
) -> Counter[str]:
    today = datetime.fromtimestamp(now, settings.timezone)
    first = today.date() - timedelta(days)
    key = keys.derive(secret.load(settings), "page-tag")
    clock = Clock(_at(settings, first, 0))
    worker = Worker(settings, World(clock.read, clock.read))
    outcomes: Counter[str] = Counter()
    async with running(worker.application):
        for nth in range(days + 1):
            day = first + timedelta(nth)
            hours = visits(
                day,
                nth=nth,
                nth_last=days,
                sign=lambda seller, product: page_tag.sign(seller, product, key),
                origin=settings.beacons_public_url,
            )
            for hour in range(24 if nth < days else today.hour):
                clock.seconds = _at(settings, day, hour)
                if hour == 0:
                    worker.tend()
                outcomes += await _send_hour(worker.application, hours[hour], settings.path_prefix)
            advance(1)
        clock.seconds = now
        worker.tend()
    return outcomes


def _at(settings: Settings, day: date, hour: int) -> float:
    local = datetime(day.year, day.month, day.day, hour, tzinfo=settings.timezone)
    return local.timestamp() + FIRST_SECOND


async def _send_hour(application: ASGIApp, hour: Hour, prefix: str) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for answer in await _send(application, hour.beacons, prefix):
        outcomes[answer.header(b"x-counted").decode()] += 1
    if not set(outcomes) <= {"yes", "no-consent", "refused", "gpc", "dnt", "bot"}:
        raise RuntimeError(f"the demo's visits were answered with {', '.join(outcomes)}")
    for answer in await _send(application, hour.withdrawals, prefix):
        if answer.status != 200:
            raise RuntimeError(f"a withdrawal was answered with {answer.status}")
    return outcomes


async def _send(application: ASGIApp, requests: list[Request], prefix: str) -> Iterable[Answer]:
    answers: list[Answer] = []
    for begin in range(0, len(requests), AT_ONCE):
        group = requests[begin : begin + AT_ONCE]
        answers += await asyncio.gather(
            *(
                call(
                    application,
                    "POST",
                    prefix + each.path,
                    headers=each.headers,
                    body=each.body,
                    client=(each.address, 443),
                )
                for each in group
            )
        )
    return answers


def _expect_no_old_salt(settings: Settings, now: float) -> None:
    """Make sure that nobody can recompute the month's pseudonyms: its salts are gone."""
    left = [
        str(day)
        for day in salt.days(settings.salts)
        if now >= day_end(day, settings.timezone) + DESTROY_AFTER_SECONDS
    ]
    if left:
        raise RuntimeError(f"salts of days that are over were left: {', '.join(left)}")
