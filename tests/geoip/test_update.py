"""`collector geoip update`: fetched, checked, swapped in; or refused, and all is as before."""

import gzip
import hashlib
import io
import logging
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from geoip import fetch
from geoip import update as updating
from geoip.country import BUNDLED, DAY_SECONDS, Countries, Found, country_in, open_database
from geoip.update import KNOWN, KNOWN_WRONG_MAX, UpdateRefused, fetched_path, update
from tests.geoip import mmdb
from tests.geoip.mmdb import BAD_FILES, BUILT_AT, FLAT
from tests.geoip.publisher import Publisher, Reply, publishing
from tests.geoip.running import Clock, served

pytestmark = pytest.mark.processes
NOW = float(BUILT_AT + DAY_SECONDS)
KEY = "licence-key-that-nobody-may-see"
GREEK = ip_address("81.82.3.4")


def networks(wrong: int = 0) -> dict[str, Any]:
    """Return a small database's networks that know the well-known ones, all but some."""
    known: dict[str, Any] = {}
    for number, (text, country) in enumerate(KNOWN):
        network = f"{ip_address(text)}/{48 if ':' in text else 24}"
        known[network] = {"country_code": "AQ" if number < wrong else country}
    return {**FLAT, **known}


@dataclass
class Desk:
    """An operator's desk: a publisher, a data directory, and the command."""

    publisher: Publisher
    data_dir: Path

    @property
    def path(self) -> Path:
        return fetched_path(self.data_dir)

    def built(self, **options: Any) -> bytes:
        wrong = options.pop("wrong", 0)
        made = mmdb.write(self.data_dir / "made.mmdb", networks(wrong), **options)
        content = made.read_bytes()
        made.unlink()
        return content

    def update(self, url: str = "", **options: Any) -> str:
        wanted = {"own": None, "account": "", "licence_key": "", "now": NOW, **options}
        return update(data_dir=self.data_dir, url=url, **wanted)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with an empty data directory."""
    with publishing() as publisher:
        yield Desk(publisher, tmp_path)


def packed(content: bytes, names: tuple[str, ...] = ("Geo_2026/Geo.mmdb",)) -> bytes:
    """Return a gzipped tar as MaxMind ships it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in ("Geo_2026/LICENSE.txt", *names):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, packed], ids=["bare", "gzip", "tar.gz"])
def test_a_running_server_takes_a_fetched_database(desk: Desk, pack: Any) -> None:
    """The server answers from the bundled file; the command fetches another; without a restart
    the next second's answers come from the new one."""
    with served(fetched=desk.path) as server:
        assert server.ask(ip=str(GREEK))["database"]["name"] != "Fresh"
        url = desk.publisher.offer("/c", pack(desk.built(kind="Fresh")))
        assert desk.update(url).startswith("country database: Fresh, built 2026-06-18; ")
        server.countries.refresh()
        answer = server.ask(ip=str(GREEK))
        assert (answer["country"], answer["database"]["name"]) == ("GR", "Fresh")


def test_maxminds_permalink_with_account_and_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Basic authentication, a tar.gz, its checksum beside it, and a redirect to a storage host:
    the key goes to the first host and not to the second."""
    content = packed(desk.built(kind="GeoLite2-Country"))
    digest = hashlib.sha256(content).hexdigest()
    with publishing() as storage:
        stored = storage.offer("/signed", content)
        path = "/geoip/databases/GeoLite2-Country/download?suffix=tar.gz"
        desk.publisher.replies[path] = Reply(status=302, location=stored)
        checksum = f"{digest}  GeoLite2-Country_20260618.tar.gz\n".encode()
        desk.publisher.offer(f"{path}.sha256", checksum)
        desk.publisher.needs = fetch.Credentials("123", KEY).header()
        monkeypatch.setattr(updating, "MAXMIND_URL", desk.publisher.url + path)
        sentence = desk.update(account="123", licence_key=KEY)
        assert "its checksum holds" in sentence
        assert storage.asked == [("/signed", None)]
        assert {header for _, header in desk.publisher.asked} == {desk.publisher.needs}
    assert open_database(desk.path).name == "GeoLite2-Country"


def test_a_checksum_beside_the_file_is_checked(desk: Desk) -> None:
    """`<url>.sha256`, where a publisher has one."""
    content = desk.built()
    url = desk.publisher.offer("/c.mmdb", content)
    assert "gives no checksum" in desk.update(url)
    desk.publisher.offer("/c.mmdb.sha256", hashlib.sha256(content).hexdigest().upper().encode())
    assert "its checksum holds" in desk.update(url)
    desk.publisher.offer("/c.mmdb.sha256", hashlib.sha256(b"other").hexdigest().encode())
    with pytest.raises(UpdateRefused, match="checksum is not the published one"):
        desk.update(url)


def test_a_pinned_checksum_is_checked(desk: Desk) -> None:
    """The operator names the very file; then nothing else is asked for."""
    content = desk.built()
    url = desk.publisher.offer("/c.mmdb", content)
    desk.update(f"{url}#sha256={hashlib.sha256(content).hexdigest()}")
    assert [path for path, _ in desk.publisher.asked] == ["/c.mmdb"]
    with pytest.raises(UpdateRefused, match="checksum is not the published one"):
        desk.update(f"{url}#sha256={'0' * 64}")
    with pytest.raises(UpdateRefused, match="after # only sha256="):
        desk.update(f"{url}#md5=1")


def offered(desk: Desk, kind: str) -> str:
    """Publish something that must be refused; return its address."""
    good, publisher = desk.built(), desk.publisher
    contents = {
        **{name: content for name, (content, _) in BAD_FILES.items()},
        "half a gzip": gzip.compress(good)[:-20],
        "half a tar.gz": packed(good)[:-50],
        "gzipped rubbish": gzip.compress(b"x" * 1000),
        "two in a tar": packed(good, ("a.mmdb", "b.mmdb")),
        "none in a tar": packed(good, ()),
        "a page": b"<!doctype html><title>Sign in</title>",
        "wrong countries": desk.built(wrong=KNOWN_WRONG_MAX + 1),
        "from the future": desk.built(built_at=BUILT_AT + 9 * DAY_SECONDS),
        "older": desk.built(built_at=BUILT_AT - 9 * DAY_SECONDS),
        "less than announced": good[:1000],
    }
    if kind in contents:
        publisher.offer("/bad", contents[kind])
    if kind == "redirects to a file":
        publisher.replies["/bad"] = Reply(status=302, location=f"file://{BUNDLED}")
    if kind == "redirects to plain http":
        publisher.replies["/bad"] = Reply(status=302, location="http://example.org/c.mmdb")
    if kind == "less than announced":
        publisher.replies["/bad"] = Reply(good[:1000], announced=len(good))
    if kind == "an error":
        publisher.replies["/bad"] = Reply(status=500)
    return f"{publisher.url}/bad?license_key={KEY}"


REFUSALS = {
    "empty": "it is empty",
    "text": "not a whole MMDB",
    "first half": "not a whole MMDB",
    "without its end": "not a whole MMDB",
    "without its middle": "not a whole MMDB|networks can't all be read",  # by the library's age
    "half a gzip": "cut short or damaged",
    "half a tar.gz": "cut short or damaged",
    "gzipped rubbish": "not a whole MMDB",
    "two in a tar": "holds 2 .mmdb files",
    "none in a tar": "holds 0 .mmdb files",
    "a page": "not a whole MMDB",
    "wrong countries": "wrong about 3 of 10 well-known networks",
    "from the future": "in the future",
    "older": "is older than what is in place",
    "redirects to a file": "127.0.0.1 answered 302",
    "redirects to plain http": "redirects to an address that is not https://",
    "less than announced": "broke off|announced",
    "an error": "127.0.0.1 answered 500",
    "nothing there": "127.0.0.1 answered 404",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_is_not_a_good_database_is_refused_and_the_old_one_stays(
    desk: Desk, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each kind of rubbish gets its own sentence, without the licence key; the file in place has
    the same bytes, nothing lies beside it, and the running server never looks away."""
    desk.update(desk.publisher.offer("/good", desk.built()))
    before = desk.path.read_bytes()
    countries = Countries(clock=Clock(), fetched=desk.path)
    query = f"/bad?license_key={KEY}"
    url = offered(desk, kind)
    if "/bad" in desk.publisher.replies:
        desk.publisher.replies[query] = desk.publisher.replies.pop("/bad")
    with caplog.at_level(logging.DEBUG), pytest.raises(UpdateRefused, match=REFUSALS[kind]) as no:
        desk.update(url)
    assert KEY not in str(no.value) + caplog.text
    assert no.value.__suppress_context__ or no.value.__context__ is None
    assert desk.path.read_bytes() == before
    assert {path.name for path in desk.path.parent.iterdir()} == {"country.mmdb", "update.lock"}
    assert countries.refresh() is False
    assert countries.find(GREEK) == Found("GR", False)


def test_two_wrong_networks_are_forgiven(desk: Desk) -> None:
    """Registries move; a check that one honest database fails would be switched off."""
    desk.update(desk.publisher.offer("/c", desk.built(wrong=KNOWN_WRONG_MAX)))
    assert desk.path.exists()


def test_the_well_known_networks_are_known_to_the_bundled_database() -> None:
    """All ten: they were chosen from public registries, not from this file."""
    reader = open_database(BUNDLED).reader
    found = {text: country_in(reader.get(ip_address(text))).country for text, _ in KNOWN}
    assert found == dict(KNOWN)


def test_a_download_that_never_ends_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on bytes, and one on what they unpack to."""
    monkeypatch.setattr(updating, "DOWNLOAD_BYTES_MAX", 10_000)
    with pytest.raises(UpdateRefused, match="sent more than 10000 bytes"):
        desk.update(desk.publisher.offer("/c", b"x" * 10_001))
    monkeypatch.setattr(updating, "FILE_BYTES_MAX", 50_000)
    with pytest.raises(UpdateRefused, match="unpacks to more than 50000 bytes"):
        desk.update(desk.publisher.offer("/c", gzip.compress(b"x" * 50_001)))


def test_a_slow_download_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time left at all: the first piece is already too late."""
    monkeypatch.setattr(fetch, "DOWNLOAD_SECONDS_MAX", -1.0)
    with pytest.raises(UpdateRefused, match="took longer than"):
        desk.update(desk.publisher.offer("/c", desk.built()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "COLLECTOR_GEOIP_URL: set it"),
        ({"url": "ftp://example.org/c.mmdb"}, "COLLECTOR_GEOIP_URL: must be an https:// address"),
        ({"url": "http://example.org/c.mmdb"}, "COLLECTOR_GEOIP_URL: must be an https:// address"),
        ({"url": f"file://{BUNDLED}"}, "COLLECTOR_GEOIP_URL: must be an https:// address"),
        ({"url": "country.mmdb"}, "COLLECTOR_GEOIP_URL: must be an https:// address"),
        ({"url": "http://127.0.0.1:9/c.mmdb"}, "COLLECTOR_GEOIP_URL: 127.0.0.1 can't be reached"),
        ({"account": "123"}, "COLLECTOR_GEOIP_ACCOUNT and COLLECTOR_GEOIP_LICENCE_KEY: set both"),
        ({"licence_key": KEY}, "COLLECTOR_GEOIP_ACCOUNT and COLLECTOR_GEOIP_LICENCE_KEY: set both"),
        (
            {"own": Path("mine.mmdb"), "url": "https://example.org"},
            "COLLECTOR_GEOIP_DATABASE: names a file",
        ),
    ],
)
def test_settings_that_can_not_work_are_named(
    desk: Desk, options: dict[str, Any], sentence: str
) -> None:
    """Before anything is fetched."""
    with pytest.raises(UpdateRefused, match=f"^{sentence}") as refused:
        desk.update(**options)
    assert KEY not in str(refused.value)
    assert not desk.path.exists()


def test_a_wrong_key_is_named_and_not_shown(desk: Desk) -> None:
    """401 from the publisher means two settings, and the sentence names them."""
    desk.publisher.needs = "Basic other"
    url = desk.publisher.offer("/c", desk.built())
    with pytest.raises(UpdateRefused, match="are not accepted") as refused:
        desk.update(url, account="123", licence_key=KEY)
    assert KEY not in str(refused.value)


def test_two_updates_do_not_mix(desk: Desk) -> None:
    """A cron job and an operator at once: the second one is told so."""
    url = desk.publisher.offer("/c", desk.built())
    with (
        updating._alone(desk.path.parent),
        pytest.raises(UpdateRefused, match="another update is running"),
    ):
        desk.update(url)
    desk.update(url)


def test_damage_in_the_middle_is_found_before_the_swap(desk: Desk) -> None:
    """Every network is read once: a broken place would otherwise wait for the buyer who lives
    there."""
    content = bytearray(desk.built())
    place = content.rindex(b"country_code")
    content[place - 1] = 0xE0  # the key's length and type: now a map that runs out of the file
    with pytest.raises(UpdateRefused, match=r"can't (all )?be read|no country"):
        desk.update(desk.publisher.offer("/c", bytes(content)))
