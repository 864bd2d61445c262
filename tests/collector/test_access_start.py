"""Access: the file that all processes make at the same moment."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.collector.test_access import Clock, opened


def start(path: Path, begin: Barrier) -> None:
    """Open the file at the same moment as the others."""
    begin.wait(20)
    opened(path, Clock()).close()


def test_processes_that_start_together_all_start(tmp_path: Path) -> None:
    """Both processes and four workers make the file at the same moment; none of them fails."""
    spawn = multiprocessing.get_context("fork")
    for round_ in range(5):
        begin = spawn.Barrier(6)
        path = tmp_path / f"{round_}" / "access.sqlite"
        started = [spawn.Process(target=start, args=(path, begin)) for _ in range(6)]
        for each in started:
            each.start()
        for each in started:
            each.join(30)
        assert [each.exitcode for each in started] == [0] * 6
