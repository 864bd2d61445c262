"""The warehouse: tables that are what the migrations say, and inserts that leave nothing behind."""

import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from collector import schema
from collector.schema import NewerSchema
from collector.statements import statement
from collector.warehouse import ENGINE_LIMITS, Client, Unanswered, Warehouse, ask, told

pytestmark = pytest.mark.slow

ERASED = ("day", "seller", "visitor", "before_batch")
TABLES = ("hits", "erased", "counts")


@pytest.fixture
def client(warehouse: Warehouse) -> Iterator[Client]:
    """A client of the engine."""
    client = warehouse.connect()
    yield client
    warehouse.disconnect(client)


def test_every_migration_is_one_statement_that_bears_repetition() -> None:
    """One that was interrupted runs again, because ClickHouse can't take half of it back."""
    for migration in schema.migrations():
        code = [line for line in migration.statement.splitlines() if not line.startswith("--")]
        assert ";" not in "\n".join(code), migration.name
        assert "if not exists" in code[0] or "if exists" in code[0], migration.name
        assert migration.statement.startswith("-- "), migration.name


def test_every_query_says_what_it_answers() -> None:
    """One question a file, and its header is its contract."""
    folder = Path(schema.__file__).with_name("queries")
    names = [path.stem for path in folder.glob("*.sql")]
    assert "hits_in_batch" in names
    for name in names:
        text = statement(name)
        assert text.startswith("-- "), name
        assert "now()" not in text, name
        assert "today()" not in text, name


def test_migrating_again_changes_nothing(warehouse: Warehouse, client: Client) -> None:
    """A start finds the tables as it left them."""
    before = client.query("show tables").result_rows
    assert warehouse.migrate() == schema.migrations()[-1].number
    assert client.query("show tables").result_rows == before
    rows = client.query("select number, count() from migrations group by number").result_rows
    assert {count for _, count in rows} == {2}, "each was noted before and after, once"


def test_a_dirty_migration_runs_again(warehouse: Warehouse, client: Client) -> None:
    """We die between its two notes, with its statement not run: the next start runs it."""
    client.command("drop view visible_hits")
    client.command(
        "alter table migrations delete where number = 3 and done = 1",
        settings={"mutations_sync": 2},
    )
    assert (3, 0) in ask(client, "migrations_run")
    warehouse.migrate()
    assert client.query("select count() from visible_hits").result_rows == [(0,)]
    assert (3, 1) in ask(client, "migrations_run")


def test_newer_tables_are_refused(warehouse: Warehouse, client: Client) -> None:
    """An older version must not touch what a newer one wrote; the sentence says what to do."""
    client.command("insert into migrations values (9999, 1)")
    try:
        with pytest.raises(NewerSchema, match="schema 9999 and this version knows"):
            warehouse.migrate()
    finally:
        client.command(
            "alter table migrations delete where number = 9999", settings={"mutations_sync": 2}
        )


@pytest.mark.parametrize("table", TABLES)
def test_parts_are_on_disk_before_an_answer(client: Client, table: str) -> None:
    """The engine syncs files and directories after an insert and after a merge, and doesn't drop
    blocks that it thinks it has seen."""
    text = client.query(f"show create table {table}").result_rows[0][0]
    for setting in (
        "fsync_after_insert = 1",
        "fsync_part_directory = 1",
        "min_rows_to_fsync_after_merge = 1",
        "min_compressed_bytes_to_fsync_after_merge = 1",
        "non_replicated_deduplication_window = 0",
    ):
        assert setting in text


def test_a_client_neither_queues_nor_drops_an_insert(client: Client) -> None:
    """The settings that exactly once rests on are in force in the session itself."""
    rows = client.query(
        "select name, value from system.settings where name in"
        " ('async_insert', 'insert_deduplicate', 'max_insert_threads')"
    ).result_rows
    assert {str(name): value for name, value in rows} == {
        "async_insert": "0",
        "insert_deduplicate": "0",
        "max_insert_threads": "1",
    }


def test_equal_blocks_are_both_kept(warehouse: Warehouse, client: Client) -> None:
    """Two equal batches are two batches; the engine must not take the second for the first."""
    for _ in range(2):
        warehouse.insert(client, "erased", ERASED, b'["2026-01-02", "s", 1, 2]')
    assert client.query("select count() from erased").result_rows == [(2,)]


def test_the_hash_is_no_key_and_not_compressed(client: Client) -> None:
    """A key would stand in the index in clear after every merge; and the search that proves a day
    gone must be able to see hashes while they are there."""
    rows = client.query(
        "select table, is_in_sorting_key, is_in_primary_key, is_in_partition_key, compression_codec"
        " from system.columns where name = 'visitor' and table in ('hits', 'erased')"
    ).result_rows
    assert {row[0] for row in rows} == {"hits", "erased"}
    assert {row[1:] for row in rows} == {(0, 0, 0, "CODEC(NONE)")}


def test_the_engines_caches_are_capped(client: Client) -> None:
    """Its defaults would let it take what the beacons need."""
    rows = client.query("select name, value from system.server_settings").result_rows
    in_force = {str(name): value for name, value in rows}
    assert {name: in_force[name] for name in ENGINE_LIMITS} == {
        name: str(value) for name, value in ENGINE_LIMITS.items()
    }


def test_a_refused_insert_tells_a_number_and_no_hash(warehouse: Warehouse, client: Client) -> None:
    """The engine's own sentence quotes the row that it couldn't read."""
    with pytest.raises(Unanswered) as caught:
        warehouse.insert(client, "erased", ERASED, b'["2026-01-02", "s", "x123456789012345", 2]')
    assert str(caught.value) == "ClickHouse error 27"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_is_told_of_an_error_is_its_number() -> None:
    """Also where the driver didn't find it, and where there is none."""
    assert told(RuntimeError("Code: 241. DB::Exception: secret")) == "ClickHouse error 241"
    assert told(RuntimeError("secret")) == "ClickHouse did not answer"


def test_a_batch_on_its_way_is_in_no_file(tmp_path: Path) -> None:
    """Killed at the moment when the engine reads a batch, the process leaves no hash in the
    temporary directory. The driver's own insert, killed at the same moment, does: so the search
    would find it."""
    story = textwrap.dedent(
        """
        import os, signal, sys, threading
        from pathlib import Path
        import chdb
        from collector.warehouse import Warehouse

        class Dying:
            def __init__(self, connection): self.connection = connection
            def query(self, sql, *rest, **more):
                if "infile" in sql.lower():
                    os.kill(os.getpid(), signal.SIGKILL)
                return self.connection.query(sql, *rest, **more)
            def close(self): self.connection.close()

        connect = chdb.connect
        warehouse = Warehouse(Path(sys.argv[1]) / "clickhouse")
        warehouse.migrate()
        chdb.connect = lambda path: Dying(connect(path))
        client = warehouse.connect()
        row = b'["2026-01-02", "s", "12345678901234567", 2]'
        columns = ("day", "seller", "visitor", "before_batch")
        if sys.argv[2] == "ours":
            warehouse.insert(client, "erased", columns, row)
        else:
            client.raw_insert("erased", columns, row, fmt="JSONCompactEachRow")
        """
    )
    found = {}
    for whose in ("ours", "driver's"):
        place = tmp_path / whose[:4]
        (place / "tmp").mkdir(parents=True)
        done = subprocess.run(
            [sys.executable, "-c", story, str(place), whose],
            env={**os.environ, "TMPDIR": str(place / "tmp")},
            timeout=60,
            check=False,
        )
        assert done.returncode == -9
        left = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
        found[whose] = any(b"12345678901234567" in text for text in left)
    assert found == {"ours": False, "driver's": True}
    assert tempfile.gettempdir()


def test_a_client_of_its_own_does_not_wait_behind_another(warehouse: Warehouse) -> None:
    """One client serialises its calls. The drain's own one is answered while a reader's sleeps: the
    answer is that the reader's query is running."""
    reader, drain = warehouse.connect(), warehouse.connect()
    thread = threading.Thread(target=reader.query, args=("select sleep(3)",))
    thread.start()
    running = 0
    while thread.is_alive() and not running:
        running = drain.query(
            "select count() from system.processes where query like 'select sleep%'"
        ).result_rows[0][0]
    assert running == 1
    thread.join()
    warehouse.disconnect(reader)
    warehouse.disconnect(drain)


def test_a_client_that_is_collected_holds_up_no_other(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody gave up a backup half-way: its generator lies in a cycle with its client, and the
    collector of garbage comes by while another client is opened. Both get what they want."""
    assert warehouse.path is not None
    own = Warehouse(warehouse.path)
    opened: list[Client] = []
    closed = threading.Event()

    def given_up() -> Iterator[object]:
        cycle: list[object] = []
        client = own.connect()
        with contextlib.ExitStack() as stack:
            stack.callback(closed.set)
            stack.callback(own.disconnect, client)
            yield cycle  # an answer that is written piece by piece
            cycle.clear()

    pieces = given_up()
    held: Any = next(pieces)
    held.append(pieces)
    del pieces, held
    real = clickhouse_connect.get_client

    def collecting(**options: Any) -> Client:
        gc.collect()
        return real(**options)

    monkeypatch.setattr(clickhouse_connect, "get_client", collecting)
    thread = threading.Thread(target=lambda: opened.append(own.connect()), daemon=True)
    thread.start()
    thread.join(20)
    assert closed.is_set()
    assert opened, "the two wait for each other"
    own.close()


def test_a_closed_warehouse_can_be_opened_again(tmp_path: Path) -> None:
    """Closing lets the engine go cleanly: what was inserted is there at the next start, and nobody
    hangs at the exit."""
    story = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from collector.warehouse import Warehouse
        for turn in range(2):
            warehouse = Warehouse(Path(sys.argv[1]) / "clickhouse")
            warehouse.migrate()
            client = warehouse.connect()
            row = b'["2026-01-02", "s", "1", 2]'
            columns = ("day", "seller", "visitor", "before_batch")
            warehouse.insert(client, "erased", columns, row)
            print(client.query("select count() from erased").result_rows[0][0])
            warehouse.close()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", story, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["1", "2"]
