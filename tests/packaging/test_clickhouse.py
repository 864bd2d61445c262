"""A ClickHouse server: what it must be set up like, and the whole way through one."""

import logging
import os
import re
import signal
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from collector.server_fitness import DURABLE, GONE, SESSION
from collector.statements import statement
from collector.warehouse import UnfitServer, Warehouse, quieten
from tests.clickhouse_server import Server
from tests.journeys.asking import ask, eventually
from tests.journeys.running import FIREFOX, SAFARI, Collector, new_seller, prepared
from tests.tree import ROOT

FILES = ROOT / "deploy" / "clickhouse"
FAILED = 1
ROUNDS = 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An empty stand-in."""
    server = Server(tmp_path / "server")
    yield server
    server.kill()


def refusal(server: Server, tmp_path: Path) -> str:
    """Return why a start refuses the server, or an empty text."""
    warehouse = Warehouse(tmp_path / "unused", server.dsn)
    try:
        warehouse.migrate()
    except UnfitServer as error:
        return str(error)
    finally:
        warehouse.close()
    return ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("create table system.text_log (a Int8) engine = Memory", "text_log"),
        ("create table system.trace_log (a Int8) engine = Memory", "trace_log"),
        ("alter table hits modify setting fsync_after_insert = 0", "fsync_after_insert"),
        ("alter table pools modify setting old_parts_lifetime = 480", "old_parts_lifetime"),
    ],
)
def test_a_server_that_would_break_a_promise_is_refused(
    server: Server, tmp_path: Path, change: str, named: str
) -> None:
    """First it is fit; then one thing changes, and the next start names that setting."""
    assert refusal(server, tmp_path) == ""
    server.ask(change)
    assert named in refusal(server, tmp_path)


@pytest.mark.slow
def test_a_start_says_which_setting_is_wrong(server: Server, tmp_path: Path) -> None:
    """`collector reports` ends with one sentence; no statement and no password is in it."""
    server.ask("create table system.text_log (a Int8) engine = Memory")
    with prepared(tmp_path / "collector", CLICKHOUSE_DSN=server.dsn) as collector:
        collector.data.mkdir(exist_ok=True)
        printed = collector.cli("reports", expect=FAILED)
    assert "text_log" in printed
    assert "Traceback" not in printed
    assert "create table" not in printed


def test_the_files_set_what_is_checked() -> None:
    """Every log that a start refuses is removed, every setting has the value that it asks for."""
    config = ElementTree.parse(FILES / "config.xml").getroot()
    users = ElementTree.parse(FILES / "users.xml").getroot()
    removed = {each.tag for each in config if each.get("remove") == "1"}
    assert set(re.findall(r"'(\w+_log)'", statement("server_logs"))) <= removed
    assert "query_log" in removed
    for name, value in (DURABLE | GONE).items():
        assert config.findtext(f"merge_tree/{name}") == value
    for name, number in SESSION.items():
        assert users.findtext(f"profiles/default/{name}") == str(number)


@pytest.mark.slow
def test_visits_count_once_while_reports_is_killed_and_answers_get_lost(
    server: Server, tmp_path: Path
) -> None:
    """The whole way with a server in the engine's place: two people visit again and again, the
    reports process is killed and inserts lose their answers; what was acknowledged is counted,
    once, and nothing is embedded."""
    seller, acknowledged = new_seller(), 0
    with prepared(tmp_path / "collector", CLICKHOUSE_DSN=server.dsn) as collector:
        collector.start()
        for fault in ("drop-after", "drop-before", "half")[:ROUNDS]:
            server.arm(fault)
            for agent in (FIREFOX, SAFARI) * 5:
                acknowledged += collector.pixel(seller, agent=agent).counted == "yes"
            pid = eventually(lambda: collector.child("reports"), "the reports process")
            os.kill(pid, signal.SIGKILL)
            eventually(partial(_is_replaced, collector, pid), "a new one")
        eventually(lambda: _counted(server, seller) == acknowledged, f"{acknowledged} views")
        assert acknowledged == ROUNDS * 10
        eventually(lambda: _answers(collector), "the reports process again")
        assert collector.summary(seller) == (acknowledged, 2)
        assert not (collector.data / "clickhouse").exists()
        assert seller not in collector.output


def _counted(server: Server, seller: str) -> int:
    return int(server.ask(f"select count() from hits where seller = '{seller}'"))


def _is_replaced(collector: Collector, old: int) -> bool:
    return collector.child("reports") not in (0, old)


def _answers(collector: Collector) -> bool:
    try:
        return ask(collector.reports, "GET", "/healthz").status == 200
    except OSError:
        return False


def test_a_broken_answer_logs_no_address_of_a_statement(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 would log the request's whole address, with a statement's parameters in it."""
    loggers = [logging.getLogger(name) for name in ("clickhouse_connect", "urllib3")]
    before = [each.level for each in loggers]
    quieten()
    try:
        warehouse = Warehouse(tmp_path / "unused", server.dsn)
        warehouse.migrate()
        server.arm("half")
        with pytest.raises(Exception, match="did not answer"):
            warehouse.insert(warehouse.connect(), "hits", ("day",), b'["2026-01-02"]\n')
        warehouse.close()
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)
    assert caplog.text == ""
