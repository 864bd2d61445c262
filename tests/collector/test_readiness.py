"""Readiness: alive and able to work are two questions."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collector.http import readiness
from collector.http.readiness import State


def asked(state: State, path: str, prefix: str = "") -> tuple[int, object]:
    """Return status and body of an answer, which nobody may keep."""
    client = TestClient(Starlette(routes=readiness.routes(lambda: state, prefix)))
    answer = client.get(path)
    if answer.status_code != 404:
        assert answer.headers["cache-control"] == "no-store"
    kind = answer.headers["content-type"]
    return answer.status_code, answer.json() if kind == "application/json" else answer.text


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State(), 200),
        (State(warnings=["somebody forwards who isn't trusted"]), 200),
        (State(alarms=["spool: can't be written"]), 503),
        (State(["one", "two"], ["three"]), 503),
    ],
)
def test_an_alarm_makes_it_not_ready_and_a_warning_does_not(state: State, status: int) -> None:
    """Every sentence is in the answer; the process is alive either way."""
    body = {
        "ready": status == 200,
        "alarms": list(state.alarms),
        "warnings": list(state.warnings),
    }
    assert asked(state, "/readyz") == (status, body)
    assert asked(state, "/healthz") == (200, "ok\n")


def test_both_lie_below_the_prefix() -> None:
    """The shop's own /readyz stays the shop's."""
    assert asked(State(), "/stats/readyz", "/stats")[0] == 200
    assert asked(State(), "/readyz", "/stats")[0] == 404
