"""The demo: a month of visits that went the real way, once, and nothing real behind it."""

import signal
import subprocess
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collector.demo.backend import totals
from tests.journeys.asking import ask, eventually
from tests.journeys.demo import OPEN, Demo, expected, prepared

pytestmark = pytest.mark.slow

EX_CONFIG = 78
START_SECONDS = 15
CLOSE_SECONDS = 200  # Four days' takes ten, on a machine that does nothing else.


def hours_now() -> tuple[date, int]:
    """Return today and how many of its hours are over, by the demo's clock; it starts next.

    Why  one that is begun in an hour's last seconds would live through one hour more.
    """
    left = 3600 - time.time() % 3600
    if left < START_SECONDS:
        time.sleep(left)
    now = datetime.now(UTC)
    return now.date(), now.hour


def check(demo: Demo, days: int, started: tuple[date, int]) -> None:
    """Compare what sellers are told with what the plan of visits is worth."""
    last, hours = started
    wanted = expected(last, days, hours)
    assert all(views > 50 for views, _ in wanted.values()), wanted
    assert demo.mark["last"] == last.isoformat(), "midnight passed; run again"
    assert demo.numbers() == wanted


def test_every_generated_visit_is_counted_once_and_a_second_start_adds_none(tmp_path: Path) -> None:
    """The sellers' numbers are those of the plan: no visit without consent, no robot, nobody who
    took consent back. After a stop and a second start, which generates nothing, they are the same,
    and no salt of a past day is left."""
    with prepared(tmp_path) as demo:
        started = hours_now()
        demo.start()
        assert "were counted" in demo.output
        assert f"{OPEN}{demo.shop}" in demo.output
        assert {"yes", "no-consent", "refused", "gpc", "bot"} <= demo.mark["outcomes"].keys()
        check(demo, 2, started)
        assert demo.stop() == 0
        demo.start()
        assert "were counted" not in demo.output
        check(demo, 2, started)
        today = datetime.now(UTC)
        left = {path.stem for path in (demo.data / "salts").iterdir()}
        if today - timedelta(seconds=300) >= datetime.combine(today, datetime.min.time(), UTC):
            assert left == {today.date().isoformat()}
        else:  # yesterday's may stay for five minutes
            assert left <= {str(today.date()), str(today.date() - timedelta(days=1))}


def test_the_numbers_stand_still_while_the_month_is_closed(tmp_path: Path) -> None:
    """Days of the demo's past are closed as soon as it runs: hits become counts and disappear. No
    reader sees a number move meanwhile."""
    with prepared(tmp_path) as demo:
        started = hours_now()
        demo.start(days=4)
        polls = 0

        def is_closed() -> bool:
            nonlocal polls
            check(demo, 4, started)
            polls += 1
            return polls >= 3 and demo.closed()

        eventually(
            is_closed,
            "every day's close",
            lambda: f"{demo.status}\n{demo.output}",
            CLOSE_SECONDS,
        )
        check(demo, 4, started)


def test_page_views_and_orders_are_told_once(tmp_path: Path) -> None:
    """The marketplace's own counts stand beside Collector's, and more pages were seen than
    counted, because not everybody said yes."""
    with prepared(tmp_path) as demo:
        demo.start(days=2)
        assert demo.mark["told"] is True
        last = date.fromisoformat(demo.mark["last"])
        told = list(totals(last, 2))
        assert {row["date"] for row in told} == {
            str(last - timedelta(days=2)),
            str(last - timedelta(days=1)),
        }
        seen = sum(int(row["page_views"]) for row in told)
        counted = sum(views for views, _ in expected(last, 2, 0).values())
        assert counted < seen < 3 * counted
        assert 0 < sum(int(row["orders"]) for row in told) < seen / 10


def test_an_interrupted_month_is_made_anew_without_doubling(tmp_path: Path) -> None:
    """The demo is killed while it generates, with some days on disk and no mark that the month is
    whole; the next start sends it again, and every visit counts once."""
    with prepared(tmp_path) as demo:
        process = demo.launch(days=30)
        spool = demo.data / "spool"
        eventually(lambda: spool.is_dir() and len(list(spool.iterdir())) > 2, "a few days")
        process.kill()
        process.wait()
        demo.process = None
        assert demo.mark["whole"] is False
        started = hours_now()
        demo.start(days=1)
        check(demo, 1, started)


def test_the_demo_never_opens_data_that_is_not_its_own(tmp_path: Path) -> None:
    """A data directory in the environment may be the real one, and the demo signs anybody in: it
    stops before it has written anything."""
    with prepared(tmp_path) as demo:
        demo.data.mkdir()
        (demo.data / "ledger.sqlite").write_bytes(b"real")
        assert demo.launch(days=0).wait(30) == EX_CONFIG
        demo.process = None
        assert "COLLECTOR_DATA_DIR: holds data that is not a demo's" in demo.output
        assert [path.name for path in demo.data.iterdir()] == ["ledger.sqlite"]


def test_the_demo_has_a_secret_and_salts_of_its_own(tmp_path: Path) -> None:
    """A real secret in the environment signs nothing here, and a real salt directory stays as it
    is: who signs in to the demo has no token for the real thing."""
    salts = tmp_path / "real-salts"
    salts.mkdir()
    (salts / "2020-01-01.salt").write_bytes(b"s" * 40)
    secret = "s" * 64
    with prepared(tmp_path, SECRET=secret, SALT_DIR=str(salts)) as demo:
        demo.start(days=0)
        assert demo.numbers()  # by tokens under the demo's own secret
        assert (demo.data / "secret").read_text().strip() != secret
        assert [path.name for path in salts.iterdir()] == ["2020-01-01.salt"]


def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    """The second one would throw the first one's half-made month away; it says why it won't."""
    with prepared(tmp_path) as first, prepared(tmp_path) as second:
        first.start(days=0)
        second.printed = tmp_path / "second.txt"
        assert second.launch(days=0).wait(30) == EX_CONFIG
        second.process = None
        assert "another demo runs in it" in second.output


def test_a_taken_port_is_told_before_the_month_is_made(tmp_path: Path) -> None:
    """Somebody already listens where the shop would: the demo says so at once."""
    with prepared(tmp_path) as demo:
        listener = subprocess.Popen(
            ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(demo.beacons)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
        )
        try:
            eventually(lambda: _listens(demo.beacons), "the other server")
            assert demo.launch(days=30).wait(30) == EX_CONFIG
            demo.process = None
        finally:
            listener.send_signal(signal.SIGTERM)
            listener.wait()
        assert f"127.0.0.1:{demo.beacons}" in demo.output
        assert "can't listen" in demo.output
        assert not (demo.data / "demo.json").exists()


def _listens(port: int) -> bool:
    try:
        return ask(port, "GET", "/").status > 0
    except OSError:
        return False
