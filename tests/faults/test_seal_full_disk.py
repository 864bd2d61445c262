"""A disk without a free byte doesn't keep a day's hits: the seal has its ballast."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.sealing_on_full_disk import BALLAST_BYTES

MOUNT = (
    'mount -t tmpfs -o size=160m none "$1" && exec "$2" -m tests.faults.sealing_on_full_disk "$1"'
)
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def can_mount() -> bool:
    """Return whether a process of ours may have a small disk of its own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs unshare with a mount of its own")
def test_a_seal_on_a_full_disk_completes_from_its_ballast(tmp_path: Path) -> None:
    """The disk is filled to the last byte while a day waits to be sealed. Nothing can be written,
    not even the ledger; the salt is destroyed all the same. Then the ballast goes, and the day is
    sealed with the right numbers."""
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["held"] >= BALLAST_BYTES
    assert answer["full"], answer
    assert answer["free"] < 4096
    assert (answer["salts destroyed"], answer["salts left"]) == (1, 0)
    assert answer["held after"] < BALLAST_BYTES
    assert answer["state"] == "sealed"
    assert answer["right"]
    assert (answer["hits"], answer["spool"]) == (0, False)
