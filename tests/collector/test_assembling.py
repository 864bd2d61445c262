"""Assembling: a part's refusal is an operator's sentence, a bug stays a bug."""

import sqlite3
from pathlib import Path

import pytest

from collector.assembling import assembling
from collector.settings import BadSettings


def failing(error: Exception) -> None:
    """Put together a part that fails."""
    with assembling():
        raise error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadSettings("COLLECTOR_X: no"), "COLLECTOR_X: no"),
        (ValueError("ZONES_FILE: can't be read"), "COLLECTOR_ZONES_FILE: can't be read"),
        (OSError(28, "No space left on device"), "COLLECTOR_DATA_DIR: can't be used (No space"),
        (sqlite3.OperationalError("disk is full"), "COLLECTOR_DATA_DIR: can't be used (disk is"),
    ],
    ids=["settings", "part", "system", "database"],
)
def test_what_a_setting_causes_is_one_sentence(error: Exception, sentence: str) -> None:
    """The operator reads which variable, not where in our code."""
    with pytest.raises(BadSettings) as refused:
        failing(error)
    assert str(refused.value).startswith(sentence)


def test_a_bug_keeps_its_traceback() -> None:
    """A ValueError that names no setting is ours, and we want to know where it came from."""
    with pytest.raises(ValueError, match="invalid literal"):
        failing(ValueError("invalid literal for int()"))


def test_a_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    """The most usual slip: DATA_DIR names a file."""
    (tmp_path / "data").touch()
    sentence = r"^COLLECTOR_DATA_DIR: can't be used \(File exists\)$"
    with pytest.raises(BadSettings, match=sentence), assembling():
        (tmp_path / "data").mkdir()
