"""Databases: both shapes, what can go wrong with a file, and a new one while it is asked."""

import logging
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from geoip.country import (
    BUNDLED,
    DAY_SECONDS,
    NOWHERE,
    Countries,
    Found,
    Unusable,
    country_in,
    open_database,
)
from tests.geoip import mmdb
from tests.geoip.mmdb import BAD_FILES, FLAT, nested
from tests.geoip.running import NOW, Clock, served

GREEK, GERMAN = ip_address("81.82.3.4"), ip_address("80.81.3.4")
MARKED = "81.82.173.205"


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"country_code": "GR"}, Found("GR", False)),
        ({"country_code": "gr"}, Found("GR", False)),
        ({"country": "GR"}, Found("GR", False)),
        ({"country": "Greece", "country_code": "GR"}, Found("GR", False)),
        (nested("GR"), Found("GR", False)),
        (nested("GR", registered="DE"), Found("GR", False)),
        (nested(None, registered="DE"), Found("DE", True)),
        ({"country": {"geoname_id": 1}, "registered_country": {"iso_code": "DE"}},
         Found("DE", True)),
        ({"represented_country": {"iso_code": "US", "type": "military"}}, NOWHERE),
        ({"country_code": "EU"}, NOWHERE),
        ({"country_code": "ZZ"}, NOWHERE),
        ({"country_code": "AN"}, NOWHERE),
        ({"country_code": ""}, NOWHERE),
        ({"country_code": 30}, NOWHERE),
        ({"country": {"iso_code": None}}, NOWHERE),
        ({"country": ["GR"]}, NOWHERE),
        ({}, NOWHERE),
        (None, NOWHERE),
        ("GR", NOWHERE),
    ],
)  # fmt: skip
def test_both_shapes_are_read(record: Any, found: Found) -> None:
    """MaxMind and DB-IP nest the code, ip-location-db has it flat. Where a network is registered
    serves only when nobody knows where it is used. A code that is no country is none."""
    assert country_in(record) == found


@pytest.mark.parametrize("version", [4, 6])
def test_a_nested_database_answers(tmp_path: Path, version: int) -> None:
    """A database for IPv4 alone has no answer for IPv6, and doesn't fail over it."""
    path = mmdb.write(tmp_path / "n.mmdb", {"81.82.0.0/16": nested("GR")}, version=version)
    countries = Countries(clock=Clock(), own=path)
    assert countries.find(GREEK) == Found("GR", False)
    assert countries.find(ip_address("::ffff:81.82.3.4")) == Found("GR", False)
    assert countries.find(ip_address("64:ff9b::81.82.3.4")) == Found("GR", False)
    assert countries.find(ip_address("2a02:587::1")) == NOWHERE
    assert countries.failures == 0


def test_a_registration_is_said_in_the_answer(tmp_path: Path) -> None:
    """The buyer may be anywhere; the marketplace sees that the owner's country was used."""
    path = mmdb.write(tmp_path / "n.mmdb", {"81.82.0.0/16": nested(None, registered="GR")})
    with served(own=path) as server:
        answer = server.ask(ip=str(GREEK))
        assert (answer["country"], answer["registered"]) == ("GR", True)
        assert "is registered in GR" in answer["evidence"]
        assert server.ask(ip=str(GREEK), chosen="DE")["registered"] is False


def test_the_databases_own_flag_for_the_union_is_never_used(tmp_path: Path) -> None:
    """Real ones set it for Åland and not for Monaco, which is the wrong way round for VAT; these
    records lie about every country, and no answer follows them."""
    networks = {"81.82.0.0/16": nested("GR"), "80.81.0.0/16": nested("AX")}
    assert networks["81.82.0.0/16"]["country"]["is_in_european_union"] is False
    with served(own=mmdb.write(tmp_path / "n.mmdb", networks)) as server:
        assert server.ask(ip=str(GREEK))["eu_member"] is True
        assert server.ask(ip=str(GERMAN))["vat"]["standing"] == "outside"


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_damaged_file_is_refused(tmp_path: Path, kind: str) -> None:
    """Each gets a sentence that says what is wrong with it."""
    content, sentence = BAD_FILES[kind]
    path = tmp_path / "bad.mmdb"
    path.write_bytes(content)
    with pytest.raises(Unusable, match=sentence):
        open_database(path)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    """An ASN database is a perfect MMDB, and knows no country."""
    networks = {"81.82.0.0/16": {"autonomous_system_number": 3329}}
    path = mmdb.write(tmp_path / "asn.mmdb", networks, kind="GeoLite2-ASN")
    with pytest.raises(Unusable, match="hold no country"):
        open_database(path)


def test_a_damaged_record_is_no_answer_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file whose search tree is broken passes for whole until a lookup meets the place; the
    library's message then quotes the address, and must not get any further."""
    path = mmdb.write(tmp_path / "c.mmdb", FLAT)
    intact = bytearray(path.read_bytes())
    countries = Countries(clock=Clock(), own=path)
    # Every node after the first few points far outside the file.
    tree = slice(100, intact.index(b"\0" * 16))
    intact[tree] = b"\xee" * len(intact[tree])
    path.write_bytes(bytes(intact))
    database = open_database_without_sample(path, countries)
    with caplog.at_level(logging.DEBUG):
        assert countries.find(ip_address(MARKED)) == NOWHERE
    assert countries.failures == 1, "the lookup did not meet the damage"
    assert MARKED not in caplog.text
    assert database is countries.database


def open_database_without_sample(path: Path, countries: Countries) -> object:
    """Put a damaged file in place past the check that refuses it, as later damage would be."""
    from dataclasses import replace

    import maxminddb

    countries.database = replace(countries.database, reader=maxminddb.open_database(path))
    return countries.database


@pytest.mark.parametrize(("days", "stale"), [(0, False), (35, False), (36, True)])
def test_age_is_told_and_warned_about_after_35_days(
    tmp_path: Path, days: int, stale: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Publishers renew monthly. The answer carries the age; notices and the log warn once it is
    too old."""
    clock = Clock()
    built_at = open_database(BUNDLED).built_at
    clock.now = built_at + days * DAY_SECONDS + 60
    with caplog.at_level(logging.WARNING, logger="geoip"):
        Countries(clock=clock)
    assert (f"{days} days old" in caplog.text) is stale
    with served() as server:
        server.clock.now = clock.now
        about = server.ask(ip="147.102.1.1")["database"]
        assert (about["age_days"], about["stale"]) == (days, stale)
        assert any("days old" in notice for notice in server.door.notices()) is stale


def test_the_answer_says_whom_to_thank(tmp_path: Path) -> None:
    """Licences ask for it: the registries for the bundled file, MaxMind or DB-IP for theirs."""
    cases = {
        "GeoLite2-Country": "MaxMind",
        "DBIP-Country-Lite": "DB-IP",
        "GeoIP2-Country": "MaxMind",
        "My-Own": "My-Own",
    }
    for kind, thanked in cases.items():
        path = mmdb.write(tmp_path / f"{kind}.mmdb", FLAT, kind=kind)
        database = open_database(path)
        assert (database.name, thanked in database.attribution) == (kind, True)
    assert "Number Resource Organization" in open_database(BUNDLED).attribution
    assert open_database(BUNDLED).built.isoformat() == "2026-06-17"
    assert open_database(BUNDLED).built_at < NOW
