"""A new country database: fetched, checked, and only then put in place of the old one.

The running server looks at the file's name once a second and moves over by itself. Whatever goes
wrong before the last rename leaves everything as it was.
"""

import fcntl
import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from geoip.country import FILE_BYTES_MAX, Database, Unusable, country_in, open_database
from geoip.fetch import Credentials, Unfetched, fetch

MAXMIND_URL = "https://download.maxmind.com/geoip/databases/GeoLite2-Country/download?suffix=tar.gz"
DOWNLOAD_BYTES_MAX = 256 * 1024 * 1024
CHECKSUM_BYTES_MAX = 1024
CLOCK_SKEW_SECONDS = 24 * 3600

# Networks of registries and universities, which have been where they are for decades; a database
# may be wrong about two of them, and no honest one is about more.
KNOWN = (
    ("193.0.6.139", "NL"),  # RIPE NCC
    ("202.12.29.1", "AU"),  # APNIC
    ("200.160.2.3", "BR"),  # NIC.br
    ("133.11.0.1", "JP"),  # University of Tokyo
    ("129.132.1.1", "CH"),  # ETH Zurich
    ("147.102.1.1", "GR"),  # National Technical University of Athens
    ("130.88.0.1", "GB"),  # University of Manchester
    ("128.30.2.1", "US"),  # MIT
    ("2001:67c:2e8:22::c100:68b", "NL"),  # RIPE NCC
    ("2001:638::1", "DE"),  # DFN
)
KNOWN_WRONG_MAX = 2

_SHA256 = re.compile(r"\b([0-9a-fA-F]{64})\b")


class UpdateRefused(Exception):
    """The old database stays; the sentence says why and what would help."""


def fetched_path(data_dir: Path) -> Path:
    """Return where an update puts its file, and where the server looks for it."""
    return data_dir / "geoip" / "country.mmdb"


def update(
    *, data_dir: Path, own: Path | None, url: str, account: str, licence_key: str, now: float
) -> str:
    """Fetch, check and put in place a new database; return a sentence about it.

    own          GEOIP_DATABASE; a file of the operator's own is not ours to replace
    url          GEOIP_URL; empty stands for MaxMind's when there is an account. `#sha256=` and
                 64 hexadecimal digits at its end pin the file
    now          seconds since 1970
    Errors       UpdateRefused with a sentence; it never holds the key or the address's query.
    """
    if own is not None:
        raise UpdateRefused(
            "COLLECTOR_GEOIP_DATABASE: names a file of your own; empty it to use updates"
        )
    if bool(account) != bool(licence_key):
        raise UpdateRefused(
            "COLLECTOR_GEOIP_ACCOUNT and COLLECTOR_GEOIP_LICENCE_KEY: set both, or neither"
        )
    if not url and not account:
        raise UpdateRefused(
            "COLLECTOR_GEOIP_URL: set it to an MMDB's address, or COLLECTOR_GEOIP_ACCOUNT and "
            "COLLECTOR_GEOIP_LICENCE_KEY to those of a MaxMind account"
        )
    credentials = Credentials(account, licence_key) if account else None
    destination = fetched_path(data_dir)
    with _alone(destination.parent):
        content, is_verified = _download(url or MAXMIND_URL, credentials)
        database = _put_in_place(_unpacked(content), destination, now)
    checked = "its checksum holds" if is_verified else "its publisher gives no checksum"
    return (
        f"country database: {database.name}, built {database.built}; {checked}; "
        "running servers use it within seconds"
    )


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory for one update; a second one would swap the first one's file."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "update.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UpdateRefused("another update is running; try again when it is done") from None
        yield


def _download(url: str, credentials: Credentials | None) -> tuple[bytes, bool]:
    """Return the file and whether a checksum held."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(fragment=""))
    try:
        content = fetch(bare, bytes_max=DOWNLOAD_BYTES_MAX, credentials=credentials)
        expected = _expected(parts.fragment, bare, credentials)
    except Unfetched as error:
        if error.status in (401, 403) and credentials is not None:
            raise UpdateRefused(
                f"{error}: COLLECTOR_GEOIP_ACCOUNT and COLLECTOR_GEOIP_LICENCE_KEY are not accepted"
            ) from None
        raise UpdateRefused(f"COLLECTOR_GEOIP_URL: {error}") from None
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise UpdateRefused("the download's checksum is not the published one; try again later")
    return content, expected is not None


def _expected(fragment: str, url: str, credentials: Credentials | None) -> str | None:
    """Return the checksum that the file must have: pinned, else published next to it."""
    if fragment:
        pinned = _SHA256.search(fragment)
        if pinned is None or not fragment.startswith("sha256="):
            raise UpdateRefused(
                "COLLECTOR_GEOIP_URL: after # only sha256= and 64 hexadecimal digits will do"
            )
        return pinned[1].lower()
    parts = urlsplit(url)
    by_query = "suffix=" in parts.query  # MaxMind's way to ask for the checksum
    if by_query:
        beside = urlunsplit(parts._replace(query=f"{parts.query}.sha256"))
    else:
        beside = urlunsplit(parts._replace(path=f"{parts.path}.sha256"))
    try:
        published = fetch(beside, bytes_max=CHECKSUM_BYTES_MAX, credentials=credentials)
    except Unfetched:
        if by_query:
            raise
        return None  # Most publishers of free databases have none.
    found = _SHA256.search(published.decode("latin-1"))
    return None if found is None else found[1].lower()


def _unpacked(content: bytes) -> bytes:
    """Return the database in a download: bare, gzipped, or alone in a gzipped tar.

    Errors  UpdateRefused: damaged, too large when unpacked, or not exactly one .mmdb inside.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as unpacking:
            plain = unpacking.read(FILE_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise UpdateRefused("the download is cut short or damaged: it can't be unpacked") from None
    if len(plain) > FILE_BYTES_MAX:
        raise UpdateRefused(f"the download unpacks to more than {FILE_BYTES_MAX} bytes")
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            members = [member for member in archive if _is_database(member)]
            if len(members) != 1:
                raise UpdateRefused(f"the download holds {len(members)} .mmdb files, not one")
            file = archive.extractfile(members[0])
            assert file is not None, "a regular file was asked for"
            return file.read()
    except tarfile.TarError:
        return plain


def _is_database(member: tarfile.TarInfo) -> bool:
    return member.isfile() and member.name.endswith(".mmdb")


def _put_in_place(content: bytes, destination: Path, now: float) -> Database:
    """Write next to the old file, check, and rename: at no moment is there half a database."""
    new = destination.with_suffix(".new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        database = _checked(new, destination, now)
        new.replace(destination)
    except Unusable as error:
        raise UpdateRefused(f"the download is no country database: {error}") from None
    except OSError as error:
        raise UpdateRefused(f"{destination}: can't be written: {error.strerror}") from None
    finally:
        new.unlink(missing_ok=True)
    descriptor = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # The new name must outlive a power cut.
    finally:
        os.close(descriptor)
    return database


def _checked(new: Path, old: Path, now: float) -> Database:
    database = open_database(new)
    if database.built_at > now + CLOCK_SKEW_SECONDS:
        raise UpdateRefused(f"the download says it was built on {database.built}, in the future")
    if (before := _built_at(old)) is not None and database.built_at < before:
        raise UpdateRefused(f"the download, built {database.built}, is older than what is in place")
    wrong = [
        text
        for text, country in KNOWN
        if (database.ipv6 or ":" not in text)
        and country_in(database.reader.get(ip_address(text))).country != country
    ]
    if len(wrong) > KNOWN_WRONG_MAX:
        raise Unusable(f"it is wrong about {len(wrong)} of {len(KNOWN)} well-known networks")
    return database


def _built_at(path: Path) -> int | None:
    try:
        return open_database(path).built_at
    except Unusable:
        return None
