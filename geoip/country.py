"""Which country an address belongs to: one opened database that renews itself.

The file is read into memory as a whole before it serves. A memory-mapped file would end the
process (SIGBUS) when an operator copies a new one over it in place. Nothing here writes, and no
error or log line holds an address; the library's own errors do, so they go no further.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from geoip.address import IPAddress, is_public, plain
from geoip.probe import reads_through
from geoip.territory import COUNTRIES

BUNDLED = Path(__file__).parent / "data" / "country.mmdb"
FILE_BYTES_MAX = 512 * 1024 * 1024
STALE_AFTER_DAYS = 35  # Publishers renew monthly; one that is older missed a month.
LOOK_AGAIN_SECONDS = 1.0
SAMPLE_NETWORKS = 1000  # A database of anything else has no country in its first thousand.
DAY_SECONDS = 24 * 3600
_DESCRIPTORS = Path("/proc/self/fd")

_log = logging.getLogger("geoip")

_FLAT_ATTRIBUTION = (
    "Contains data of the regional internet registries by the Number Resource Organization "
    "(nro.net), CC BY 4.0, collected by ip-location-db"
)
# What a publisher asks for, by the beginning of the database's own type.
_ATTRIBUTIONS = (
    ("GeoLite2", "This product includes GeoLite Data created by MaxMind, available from "
     "https://www.maxmind.com"),
    ("GeoIP2", "Contains GeoIP data by MaxMind, https://www.maxmind.com"),
    ("DBIP", "IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"),
    ("country ipv", _FLAT_ATTRIBUTION),
)  # fmt: skip


class Found(NamedTuple):
    """What the database says: a country or None, and whether only a registration told it."""

    country: str | None
    registered: bool


NOWHERE = Found(None, registered=False)


class Unusable(Exception):
    """The file can't serve; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Database:
    """An opened database.

    built_at    seconds since 1970, by its publisher; `built` is that day
    ipv6        whether it knows IPv6 networks too
    """

    path: Path
    name: str
    attribution: str
    built_at: int
    built: date
    ipv6: bool
    reader: maxminddb.Reader

    def age_days(self, now: float) -> int:
        """Return whole days since it was built; never below zero."""
        return max(0, int(now - self.built_at) // DAY_SECONDS)

    def is_stale(self, now: float) -> bool:
        return self.age_days(now) > STALE_AFTER_DAYS


def country_in(record: Any) -> Found:
    """Return the country in a database's record, in MaxMind's nested or in the flat shape.

    Why     `registered_country` is where the network's owner is registered, not where it is
            used; it serves only where `country` is missing, and the answer says so. The record's
            own EU flag is never read: it is true for Åland and Réunion, which are outside the
            VAT territory, and false for Monaco, which is inside.
    """
    if not isinstance(record, dict):
        return NOWHERE
    entry = record.get("country")
    code = entry.get("iso_code") if isinstance(entry, dict) else record.get("country_code", entry)
    if isinstance(code, str) and (code := code.upper()) in COUNTRIES:
        return Found(code, registered=False)
    entry = record.get("registered_country")
    code = entry.get("iso_code") if isinstance(entry, dict) else None
    if isinstance(code, str) and (code := code.upper()) in COUNTRIES:
        return Found(code, registered=True)
    return NOWHERE


def open_database(path: Path) -> Database:
    """Read and open the database at `path`.

    Errors  Unusable with a sentence: missing, empty, cut short, not an MMDB, or without countries.
    """
    content = _content(path)
    reader = _reader(content, is_ours=path == BUNDLED)
    try:
        meta = reader.metadata()
        sample = list(islice(reader, SAMPLE_NETWORKS))
        built = datetime.fromtimestamp(meta.build_epoch, UTC).date()
    except (maxminddb.InvalidDatabaseError, ValueError, OverflowError, OSError):
        raise Unusable("its networks or its date can't be read; it is damaged") from None
    if not any(country_in(record).country for _, record in sample):
        raise Unusable("it is an MMDB, but its records hold no country")
    bundled = path == BUNDLED
    return Database(
        path=path,
        name="geo-whois-asn-country (ip-location-db)" if bundled else meta.database_type,
        attribution=_attribution(meta.database_type),
        built_at=meta.build_epoch,
        built=built,
        ipv6=meta.ip_version == 6,
        reader=reader,
    )


def _content(path: Path) -> bytes:
    try:
        before = path.stat()
        if before.st_size > FILE_BYTES_MAX:
            raise Unusable(f"it has {before.st_size} bytes, at most {FILE_BYTES_MAX} are read")
        content = path.read_bytes()
        after = path.stat()
    except OSError as error:
        raise Unusable(f"it can't be read: {error.strerror}") from None
    if not content:
        raise Unusable("it is empty")
    if _signature(before) != _signature(after) or len(content) != after.st_size:
        raise Unusable("it changed while it was read")
    return content


def _reader(content: bytes, *, is_ours: bool) -> maxminddb.Reader:
    try:
        # Slow, and safe whatever the file holds.
        reader = maxminddb.open_database(BytesIO(content), maxminddb.MODE_FD)
    except Exception:  # of whatever kind it is that the library stumbles over
        raise Unusable("it is not a whole MMDB file") from None
    if not (hasattr(os, "memfd_create") and _DESCRIPTORS.is_dir()):
        return reader
    reader.close()
    # The C reader wants a path; an anonymous file in memory has one, and is ours alone.
    descriptor = os.memfd_create("country", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        if not (is_ours or reads_through(descriptor)):
            raise Unusable("its networks can't all be read; it is cut short or damaged")
        return maxminddb.open_database(_DESCRIPTORS / str(descriptor))
    except (maxminddb.InvalidDatabaseError, ValueError, OSError):
        raise Unusable("it is not a whole MMDB file") from None
    finally:
        os.close(descriptor)


def _attribution(database_type: str) -> str:
    for beginning, attribution in _ATTRIBUTIONS:
        if database_type.startswith(beginning):
            return attribution
    return f"Contains {database_type}; its publisher's terms say how to name it"


def _signature(stat: os.stat_result) -> tuple[int, int, int, int]:
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


class Countries:
    """Answers from the first usable of several files, and moves to a better one when it appears.

    own      the operator's own file; None where the setting is empty
    fetched  where `collector geoip update` puts its file; it need not exist
    clock    seconds since 1970

    The operator's own file is wanted most, then the fetched one, then the bundled one.

    A lookup never waits for a new file: it is opened in a thread and swapped in when it is
    ready. A refused file is named in `problem` and in one log line, and whatever served before
    goes on serving.
    """

    def __init__(
        self, *, clock: Callable[[], float], own: Path | None = None, fetched: Path | None = None
    ) -> None:
        self._own = own
        self._paths = tuple(path for path in (own, fetched, BUNDLED) if path is not None)
        self._clock = clock
        self._opening = threading.Lock()
        self._seen: dict[Path, tuple[int, int, int, int] | None] = {}
        self._problems: dict[Path, str] = {}
        self._looked = clock()
        self.reloads = 0
        self.failures = 0
        opened = self._first_usable()
        if opened is None:
            raise Unusable("no country database can be read, not even the bundled one")
        self.database = opened
        self._tell_age()

    @property
    def problem(self) -> str | None:
        """A sentence about a wanted file that can't serve, or None."""
        return next(iter(self._problems.values()), None)

    def find(self, address: IPAddress) -> Found:
        """Return the country of an address; nothing known and nothing to know are the same."""
        now = self._clock()
        # Backwards counts too: a clock that was put right must not stop the looking.
        if abs(now - self._looked) >= LOOK_AGAIN_SECONDS:
            self._looked = now
            if self._is_changed():
                threading.Thread(target=self.refresh, name="geoip-refresh", daemon=True).start()
        address = plain(address)
        database = self.database
        if not is_public(address) or (address.version == 6 and not database.ipv6):
            return NOWHERE
        try:
            return country_in(database.reader.get(address))
        except (maxminddb.InvalidDatabaseError, ValueError):
            self.failures += 1  # The library's message quotes the address, so it ends here.
            return NOWHERE

    def refresh(self) -> bool:
        """Look at the files now; return whether another database serves."""
        with self._opening:
            if not self._is_changed():
                return False
            opened = self._first_usable()
            if opened is None or opened is self.database:
                return False
            self.database = opened
            self.reloads += 1
            _log.info("now answering from %s, built %s", opened.path, opened.built)
            self._tell_age()
            return True

    def _is_changed(self) -> bool:
        return any(self._seen.get(path) != _signature_of(path) for path in self._paths)

    def _first_usable(self) -> Database | None:
        """Open the first path that can serve; keep what is open when nothing better came."""
        current: Database | None = getattr(self, "database", None)
        for path in self._paths:
            signature = _signature_of(path)
            is_new = self._seen.get(path) != signature
            self._seen[path] = signature
            if signature is None and path != self._own:
                self._problems.pop(path, None)
                continue  # Nothing was fetched yet: not a problem.
            if current is not None and current.path == path and not is_new:
                return current
            if path in self._problems and not is_new:
                continue
            try:
                opened = open_database(path)
            except Unusable as error:
                self._problems[path] = f"{path}: {error}"
                _log.warning("refused %s: %s; the one before goes on serving", path, error)
                if current is not None and current.path == path:
                    return current
                continue
            self._problems.pop(path, None)
            return opened
        return current

    def _tell_age(self) -> None:
        age = self.database.age_days(self._clock())
        if age > STALE_AFTER_DAYS:
            _log.warning(
                "the country database is %d days old; `collector geoip update` fetches a new one",
                age,
            )


def _signature_of(path: Path) -> tuple[int, int, int, int] | None:
    try:
        return _signature(path.stat())
    except OSError:
        return None
