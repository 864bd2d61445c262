"""Health: `python -m collector.health [beacons] [reports]`, for a container's health check.

Asks the processes of this machine whether they answer, and ends with 0 or 1. Whether they do their
work is /readyz's to say: starting again rarely cures that.
"""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

from collector.settings import BadSettings, Settings, bind_parts, read

ANSWER_SECONDS = 3
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # told apart, not bound
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BAD_SETTINGS = 78


def main(arguments: Sequence[str]) -> int:
    """Ask the processes that are named, or both; return the exit status."""
    try:
        settings, _ = read(os.environ)
    except BadSettings as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command's result
        return EXIT_BAD_SETTINGS
    addresses = urls(settings)
    if not set(arguments) <= set(addresses):
        print("usage: python -m collector.health [beacons] [reports]", file=sys.stderr)  # noqa: T201  # a command's usage
        return EXIT_USAGE
    sick = [name for name in arguments or addresses if not answers(addresses[name])]
    if sick:
        print(f"no answer from {' and '.join(sick)}", file=sys.stderr)  # noqa: T201  # the command's result
    return EXIT_FAILED if sick else 0


def urls(settings: Settings) -> dict[str, str]:
    """Return where each process is asked, by name."""
    found = {}
    for name, bind in (("beacons", settings.beacons_bind), ("reports", settings.reports_bind)):
        host, port = bind_parts(bind)
        host = ANYWHERE.get(host, host)
        literal = f"[{host}]" if ":" in host else host
        found[name] = f"http://{literal}:{port}{settings.path_prefix}/healthz"
    return found


def answers(url: str) -> bool:
    """Return whether a process answers; the machine's own proxy settings don't count."""
    asker = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with asker.open(url, timeout=ANSWER_SECONDS):
            return True
    except (OSError, urllib.error.HTTPError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
