"""What an operator types while everything runs: the commands, by the command line itself."""

import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.spool_file import files
from collector.spool_reader import reading
from tests.clickhouse_server import engine_of
from tests.journeys.asking import ask, eventually
from tests.journeys.running import Collector, new_seller, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["embedded", "server"])
def collector(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One Collector for all tests here, and one more that has a ClickHouse server."""
    folder = tmp_path_factory.mktemp("operator")
    with (
        engine_of(folder, request.param) as dsn,
        running(folder / "collector", CLICKHOUSE_DSN=dsn) as started,
    ):
        yield started


@pytest.mark.parametrize("command", ["beacons", "reports"])
def test_either_process_may_be_the_first_in_a_new_directory(command: str, tmp_path: Path) -> None:
    """Nobody makes the data directory beforehand, and the secret needn't be made either."""
    with running(tmp_path / "collector", command) as started:
        assert started.data.is_dir()


def test_status_begins_with_one_sentence_and_fits_on_a_screen(collector: Collector) -> None:
    """Whoever is woken at night reads one line first."""
    lines = collector.cli("status").splitlines()
    assert lines[0] == "Counting. Nothing ran yesterday. Nothing waits."
    assert len(lines) < 24


def test_a_command_says_which_process_it_misses(collector: Collector) -> None:
    """In another data directory nothing runs: one sentence, status 1."""
    used, collector.settings["DATA_DIR"] = collector.settings["DATA_DIR"], str(collector.directory)
    try:
        said = collector.cli("status", expect=1)
    finally:
        collector.settings["DATA_DIR"] = used
    assert "reports process doesn't run in this data directory" in said


def test_today_cannot_be_closed(collector: Collector) -> None:
    """The day goes on, and the sentence says what can be closed."""
    today = datetime.now(UTC).date().isoformat()
    said = collector.cli("close-day", "--day", today, expect=1)
    assert "only a day before today can be closed" in said
    assert "must be a date such as" in collector.cli("close-day", "--day", "soon", expect=1)
    assert "nothing ran that day" in collector.cli("close-day", "--day", "2020-01-01")


def test_a_forgotten_seller_has_no_rows_and_makes_none(collector: Collector) -> None:
    """The number goes, and the old page's valid signature no longer counts."""
    seller = new_seller()
    assert collector.pixel(seller).counted == "yes"
    assert collector.summary(seller) == (1, 1)
    assert "hits 1" in collector.cli("forget-seller", seller)
    assert collector.summary(seller) == (0, 0)
    eventually(
        lambda: collector.pixel(seller).counted == "bad-signature", "the workers' notice of it"
    )


def test_visits_that_come_while_a_seller_is_forgotten_leave_no_row(collector: Collector) -> None:
    """The workers see the tombstone only a moment later, and until then they count; what they
    counted goes with the rest."""
    seller = new_seller()
    said: list[str | None] = []
    stop = threading.Event()

    def visit() -> None:
        while not stop.is_set():
            said.append(collector.pixel(seller, f"p{len(said)}").counted)

    visits = threading.Thread(target=visit)
    visits.start()
    try:
        eventually(lambda: said.count("yes") > 5, "visits")
        before = len(said)
        collector.cli("forget-seller", seller)
        eventually(lambda: said[-1] == "bad-signature", "the workers' notice of it")
    finally:
        stop.set()
        visits.join()
    assert "yes" in said[before:]
    assert rows_of(collector, seller) == 0
    assert collector.summary(seller) == (0, 0)


def rows_of(collector: Collector, seller: str) -> int:
    """Return how many rows of the spool name a seller."""
    rows = 0
    for file in files(collector.data / "spool"):
        with reading(file.path) as connection:
            question = "select count(*) from hits where seller = ?"
            rows += connection.execute(question, (seller,)).fetchone()[0]
    return rows


def test_a_backup_is_written_while_all_runs_and_can_be_put_back(collector: Collector) -> None:
    """A zip with a manifest; another file is refused with a sentence and changes nothing."""
    path = collector.directory / "counts.zip"
    assert "The secret isn't in it" in collector.cli("backup", str(path))
    with zipfile.ZipFile(path) as archive:
        assert "manifest.json" in archive.namelist()
    assert "0 days put back" in collector.cli("restore", str(path))
    path.write_bytes(path.read_bytes()[:100])
    assert collector.cli("restore", str(path), expect=1)
    nowhere = collector.directory / "missing" / "counts.zip"
    assert "can't be written" in collector.cli("backup", str(nowhere), expect=1)


def test_totals_that_a_backup_puts_back_are_seen_at_once(
    collector: Collector, tmp_path: Path
) -> None:
    """The seller has just looked, so the answer is kept; then a backup of another installation is
    put back, which knows yesterday's orders. The seller looks again."""
    seller, yesterday = new_seller(), (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    backup = tmp_path / "counts.zip"
    with running(tmp_path / "other") as other:
        told = [{"date": yesterday, "seller": seller, "product": "cup", "orders": 7}]
        headers = {
            "Authorization": f"Bearer {other.token('operator')}",
            "Content-Type": "application/json",
        }
        body = json.dumps(told).encode()
        answer = ask(other.reports, "POST", "/operator/totals", headers, body)
        assert answer.status == 200, answer.content
        other.cli("backup", str(backup))

    def orders() -> list[int]:
        token = collector.token("stats", seller)
        answer = collector.api("export.json", token, from_=yesterday, to=yesterday)
        return [row["orders"] for row in answer.json["rows"]]

    assert orders() == []
    collector.cli("restore", str(backup))
    assert orders() == [7]


def test_the_privacy_report_is_read_from_the_live_system(collector: Collector) -> None:
    """As Markdown, as JSON, and by an operator's token over HTTP: the same days."""
    assert collector.pixel(new_seller()).counted == "yes"
    today = datetime.now(UTC).date().isoformat()
    assert f"| {today} |" in collector.cli("privacy-report")
    report = json.loads(collector.cli("privacy-report", "--format", "json"))
    assert [salt["day"] for salt in report["salts"]] == [today]
    bearer = {"Authorization": f"Bearer {collector.token('operator')}"}
    answer = ask(collector.reports, "GET", "/operator/privacy-report", bearer)
    assert answer.json["salts"] == report["salts"]
    assert "must be a time" in collector.cli("privacy-report", "--at", "soon", expect=1)


@pytest.mark.parametrize("path", ["/operator/status", "/operator/privacy-report"])
def test_only_an_operators_token_opens_them(collector: Collector, path: str) -> None:
    """Without one, or with a seller's, 401."""
    bearer = {"Authorization": f"Bearer {collector.token('stats', new_seller())}"}
    assert ask(collector.reports, "GET", path).status == 401
    assert ask(collector.reports, "GET", path, bearer).status == 401


@pytest.mark.parametrize("language", ["en", "de", "fr", "nl", "el", "lv"])
def test_the_policys_paragraph_names_our_cookies(collector: Collector, language: str) -> None:
    """Six languages, from the settings in force."""
    said = collector.cli("privacy-text", "--lang", language)
    assert "statistics_consent" in said
    assert "collector_own" in said
    assert "tax_country" in said
