"""One process of Collector at the hour that a test says: `python -m tests.journeys.night WHO FILE`.

WHO is beacons or reports; FILE holds by how many seconds its clocks are ahead, both of them, as on
a machine that slept. Everything else is as `collector` starts it.
"""

import os
import sys
import time
from pathlib import Path

from collector.http.server import listen, serve
from collector.serve_beacons import Worker, World
from collector.serve_reports import Reports
from collector.settings import read


def main(who: str, ahead: Path) -> None:
    """Serve until SIGTERM."""
    world = World(
        now=lambda: time.time() + float(ahead.read_text()),
        boot=lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + float(ahead.read_text()),
    )
    settings, _ = read(os.environ)
    if who == "beacons":
        serve(Worker(settings, world).application, listen(settings.beacons_bind, "BEACONS_BIND"))
    else:
        serve(Reports(settings, world).application(), listen(settings.reports_bind, "REPORTS_BIND"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
