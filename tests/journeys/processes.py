"""Processes as the system sees them, and ports that nobody else is given."""

import socket
from pathlib import Path


def is_over(pid: int) -> bool:
    """Return whether a process has ended; one that only waits to be buried has."""
    stat = _stat(pid)
    return not stat or stat[0] in "ZX"


def arguments(pid: int) -> list[str]:
    """Return a process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below one.

    By parent: asking each thread for its children misses those whose thread ends meanwhile.
    """
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found = list(children.get(pid, ()))
    for child in found:  # which grows on the way
        found += children.get(child, ())
    return found


def _stat(pid: int) -> list[str]:
    """Return a process's state, its parent and more; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def held_port(host: str = "127.0.0.1") -> socket.socket:
    """Take a port that the system gives to nobody else; a server may still bind it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, 0))
    return held
