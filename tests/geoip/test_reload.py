"""Files that go bad and files that get better, while the server answers."""

import logging
import shutil
import subprocess
import sys
import threading
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from geoip.country import (
    BUNDLED,
    DAY_SECONDS,
    LOOK_AGAIN_SECONDS,
    Countries,
    Found,
)
from tests.geoip import mmdb
from tests.geoip.mmdb import BAD_FILES, FLAT, nested
from tests.geoip.running import Clock, served

pytestmark = pytest.mark.slow

GREEK = ip_address("81.82.3.4")
WAIT_SECONDS = 60


@pytest.mark.parametrize("kind", [*BAD_FILES, "something else", "gone"])
def test_a_bad_file_leaves_the_old_database_serving(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator copies rubbish over the file, in place: lookups go on as before, one line and
    the notices say what is wrong, and a good file cures it. A mapped file would have killed the
    process here."""
    path = mmdb.write(tmp_path / "c.mmdb", FLAT)
    clock = Clock()
    countries = Countries(clock=clock, own=path)
    if kind == "something else":
        mmdb.write(path, {"81.82.0.0/16": {"city": "Athens"}})
    elif kind == "gone":
        path.unlink()
    else:
        with path.open("r+b") as file:  # the same file, not a new one under its name
            file.truncate(0)
            file.write(BAD_FILES[kind][0])
    with caplog.at_level(logging.WARNING, logger="geoip"):
        assert countries.refresh() is False
        assert countries.refresh() is False
    assert countries.find(GREEK) == Found("GR", False)
    assert countries.problem is not None
    assert len([line for line in caplog.messages if "refused" in line]) == 1
    mmdb.write(path, {"81.82.0.0/16": {"country_code": "CY"}})
    assert countries.refresh() is True
    assert countries.find(GREEK) == Found("CY", False)
    assert not countries.problem


def test_a_file_that_kills_its_reader_kills_no_server(tmp_path: Path) -> None:
    """Some bytes are missing in its middle. The library's reader, in C, dies of it, as a
    process of its own shows; ours goes on and says what is wrong."""
    content = bytearray(BUNDLED.read_bytes())
    del content[3_000_000:3_001_200]
    path = tmp_path / "c.mmdb"
    path.write_bytes(content)
    read = "import maxminddb, sys; list(maxminddb.open_database(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", read, str(path)], check=False)
    assert done.returncode != 0
    countries = Countries(clock=Clock(), own=path)
    assert countries.find(GREEK) == Countries(clock=Clock()).find(GREEK)
    assert countries.problem is not None
    assert "cut short or damaged" in countries.problem


def test_a_bad_file_at_the_start_is_replaced_by_the_bundled_one(tmp_path: Path) -> None:
    """A wrong path must not keep beacons from counting, which live in the same process; the
    answer names the database that spoke, and the notices say why."""
    with served(own=tmp_path / "typo.mmdb") as server:
        answer = server.ask(ip="147.102.1.1")
        assert answer["country"] == "GR"
        assert "geo-whois-asn-country" in answer["database"]["name"]
        assert any("typo.mmdb" in notice for notice in server.door.notices())


def test_the_order_is_own_then_fetched_then_bundled(tmp_path: Path) -> None:
    """Each is used when what is wanted more isn't there; a file that was never fetched is no
    problem to tell."""
    own, fetched = tmp_path / "own.mmdb", tmp_path / "fetched.mmdb"
    clock = Clock()
    countries = Countries(clock=clock, fetched=fetched)
    assert (countries.database.path, countries.problem) == (BUNDLED, None)
    mmdb.write(fetched, FLAT)
    assert countries.refresh() is True
    assert countries.database.path == fetched
    fetched.unlink()
    assert countries.refresh() is True
    assert (countries.database.path, countries.problem) == (BUNDLED, None)
    mmdb.write(fetched, FLAT)
    mmdb.write(own, FLAT)
    assert Countries(clock=clock, own=own, fetched=fetched).database.path == own


def test_a_clock_that_was_set_back_does_not_stop_the_looking(tmp_path: Path) -> None:
    """The time of the last look lies in the future; a new file is found all the same."""
    path = mmdb.write(tmp_path / "c.mmdb", FLAT)
    clock = Clock()
    countries = Countries(clock=clock, own=path)
    clock.now -= 10 * DAY_SECONDS
    mmdb.write(path, {"81.82.0.0/16": {"country_code": "CY"}})
    countries.find(GREEK)
    for thread in threading.enumerate():
        if thread.name == "geoip-refresh":
            thread.join()
    assert countries.find(GREEK) == Found("CY", False)


def test_a_new_database_drops_no_lookup(tmp_path: Path) -> None:
    """Four callers ask without a pause while the file is replaced twenty times, good and bad in
    turn: every answer is 200 and one of the two countries that the file ever held, and the last
    one is the newest."""
    first = mmdb.write(tmp_path / "first.mmdb", FLAT)
    second = mmdb.write(tmp_path / "second.mmdb", {"81.82.0.0/16": nested("CY")})
    path = tmp_path / "c.mmdb"
    shutil.copy(first, path)
    with served(own=path) as server:
        answers: list[tuple[int, Any]] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                response = server.post({"ip": str(GREEK)})
                answers.append((response.status_code, response.json().get("country")))

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for caller in callers:
            caller.start()
        for turn in range(20):
            replacement = tmp_path / f"{turn}.mmdb"
            shutil.copy(second if turn % 2 else first, replacement)
            asked, reloads = len(answers), server.countries.reloads
            replacement.replace(path)
            server.clock.now += LOOK_AGAIN_SECONDS
            until = time.monotonic() + WAIT_SECONDS
            while len(answers) < asked + 20 or server.countries.reloads == reloads:
                assert time.monotonic() < until, f"turn {turn}: never asked or never read again"
                over.wait(0.001)
            if turn % 5 == 4:
                path.write_bytes(b"half a data")
                server.clock.now += LOOK_AGAIN_SECONDS
        shutil.copy(second, tmp_path / "last.mmdb")
        (tmp_path / "last.mmdb").replace(path)
        server.countries.refresh()
        over.set()
        for caller in callers:
            caller.join()
        assert set(answers) == {(200, "GR"), (200, "CY")}
        assert server.countries.reloads >= 10, "the database was not really replaced"
        assert server.ask(ip=str(GREEK))["country"] == "CY"
        assert server.countries.failures == 0
