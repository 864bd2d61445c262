"""Peers beside us: `python -m bench.peers PYTHON [VISITS]`; `make bench-peers` installs them first.

The same visits go to each and to us in turn, on the same core, from the same sender. PYTHON is
the one of the virtual environment that holds the peers. Loads 127.0.0.1 only.
"""

import os
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.peers import goaccess, ours, runlight_client
from bench.peers.figures import HEAD
from bench.peers.visits import DAYS, exact, visits

VISITS = 20_000
NOTES = """\
  CPU: of all its processes, until a reader has the numbers; GoAccess reads the log once.
  MiB: resident at most, of all its processes; most of ours is the database engine.
  30-day page: our overview; what runlight's dashboard asks for, in turn; GoAccess's whole report.
  On disk when answered: Collector yes (fsync); runlight in SQLite's log; nginx in the page cache.
  Not compared: consent, signatures, what is kept. docs/benchmarks.md says what each does."""


def main() -> int:
    """Measure and print; return 1 when our own numbers are not exact."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    python = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else VISITS
    today = datetime.now(UTC).date()
    all_visits = visits(today, count)
    truth = exact(all_visits)
    print(
        f"{len(all_visits):,} visits of {DAYS} days, {count:,} of them today and timed;"
        f" {os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.2f}"
    )
    print(HEAD, flush=True)
    counted_exactly = False
    measures = {
        "ours": partial(ours.measure),
        "runlight": partial(runlight_client.measure, python=python),
        "goaccess": partial(goaccess.measure),
    }
    for name, measure in measures.items():
        with tempfile.TemporaryDirectory(prefix=f"collector-bench-{name}-") as directory:
            found = measure(Path(directory), all_visits)
        print(found.row(truth), flush=True)
        if found.sent.refused:
            print(f"  {'':18}{found.sent.refused:,} answers were no success")
        if name == "ours":
            counted_exactly = found.counted == truth
    if datetime.now(UTC).date() != today:
        print("Midnight (UTC) came in between; run it again.")
        return 1
    print(NOTES)
    return 0 if counted_exactly else 1


if __name__ == "__main__":
    sys.exit(main())
