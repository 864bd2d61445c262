"""A disk without a free byte costs the drain no row."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_seal_full_disk import UNSHARE, can_mount

MOUNT = (
    'mount -t tmpfs -o size=48m none "$1" && exec "$2" -m tests.faults.draining_on_full_disk "$1"'
)


@pytest.mark.skipif(not can_mount(), reason="needs unshare with a mount of its own")
def test_a_full_disk_costs_no_row_and_adds_none(tmp_path: Path) -> None:
    """Rows wait in the spool when the disk fills to the last byte: nothing can be drained, and the
    log says why. With room again every row counts once, withdrawals included."""
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["free"] == 0
    assert "ledger-unwritable" in answer["full"]
    assert (answer["waiting after"], answer["alarms after"]) == (0, [])
    assert "OperationalError" in answer["start"][0], "a start on a full disk is refused, too"
    assert answer["right"]
    assert answer["alarms at last"] == []
