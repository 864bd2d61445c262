"""After the seal nothing of a day's ten thousand visitors is on the disk, however it is written."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from collector.hit import Hit
from tests.collector.sealing import DAY, Shop, noon
from tests.collector.traces import ENCODINGS, found

VISITORS = 10_000


def test_the_search_finds_a_hash_in_each_of_nine_encodings(tmp_path: Path) -> None:
    """One file for each, with other bytes around."""
    chance = Random(1)
    hashes = [chance.getrandbits(64) for _ in range(50)]
    for name, write in ENCODINGS.items():
        place = tmp_path / name
        place.mkdir()
        (place / "file").write_bytes(b",\xff".join([b"\x00", *map(write, hashes), b"\x00"]))
        assert found([place], hashes)[name] == 50, name


@pytest.mark.slow
def test_nothing_of_ten_thousand_visitors_is_left(shop: Shop) -> None:
    """Every hash of a day is found before the close, in the spool and in the engine. A frozen copy,
    a detached part and the next day's hits are there, too. After the seal none of them is found
    in any file of the engine or of the data directory, and the next day's still are."""
    chance = Random(2)
    hashes = [chance.getrandbits(64) for _ in range(VISITORS)]
    later = [chance.getrandbits(64) for _ in range(200)]
    hits = [
        Hit(n % 24, f"s{n % 5}", f"p{n % 40}", each, 1, "direct", "", "mobile", "F", "Linux", 0)
        for n, each in enumerate(hashes)
    ]
    shop.visit(DAY, hits[:6_000], hits[6_000:])
    engine = shop.warehouse.path
    assert engine is not None
    places = (engine, shop.data)
    assert found([engine], hashes)["little-endian"] == VISITORS
    # As text, which may be cut where a page of the spool file ends.
    assert found([shop.spool], hashes)["decimal"] > 0.99 * VISITORS
    shop.client.command(f"alter table hits freeze partition '{DAY}'")
    shop.midnight_after(DAY)
    next_day = DAY + timedelta(days=1)
    shop.now = noon(next_day)
    shop.visit(next_day, [hits[n]._replace(visitor=each) for n, each in enumerate(later)])
    shop.seal_until("loaded")
    shop.client.command(f"alter table hits detach partition '{DAY}'")
    assert (engine / "shadow").is_dir()
    shop.seal_all()
    assert found(places, hashes) == dict.fromkeys(ENCODINGS, 0)
    assert found([engine], later)["little-endian"] == len(later)
