"""Composition root of the beacons process: product pages and the location door.

No database engine is imported here, directly or on the way: it must not be able to slow, grow or
crash the beacon. A test looks at what is loaded.
"""

import asyncio
import contextlib
import logging
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from collector import keys, readiness, secret
from collector.access import Access
from collector.address import ClientAddress
from collector.beacons import ASGIApp, BeaconsDoor
from collector.clock import DayClock
from collector.consent import Rules
from collector.consent_cookies import consent_reader
from collector.day_key import DayKeys, destroy_old_salts
from collector.device import Devices
from collector.salt import SaltDamaged
from collector.server import serve
from collector.settings import Settings, trusted_networks
from collector.source import Sources
from collector.spool import Spool
from collector.view_limit import ViewLimit

logger = logging.getLogger("collector.beacons")

TEND_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """What a process reads of the world; tests and the demo hand in their own.

    now   seconds since 1970
    boot  seconds since boot
    """

    now: Callable[[], float] = time.time
    boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)


class Worker:
    """One beacons worker: the door, its spool, and what has to be tended every second."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings = settings
        current, secrets = secret.load(settings), [secret.load(settings)]
        if settings.secret_previous is not None:
            secrets.append(settings.secret_previous.encode())
        self.clock = DayClock(settings.timezone, world.now, world.boot)
        self.day_keys = DayKeys(
            settings.salts, tuple(keys.derive(each, "visitor") for each in secrets)
        )
        self.spool = Spool(
            settings.data_dir / "spool", queue_max=settings.queue_max, today=self.today
        )
        self.client_address = ClientAddress(
            trusted_networks(settings, settings.beacons_bind), self._warn
        )
        self.access = Access(
            settings.data_dir / "access.sqlite",
            token_key=keys.derive(current, "token"),
            operator_key=keys.derive(current, "operator"),
            session_key=keys.derive(current, "session"),
            now=world.now,
        )
        self.rules = Rules(
            page_tag_keys=tuple(keys.derive(each, "page-tag") for each in secrets),
            read_choice=consent_reader(
                settings.consent_format, settings.consent_cookie, settings.consent_category
            ),
            read_device=Devices(),
            honour_gpc=settings.honour_gpc,
            honour_dnt=settings.honour_dnt,
        )
        self.application = self._door()

    def today(self) -> date:
        """Return the day that is being counted."""
        return self.clock.read().day

    def _door(self) -> ASGIApp:
        settings = self.settings
        return BeaconsDoor(
            Starlette(routes=self._routes(), lifespan=self._lifespan),
            rules=self.rules,
            sources=Sources(),
            client_address=self.client_address,
            clock=self.clock,
            day_keys=self.day_keys,
            view_limit=ViewLimit(settings.visitor_views_max),
            spool=self.spool,
            origins=settings.origins,
            path_prefix=settings.path_prefix,
        )

    def _routes(self) -> list[BaseRoute]:
        return [*readiness.routes(self.state, self.settings.path_prefix)]

    def state(self) -> readiness.State:
        """Return what /readyz says."""
        alarms = []
        if self.spool.is_failing:
            alarms.append(
                "spool: beacons can't be written to disk, so nothing is counted; "
                "see spool-failing in docs/operations.md"
            )
        return readiness.State(alarms, self.spool.notices)

    def _warn(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self.spool.notice("untrusted-forwarder", sentence)

    @contextlib.asynccontextmanager
    async def _lifespan(self, application: Starlette) -> AsyncIterator[None]:
        self.tend()
        self.spool.start()
        tending = asyncio.create_task(self._tend_forever(), name="tend")
        try:
            yield
        finally:
            tending.cancel()
            await self.spool.close()
            self.day_keys.wipe()
            self.access.close()

    async def _tend_forever(self) -> None:
        while True:
            await asyncio.sleep(TEND_SECONDS)
            self.tend()

    def tend(self) -> None:
        """Forget yesterday's key, destroy salts that are due, make today's."""
        today = self.today()
        self.day_keys.wipe_before(today)
        destroy_old_salts(self.settings.salts, self.clock.seconds(), self.settings.timezone)
        with contextlib.suppress(OSError, SaltDamaged, sqlite3.Error):
            self.day_keys.of(today)  # early, so that the first visitor of the day doesn't wait


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve beacons in this process until it is told to stop."""
    worker = Worker(settings, World())
    logger.info("beacons: listening, with %s as today", worker.today())
    serve(worker.application, listener, settings.log_level)
