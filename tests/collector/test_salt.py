"""The salt: made once, by whoever is first; gone for good when its day is over."""

import multiprocessing
import os
import stat
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from collector import salt
from collector.salt import SALT_BYTES, SaltDamaged

DAY = date(2026, 1, 2)
KEY = bytes(range(32))


def test_a_salt_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    """32 random bytes and the key's fingerprint, the same at every start of the day, another one
    on another day."""
    first = salt.ensure(tmp_path, DAY, KEY)
    assert len(first) == SALT_BYTES + 8
    assert any(first[:SALT_BYTES])
    assert first[SALT_BYTES:] == salt.fingerprint(KEY)
    assert salt.ensure(tmp_path, DAY, KEY) == first
    assert salt.ensure(tmp_path, date(2026, 1, 3), KEY)[:SALT_BYTES] != first[:SALT_BYTES]
    assert list(salt.days(tmp_path)) == [DAY, date(2026, 1, 3)]


def test_a_day_keeps_the_fingerprint_of_the_secret_it_began_with(tmp_path: Path) -> None:
    """A new secret at noon finds the morning's fingerprint, so that it can use the morning's
    key."""
    salt.ensure(tmp_path, DAY, KEY)
    assert salt.ensure(tmp_path, DAY, bytes(32))[SALT_BYTES:] == salt.fingerprint(KEY)


def test_only_the_owner_may_read_a_salt(tmp_path: Path) -> None:
    """Whoever has the salt could try addresses out, had he the secret too."""
    directory = tmp_path / "salts"
    salt.ensure(directory, DAY, KEY)
    assert stat.S_IMODE(salt.path_of(directory, DAY).stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def make(directory: Path, begin: Barrier, told: Connection) -> None:
    """Make the salt at the same moment as the others."""
    begin.wait(20)
    told.send_bytes(bytes(salt.ensure(directory, DAY, KEY)))


def test_workers_that_start_together_use_one_salt(tmp_path: Path) -> None:
    """Eight processes make the day's salt in one moment. They all get the same one, whole, and no
    other file stays behind: two salts would count everybody twice."""
    fork = multiprocessing.get_context("fork")
    for number in range(10):
        directory = tmp_path / str(number)
        begin = fork.Barrier(8)
        pipes = [fork.Pipe(duplex=False) for _ in range(8)]
        started = [fork.Process(target=make, args=(directory, begin, end)) for _, end in pipes]
        for each in started:
            each.start()
        salts = {reader.recv_bytes() for reader, _ in pipes}
        for each in started:
            each.join(20)
        assert len(salts) == 1
        assert os.listdir(directory) == ["2026-01-02.salt"]  # noqa: PTH208  # names are enough


@pytest.mark.parametrize(
    "content", [b"", b"\x01" * 39, b"\x01" * 41, bytes(40), bytes(32) + b"\x01" * 8]
)
def test_a_damaged_salt_is_refused(tmp_path: Path, content: bytes) -> None:
    """Cut off, too long, or overwritten by a destruction that was killed before it was done: with
    it nothing is counted, rather than with a salt that everybody could guess."""
    salt.path_of(tmp_path, DAY).write_bytes(content)
    with pytest.raises(SaltDamaged, match="the salt of 2026-01-02 is damaged"):
        salt.ensure(tmp_path, DAY, KEY)


def test_a_destroyed_salt_leaves_no_byte(tmp_path: Path) -> None:
    """The file's own blocks are overwritten before its name goes: whoever still holds it open, or
    has another name for it, finds zeros."""
    made = bytes(salt.ensure(tmp_path, DAY, KEY))
    path = salt.path_of(tmp_path, DAY)
    (tmp_path / "another-name").hardlink_to(path)
    with path.open("rb") as held:
        assert held.read() == made
        salt.destroy(path)
        held.seek(0)
        assert held.read() == bytes(len(made))
    assert (tmp_path / "another-name").read_bytes() == bytes(len(made))
    assert not path.exists()
    salt.destroy(path)  # a second process came later: no error


def test_what_a_killed_writer_left_is_found(tmp_path: Path) -> None:
    """A worker killed between the temporary file and its unlinking leaves a second name of the
    salt; it goes with the day like the salt itself. Other files are not ours to destroy."""
    salt.ensure(tmp_path, DAY, KEY)
    left = tmp_path / f".{DAY}.123.abcdef01.new"
    left.hardlink_to(salt.path_of(tmp_path, DAY))
    for name in ("README", "notes.salt", ".x.new", "2026-13-45.salt"):
        (tmp_path / name).touch()
    assert salt.files(tmp_path) == [(DAY, left), (DAY, salt.path_of(tmp_path, DAY))]
    assert list(salt.days(tmp_path)) == [DAY]
    assert salt.files(tmp_path / "missing") == []


def test_a_directory_that_cannot_be_written_makes_no_salt(tmp_path: Path) -> None:
    """The caller learns it and counts nothing."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        salt.ensure(tmp_path / "file", DAY, KEY)


def test_wiping_leaves_zeros_in_place() -> None:
    """The same memory, not a new object."""
    secret = bytearray(b"secret")
    view = memoryview(secret)
    salt.wipe(secret)
    assert bytes(view) == bytes(6)
