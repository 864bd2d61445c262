"""The privacy report: what a data protection officer may ask, answered from the live system.

Read from tables, files and the record of closes, not from settings; a setting is named beside what
it has led to. It holds numbers and days, never a seller's name or a hash.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from collector import __version__, salt, schema, status
from collector.clock import day_end
from collector.close.closes import Close, Closes
from collector.spool_file import files, with_log
from collector.suppression import month_of
from collector.warehouse import Client, ask

RECENT_DAYS: Final = 40


@dataclass(frozen=True, slots=True)
class HeldDay:
    """A day that still holds hits.

    stored    rows in ClickHouse; erased: withdrawals among them, which no number counts
    in_spool  bytes of its spool files
    """

    day: str
    stored: int
    erased: int
    in_spool: int


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """When a day was closed, and what the search after it found. Times are local."""

    day: str
    state: str
    salt_gone: str | None
    counted: str | None
    gone: str | None
    sealed: str | None
    hashes_searched: int
    hashes_found: int
    files_searched: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """What of one day was there at a moment.

    hits  pseudonymous rows; salt: with it and the secret, somebody could have tried addresses
    """

    day: str
    hits: bool
    salt: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Settings in force that a report names."""

    timezone: ZoneInfo
    breakdown_min: int
    keep_counts_days: int
    brand_name: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report looks."""

    data: Path
    salts: Path
    closes: Closes
    client: Client
    today: date
    now: float


def report(sources: Sources, settled: Settled, moment: float | None = None) -> dict[str, Any]:
    """Return the report, ready for JSON.

    moment  seconds since 1970 of a breach, to say what could have been exposed; None for now
    Errors  Unanswered.
    """
    at = sources.now if moment is None else moment
    zone, client = settled.timezone, sources.client
    first = sources.today - timedelta(days=RECENT_DAYS)
    first_count, last_count, rows = ask(client, "counts_held")[0]
    return {
        "made_at": _local(sources.now, zone),
        "versions": {"collector": __version__, "schema": schema.migrations()[-1].number},
        "timezone": str(zone),
        "hits": [asdict(each) for each in _held(sources)],
        "waiting_for_a_close": [
            {"period": period, "start": str(start), "rows": n, "visitor_days": visitors}
            for period, start, n, visitors in ask(client, "pools_held")
        ],
        "counts": {
            "rows": rows,
            "first": str(first_count) if rows else None,
            "last": str(last_count) if rows else None,
            "keep_counts_days": settled.keep_counts_days,
        },
        "salts": list(_salts(sources.salts, zone)),
        "days": [
            asdict(_closed(close, zone)) for close in sources.closes.between(first, sources.today)
        ],
        "outcomes": _outcomes(sources, first),
        "breakdown_min": {
            "this_month": sources.closes.minimum(month_of(sources.today)[0], settled.breakdown_min),
            "setting": settled.breakdown_min,
        },
        "exposed": {"at": _local(at, zone), **_exposures(sources, at, zone)},
    }


def exposed(close: Close, at: float, zone: ZoneInfo) -> Exposure | None:
    """Return what of a day was there at a moment, or None when nothing was.

    Why     a day's hits exist from its first beacon until the search after its drop, its salt until
            the close saw it gone. A day without these notes is taken to be still there.
    """
    if at < day_end(close.day - timedelta(days=1), zone):
        return None
    ended = close.state in ("sealed", "lost")
    gone = close.notes.get("gone_at", 0.0 if ended else float("inf"))
    salt_gone = close.notes.get("salt_gone_at", 0.0 if ended else float("inf"))
    if at >= gone and at >= salt_gone:
        return None
    return Exposure(str(close.day), at < gone, at < salt_gone)


def months_waiting(closes: Sequence[Close], at: float, zone: ZoneInfo) -> list[date]:
    """Return the months of which something waited for a close at a moment, by their first day.

    Why     what no close has published yet says little of few visitors, which is not anonymous. It
            is there from a day's count on, until the first close behind the month's end that
            covers the month's last day with visits.
    """
    waiting = []
    for first, group in groupby(closes, lambda close: month_of(close.day)[0]):
        days = list(group)
        counted = min(close.notes.get("counted_at", float("inf")) for close in days)
        end = day_end(month_of(first)[1], zone)
        published = (
            close.notes["gone_at"]
            for close in closes
            if close.day >= days[-1].day and end <= close.notes.get("gone_at", 0.0)
        )
        if counted <= at < min(published, default=float("inf")):
            waiting.append(first)
    return waiting


def _exposures(sources: Sources, at: float, zone: ZoneInfo) -> dict[str, Any]:
    known = sources.closes.between(date.min, date.max)
    return {
        "days": [asdict(found) for close in known if (found := exposed(close, at, zone))],
        "months_waiting": [f"{month:%Y-%m}" for month in months_waiting(known, at, zone)],
    }


def _salts(directory: Path, zone: ZoneInfo) -> Iterator[dict[str, str]]:
    for day, path in salt.days(directory).items():
        with contextlib.suppress(FileNotFoundError):  # destroyed meanwhile
            yield {"day": str(day), "since": _local(path.stat().st_mtime, zone)}


def _held(sources: Sources) -> list[HeldDay]:
    stored = {day: (n, erased) for day, n, erased in ask(sources.client, "hits_by_day")}
    spool: dict[date, int] = {}
    for file in files(sources.data / "spool"):
        for path in (*with_log(file.path), file.lock_path):
            with contextlib.suppress(FileNotFoundError):  # shredded meanwhile, or has no log
                spool[file.day] = spool.get(file.day, 0) + path.stat().st_size
    return [
        HeldDay(str(day), *stored.get(day, (0, 0)), spool.get(day, 0))
        for day in sorted(stored.keys() | spool.keys())
    ]


def _closed(close: Close, zone: ZoneInfo) -> ClosedDay:
    notes = close.notes
    times = {
        name: _local(notes[f"{name}_at"], zone) if f"{name}_at" in notes else None
        for name in ("salt_gone", "counted", "gone", "sealed")
    }
    return ClosedDay(
        str(close.day),
        close.state,
        hashes_searched=int(notes.get("searched_hashes", 0)),
        hashes_found=int(notes.get("found", 0)),
        files_searched=int(notes.get("searched_files", 0)),
        **times,
    )


def _outcomes(sources: Sources, first: date) -> dict[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    asked = {"first": first, "last": sources.today}
    for day, outcome, beacons in ask(sources.client, "outcomes_by_day", asked):
        found.setdefault(str(day), {})[outcome] = beacons
    for day in sorted({file.day for file in files(sources.data / "spool")}):
        found.setdefault(str(day), dict(status.outcomes(sources.data / "spool", day)))
    return dict(sorted(found.items()))


def _local(seconds: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec="seconds")
