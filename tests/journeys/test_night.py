"""A night: two real processes pass midnight, and what was known of the day's visitors is gone."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from collector import keys, salt
from collector.anonymise import day_key, visitor
from tests.clickhouse_server import engine_of
from tests.collector.traces import ENCODINGS, found
from tests.journeys.asking import eventually
from tests.journeys.nights import BEFORE_MIDNIGHT, night
from tests.journeys.running import FIREFOX, new_seller

pytestmark = pytest.mark.slow

ADDRESSES = [f"198.51.100.{n}" for n in range(1, 101)]
NOWHERE = dict.fromkeys(ENCODINGS, 0)


@pytest.mark.parametrize("kind", ["embedded", "server"])
def test_after_the_night_nobody_can_tell_who_was_there(tmp_path: Path, kind: str) -> None:
    """A hundred visitors come some minutes before midnight. Until then the beacons' memory holds
    the day's key, and the disk their hashes and the salt; a minute after midnight neither key nor
    salt is in the memory of either process, five minutes after it the salt is gone, the day is
    sealed, and no file holds a hash, a ClickHouse server's included."""
    with (
        engine_of(tmp_path, kind) as dsn,
        night(tmp_path / "collector", CLICKHOUSE_DSN=dsn) as late,
    ):
        collector = late.collector
        late.start_both()
        seller = new_seller()
        for address in ADDRESSES:
            forwarded = {"X-Forwarded-For": address}
            assert collector.pixel(seller, headers=forwarded).counted == "yes"
        content = late.salt_file().read_bytes()[: salt.SALT_BYTES]
        key = bytes(day_key(content, keys.derive(collector.secret.encode(), "visitor")))
        hashes = [
            visitor(IPv4Address(address), FIREFOX.encode(), seller=seller, key=key)
            for address in ADDRESSES
        ]
        engine = tmp_path / "server" if dsn else collector.data / "clickhouse"
        eventually(
            lambda: found([engine / "store"], hashes)["little-endian"] == len(hashes),
            "the hits in the engine",
        )
        assert late.in_memory(key)["beacons"] > 0
        late.pass_(BEFORE_MIDNIGHT + 60)
        nowhere = {"beacons": 0, "reports": 0}
        eventually(lambda: late.in_memory(key) == nowhere, "the key's end")
        assert late.in_memory(content) == nowhere
        late.pass_(240)
        eventually(lambda: late.state() == "sealed", "the seal", lambda: collector.output)
        assert not late.salt_file().exists()
        assert late.in_memory(content) == nowhere
        assert found([collector.data], hashes) == NOWHERE
        if dsn:  # its files can't be seen from the seal; what is dropped there goes within seconds
            eventually(lambda: found([engine], hashes) == NOWHERE, "the end of dropped parts")
        assert collector.pixel(seller).counted == "yes"


@pytest.mark.parametrize("who", ["beacons", "reports"])
def test_an_old_salt_is_gone_before_the_next_start_listens(tmp_path: Path, who: str) -> None:
    """Nothing ran at the day's end. Whoever starts first destroys the salt, and only then takes a
    request; the reports process also where ClickHouse doesn't answer, though it can't start."""
    with night(tmp_path / "collector") as late:
        salt.ensure(late.salt_file().parent, late.day, b"k" * 32)
        late.pass_(BEFORE_MIDNIGHT + 300)
        away = {"CLICKHOUSE_DSN": "clickhouse://127.0.0.1:1/collector"} if who == "reports" else {}
        process = late.start(who, **away)
        if who == "beacons":
            port = late.collector.beacons
            eventually(lambda: late.is_ready(port), who, lambda: late.collector.output)
        else:
            process.wait(60)
        assert not late.salt_file().exists(), late.collector.output
