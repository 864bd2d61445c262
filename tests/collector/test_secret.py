"""The secret: where it comes from, and that everybody gets the same one."""

import multiprocessing
import stat
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from collector import secret
from collector.settings import BadSettings, Settings

GIVEN = "0123456789abcdef0123456789abcdef"


def test_a_given_secret_is_used_as_it_is() -> None:
    """Blanks too: another program derives keys from the same bytes."""
    assert secret.load(Settings(secret=f" {GIVEN} ")) == f" {GIVEN} ".encode()


def test_a_file_may_end_with_a_newline(tmp_path: Path) -> None:
    """As every editor and every secret store writes it."""
    path = tmp_path / "secret"
    path.write_text(f"{GIVEN}\n")
    assert secret.load(Settings(secret_file=path)) == GIVEN.encode()


def test_without_one_a_secret_is_made_and_kept(tmp_path: Path) -> None:
    """The first start makes it, later ones read it; only the owner can."""
    settings = Settings(data_dir=tmp_path / "data")
    made = secret.load(settings)
    assert len(made) >= 32
    assert secret.load(settings) == made
    path = tmp_path / "data" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret"]
    assert secret.load(Settings(data_dir=tmp_path / "other")) != made


def make(directory: Path, begin: Barrier, told: Connection) -> None:
    """Load the secret at the same moment as the others."""
    begin.wait(20)
    told.send_bytes(secret.load(Settings(data_dir=directory)))


def test_processes_that_start_together_use_one_secret(tmp_path: Path) -> None:
    """Two secrets would make one process refuse what the other signed."""
    fork = multiprocessing.get_context("fork")
    for number in range(5):
        begin = fork.Barrier(6)
        pipes = [fork.Pipe(duplex=False) for _ in range(6)]
        directory = tmp_path / str(number)
        started = [fork.Process(target=make, args=(directory, begin, end)) for _, end in pipes]
        for each in started:
            each.start()
        assert len({reader.recv_bytes() for reader, _ in pipes}) == 1
        for each in started:
            each.join(20)


def refusal(settings: Settings) -> str:
    """Return the sentence with which a start is refused."""
    with pytest.raises(BadSettings) as refused:
        secret.load(settings)
    return str(refused.value)


def test_a_secret_that_cannot_be_had_stops_the_start(tmp_path: Path) -> None:
    """Missing, a directory, too short, or a place where none can be made: one sentence each, and
    none of them repeats a secret."""
    missing = Settings(secret_file=tmp_path / "missing")
    assert refusal(missing) == ("COLLECTOR_SECRET_FILE: can't be read (No such file or directory)")
    assert refusal(Settings(secret_file=tmp_path)) == (
        "COLLECTOR_SECRET_FILE: can't be read (Is a directory)"
    )
    (tmp_path / "short").write_text("hunter2\n")
    assert refusal(Settings(secret_file=tmp_path / "short")) == (
        "COLLECTOR_SECRET_FILE: shorter than 32 bytes; `openssl rand -hex 32` will do"
    )
    assert refusal(Settings(data_dir=tmp_path / "short")) == (
        "COLLECTOR_DATA_DIR: can't be used (File exists)"
    )
    (tmp_path / "secret").touch()
    assert refusal(Settings(data_dir=tmp_path)).startswith("DATA_DIR/secret: shorter than 32 bytes")
