"""Our days before today: `python -m bench.peers.history TODAY`, with the settings of the server.

They go through the real beacons door with the clock as an argument, as the demo's month does;
nothing is inserted behind the pipeline's back. Drain and close come later, in the server.
"""

import asyncio
import json
import sys
from datetime import UTC, date, datetime
from itertools import groupby

from bench.peers.visits import SELLER, visits
from bench.serving import SECRET
from collector import keys, page_tag
from collector.demo.asgi import call, running
from collector.demo.history import FIRST_SECOND, Clock
from collector.http.server import configure_logging
from collector.serve_beacons import Worker, World
from collector.settings import Settings


def at(day: date) -> float:
    """Return five minutes past a day's midnight, in seconds since 1970."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + FIRST_SECOND


def beacon(page: str, key: bytes) -> bytes:
    """Return what the page's script sends."""
    said = {"seller": SELLER, "product": page, "sig": page_tag.sign(SELLER, page, key)}
    return json.dumps(said).encode()


async def live(today: date) -> None:
    """Send every day's visits; RuntimeError when one isn't counted."""
    key = keys.derive(SECRET.encode(), "page-tag")
    past = visits(today, 0)
    clock = Clock(at(past[0].day))
    worker = Worker(Settings(), World(clock.read, clock.read))
    async with running(worker.application):
        for day, group in groupby(past, lambda visit: visit.day):
            clock.seconds = at(day)
            worker.tend()
            answers = await asyncio.gather(
                *(
                    call(
                        worker.application,
                        "POST",
                        "/beacon",
                        headers=(
                            (b"user-agent", visit.agent.encode()),
                            (b"cookie", b"statistics_consent=granted"),
                        ),
                        body=beacon(visit.page, key),
                        client=(visit.address, 443),
                    )
                    for visit in group
                )
            )
            if any(answer.header(b"x-counted") != b"yes" for answer in answers):
                raise RuntimeError(f"{day}: a visit was not counted")
        clock.seconds = at(today)
        worker.tend()


if __name__ == "__main__":
    configure_logging("error")  # a month passes in a second: what it says of that is noise
    asyncio.run(live(date.fromisoformat(sys.argv[1])))
