"""Probe: whether a database can be read from beginning to end, asked of a process of its own.

The library's reader is written in C and trusts the file: a few bytes that are missing in its
middle end the whole process, and every beacon with it. So each file that isn't shipped with us is
first read through by a process that may die of it.
"""

import subprocess
import sys
from collections import deque
from pathlib import Path

import maxminddb

SECONDS_MAX = 120  # A million networks take two or three.


def reads_through(descriptor: int) -> bool:
    """Return whether every network of the file behind a descriptor can be read."""
    command = [sys.executable, "-P", __file__, str(descriptor)]
    try:
        done = subprocess.run(  # noqa: S603  # this very file, and a number
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    with maxminddb.open_database(Path("/dev/fd") / sys.argv[1]) as reader:
        deque(reader, maxlen=0)
