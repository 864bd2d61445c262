"""The privacy report as a text for people, with a draft of the record of processing."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

PROCESSING: Final = """## Record of processing (GDPR Art. 30): a draft to complete

| | |
|---|---|
| Controller | {controller}; name and contact, also of the data protection officer: to be added |
| Purpose | distinct visitors of product pages a day, as statistics for the pages' sellers |
| Legal basis | consent (Art. 6 (1)(a)); nothing is counted without it |
| Data subjects | visitors of product pages who consented |
| Categories of data | a pseudonym for one seller and one day; hour; seller and product; referring \
domain and campaign; device class, browser and operating system family; seconds on the page |
| Not kept | addresses, user agents, cookies' contents, full referrers and URLs: in memory for one \
request |
| Recipients | sellers see counts of their own pages; nobody receives pseudonymous data |
| Third countries | none by this software; the hosting's: to be added |
| Erasure | hits with the day's seal, {seal}; what waits for a week or month, with the month; \
counts {kept} |
| Security | keyed pseudonyms whose salt is destroyed every day; file modes; secret and data \
apart; keys by purpose; searches after every seal, above |
"""


def markdown(report: Mapping[str, Any], brand_name: str = "") -> str:
    """Return the whole report; same content as its JSON."""
    keep = report["counts"]["keep_counts_days"]
    kept = f"are deleted after {keep} days" if keep else "are kept for ever (anonymous)"
    parts = [
        f"# Privacy report of {report['made_at']}\n",
        f"Collector {report['versions']['collector']}, schema {report['versions']['schema']},"
        f" days in {report['timezone']}.\n",
        *_held(report, kept),
        "## Recent days\n",
        _table(
            ("day", "state", "salt gone", "counted", "hits gone", "sealed", "searched", "found"),
            [_day_row(day) for day in report["days"]],
            "No day is known.",
        ),
        "## Beacons by outcome\n",
        _table(
            ("day", "outcomes"),
            [
                (day, ", ".join(f"{name} {n}" for name, n in sorted(found.items())))
                for day, found in report["outcomes"].items()
            ],
            "None.",
        ),
        f"## What could have been exposed at {report['exposed']['at']}\n",
        _exposed(report["exposed"]["days"], report["exposed"]["months_waiting"]),
        PROCESSING.format(
            controller=brand_name or "to be added", seal=_latest_seal(report), kept=kept
        ),
    ]
    return "\n".join(parts)


def _held(report: Mapping[str, Any], kept: str) -> list[str]:
    """Return what is held now; `kept` says for how long counts are."""
    counts = report["counts"]
    return [
        "## What is held now\n",
        _table(
            ("day", "hits stored", "withdrawn", "bytes in the spool"),
            [(d["day"], d["stored"], d["erased"], d["in_spool"]) for d in report["hits"]],
            "No day holds hits.",
        ),
        _table(
            ("salt of", "since"),
            [(s["day"], s["since"]) for s in report["salts"]],
            "No salt exists.",
        ),
        _table(
            ("waits for the end of", "begun", "visitor-days, in every dimension"),
            [(p["period"], p["start"], p["visitor_days"]) for p in report["waiting_for_a_close"]],
            "Nothing waits for a week's or month's close.",
        ),
        f"Counts: {counts['rows']} rows"
        + (f", {counts['first']} to {counts['last']}" if counts["rows"] else "")
        + f"; they {kept}.\n",
        f"Smallest breakdown cell this month: {report['breakdown_min']['this_month']}"
        f" (setting: {report['breakdown_min']['setting']}, holds from the next month).\n",
    ]


def _exposed(days: list[Mapping[str, Any]], months: list[str]) -> str:
    counts = "Counts of the days sealed by then: integers, anonymous."
    if months:
        counts = (
            f"What waited for a week's or month's close, of {', '.join(months)}: integers by"
            " product, of few visitors each; without hash or salt, but not anonymous yet.\n\n"
            + counts
        )
    if not days and not months:
        return f"No pseudonymous data was there. {counts}\n"
    lines = [
        f"- {each['day']}: "
        + " and ".join(
            [
                *(["hits (pseudonymous)"] if each["hits"] else []),
                *(["the salt"] if each["salt"] else []),
            ]
        )
        for each in days
    ]
    if days:
        lines.append(
            "\nWith a day's hits, its salt and the secret together, somebody could test whether a"
            " given address with a given user agent had visited a given seller that day; with hits"
            " and salt but without the secret, not; without the salt, nobody can, ourselves"
            " included."
        )
    return "\n".join([*lines, "", f"{counts}\n"])


def _day_row(day: Mapping[str, Any]) -> tuple[object, ...]:
    searched = f"{day['hashes_searched']} hashes in {day['files_searched']} files"
    times = (_minute(day[name]) for name in ("salt_gone", "counted", "gone", "sealed"))
    return (
        day["day"],
        day["state"],
        *times,
        searched if day["gone"] else "",
        day["hashes_found"] if day["gone"] else "",
    )


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else ""


def _latest_seal(report: Mapping[str, Any]) -> str:
    sealed = [day for day in report["days"] if day["sealed"]]
    if not sealed:
        return "minutes after midnight"
    return f"last at {_minute(sealed[-1]['sealed'])} for {sealed[-1]['day']}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]], empty: str) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    if not lines:
        return f"{empty}\n"
    head = f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
    return "\n".join([head, *lines, ""])
