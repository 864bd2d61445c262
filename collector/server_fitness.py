"""Fitness: what a ClickHouse server must be set up like, so that our promises hold there too.

An embedded engine is ours; a server is somebody's, with logs, profiles and engines of its choice.
Asked at every start, and refused with a sentence that names the setting. Pure: the answers are
arguments; `warehouse` asks. `deploy/clickhouse/` has the files that make a server fit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

# A log of statements would hold sellers, products and days for as long as it likes.
SESSION: Final = {"log_queries": 0}
TALKATIVE: Final = ("trace", "debug", "test")
# Answered means on disk, and a batch is there whole or not at all.
DURABLE: Final = {
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
    "min_rows_to_fsync_after_merge": "1",
    "min_compressed_bytes_to_fsync_after_merge": "1",
}
# What is dropped is gone within seconds, and not after the server's eight minutes.
GONE: Final = {"old_parts_lifetime": "1"}
GOES: Final = ("erased", "hits", "pools")
CURE: Final = "deploy/clickhouse/ has the files that set it"


def unfit_logs(names: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for every table of the server's own that must not be."""
    for name in names:
        yield f"{name}: this server keeps system.{name}, and with it what we ask; {CURE}"


def unfit_level(level: str) -> Iterator[str]:
    """Yield a sentence where the server writes statements into its own log."""
    if level in TALKATIVE:
        yield f"logger.level: is {level}, which writes statements down; {CURE}"


def unfit_session(asked: Mapping[str, int], found: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for every setting that we send and that the server changes or ignores."""
    for name, value in asked.items():
        if name in found and found[name] not in (str(value), str(bool(value)).lower()):
            yield f"{name}: is {found[name]} for this user, and must be {value}; {CURE}"


def unfit_tables(tables: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yield a sentence for every table that isn't kept as we made it.

    tables  name, engine, and the engine with its settings as the server shows it
    """
    for name, engine, shown in tables:
        if engine != "MergeTree":
            yield f"{name}: has the engine {engine}, and only MergeTree was tested for our promises"
            continue
        settings = dict(re.findall(r"(\w+) = (\w+)", shown.partition(" SETTINGS ")[2]))
        for setting, value in (DURABLE | (GONE if name in GOES else {})).items():
            if settings.get(setting) != value:
                yield (
                    f"{setting}: must be {value} for {name}; type"
                    f" `alter table {name} modify setting {setting} = {value}`"
                )
