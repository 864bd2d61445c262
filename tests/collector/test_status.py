"""Status: one sentence that is true, and a screen that isn't left however much is wrong."""

from datetime import date
from pathlib import Path

import pytest

from collector import status
from collector.alarms import Alarm
from collector.ledger import Batch
from collector.status import Status
from tests.collector.spooling import DAY, Worker, any_hits

YESTERDAY = date(2026, 1, 1)


def now(alarms: int = 0, warnings: int = 0, workers: int = 1, waiting: int = 0) -> Status:
    """Return a status with so many of each."""
    return Status(
        version="1",
        today=DAY,
        alarms=[Alarm("spool-missing", str(n), f"file {n} is gone", 0.0) for n in range(alarms)],
        warnings=[f"warning {n}" for n in range(warnings)],
        workers=workers,
        waiting=waiting,
        outcomes={"yes": 3, "no-consent": 9},
        days={date(2026, 1, n): "sealed" for n in range(1, 31)},
        salts=[DAY],
        yesterday="Yesterday closed at 00:04.",
    )


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (now(), "Counting. Yesterday closed at 00:04. Nothing waits."),
        (now(waiting=7), "Counting. Yesterday closed at 00:04. 7 hits wait to be stored."),
        (
            now(workers=0),
            "Not counting: no beacons process writes hits. Yesterday closed at 00:04. Nothing"
            " waits.",
        ),
        (now(alarms=1), "1 alarm: somebody has to look."),
        (now(alarms=2, workers=0), "2 alarms: somebody has to look."),
    ],
)
def test_the_first_line_says_whether_somebody_has_to_get_up(state: Status, sentence: str) -> None:
    """As text and as JSON."""
    assert state.text().splitlines()[0] == sentence
    assert state.document()["sentence"] == sentence


def test_it_fits_on_a_screen_however_much_is_wrong() -> None:
    """Fifty alarms and fifty warnings: the first of each, how many more there are and where they
    are told; JSON has all of them."""
    state = now(alarms=50, warnings=50)
    lines = state.text().splitlines()
    assert len(lines) < 24
    assert "ALARM    spool-missing: file 0 is gone" in lines
    assert "ALARM    and 45 more, in /readyz" in lines
    assert "WARNING  and 45 more, in /readyz" in lines
    alarms = state.document()["alarms"]
    assert isinstance(alarms, list)
    assert len(alarms) == 50


def test_only_a_worker_that_holds_todays_file_counts(tmp_path: Path) -> None:
    """One that died, one that finished and one that still holds yesterday's file write no hit of
    today."""
    writing, dead, done = (Worker(tmp_path) for _ in range(3))
    old = Worker(tmp_path, YESTERDAY)
    dead.die()
    done.finish()
    assert status.workers(tmp_path, DAY) == 1
    writing.finish()
    assert status.workers(tmp_path, DAY) == 0
    old.finish()


def test_outcomes_and_waiting_hits_are_added_over_all_files(tmp_path: Path) -> None:
    """Two workers, of whom one has died; a damaged file is left out, and the drain's alarm names
    it."""
    first, second, damaged = (Worker(tmp_path) for _ in range(3))
    first.commit(any_hits(5))
    second.commit(any_hits(7))
    second.die()
    damaged.die()
    damaged.path.write_bytes(b"no database" * 500)
    assert status.outcomes(tmp_path, DAY) == {"yes": 12}
    assert status.outcomes(tmp_path, YESTERDAY) == {}
    batched = {first.writer.run: 2}
    assert status.waiting(tmp_path, lambda _, run: batched.get(run, 0), list) == 10
    under_way = Batch(1, DAY, first.writer.run, 1, 2)
    assert status.waiting(tmp_path, lambda _, run: batched.get(run, 0), lambda: [under_way]) == 12
    first.finish()


def test_a_notice_is_told_while_its_worker_runs(tmp_path: Path) -> None:
    """What a new setting has cured is not told until midnight."""
    worker = Worker(tmp_path)
    worker.writer.insert([], {})
    worker.writer.notice("forwarded", "somebody forwards who isn't trusted")
    worker.writer.commit()
    assert status.notices(tmp_path, DAY) == ["somebody forwards who isn't trusted"]
    worker.finish()
    assert status.notices(tmp_path, DAY) == []
