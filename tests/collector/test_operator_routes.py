"""What the operator's socket answers where the world is not as it should be: a sentence, always."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collector.operator.routes import AWAY, Desk, socket_routes
from collector.warehouse import Unanswered


def raising(error: Exception) -> Any:
    """Return a callable that fails."""

    def fail(*_: object) -> None:
        raise error

    return fail


def desk(**parts: Any) -> TestClient:
    """Return a client of a desk that has only some of its parts."""
    made = cast(Desk, SimpleNamespace(restoring=threading.Lock(), **parts))
    return TestClient(Starlette(routes=socket_routes(made)))


def test_a_restore_says_that_the_data_directory_cannot_be_used(tmp_path: Path) -> None:
    """It is gone, or its disk is full: the command prints a sentence and not a failure's name."""
    answer = desk(data=tmp_path / "gone").post("/restore", content=b"a backup")
    assert answer.status_code == 503
    assert answer.text == "the data directory can't be used (No such file or directory)\n"


def test_two_restores_are_not_made_at_once(tmp_path: Path) -> None:
    """The second is told to wait; nothing of it is read."""
    busy = SimpleNamespace(data=tmp_path, restoring=threading.Lock())
    client = TestClient(Starlette(routes=socket_routes(cast(Desk, busy))))
    with busy.restoring:
        answer = client.post("/restore", content=b"a backup")
    assert (answer.status_code, answer.text) == (
        409,
        "another restore is under way; wait for its end\n",
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unanswered("ClickHouse did not answer"), AWAY),
        (OSError(28, "No space left on device"), "(No space left on device)"),
    ],
)
def test_what_is_away_is_said(error: Exception, said: str) -> None:
    """The engine, or the disk; never a traceback."""
    answer = desk(forget=raising(error)).post("/forget-seller?seller=s")
    assert answer.status_code == 503
    assert said in answer.text
