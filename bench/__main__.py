"""Run the benches in turn: `python -m bench [NAME]…`, each also alone: `python -m bench.NAME`.

Each runs in a process of its own, because an engine is opened once in a process's life. Ends with
a table, and with status 1 when a target was missed.
"""

import os
import subprocess
import sys
import time

BENCHES = {
    "beacon": "visits, beside a server that does nothing",
    "location": "countries, beside a server that does nothing",
    "seal": "the close of a day of ten million hits",
    "pages": "what sellers open, among a hundred million counts",
}


def run(name: str) -> list[str]:
    """Run one bench and pass on what it prints; return its verdicts, one line each."""
    print(f"--- {name}: {BENCHES[name]}", flush=True)
    started = subprocess.Popen(
        [sys.executable, "-u", "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    verdicts = []
    for line in started.stdout:
        print(line, end="", flush=True)
        if line.startswith(("  met ", "  MISSED")):
            verdicts.append(line.rstrip())
    if started.wait() and not any("MISSED" in line for line in verdicts):
        verdicts.append(f"  MISSED  it ended with status {started.returncode}")
    return verdicts


def main() -> int:
    """Run what was asked for; return 1 when a target was missed, 2 when there is no such bench."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores; load average before: {load:.2f} (figures want an idle machine)")
    began = time.monotonic()
    verdicts = {name: run(name) for name in names}
    print(f"--- {time.monotonic() - began:.0f} s in all")
    for name, lines in verdicts.items():
        for line in lines:
            print(f"{name:10}{line}")
    return int(any("MISSED" in line for lines in verdicts.values() for line in lines))


if __name__ == "__main__":
    sys.exit(main())
