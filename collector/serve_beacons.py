"""Composition root of the beacons process: product pages and the location door.

No database engine is imported here, directly or on the way: it must not be able to slow, grow or
crash the beacon. A test looks at what is loaded.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from collector import keys, secret
from collector.access import Access
from collector.address import ClientAddress
from collector.anonymise import visitor
from collector.assembling import assembling
from collector.beacon import Beacon, merged
from collector.beacon_answers import PIXEL
from collector.beacons import BeaconsDoor, Scope
from collector.clock import DayClock
from collector.compat.dialects import BadPattern, patterns
from collector.compat.door import CompatDoor
from collector.compat.listed import ListedProducts
from collector.consent import OWN_COOKIE, Rules
from collector.consent_cookies import consent_reader
from collector.day_key import DayKeys, SaltKeeper
from collector.device import Devices
from collector.erasure import erase
from collector.http import metrics, readiness
from collector.http.express import lanes_at_once
from collector.http.metrics import Gauges
from collector.http.server import serve
from collector.page.door import ConsentDoor
from collector.page.scripts import Look, beacon_script, consent_script
from collector.page_tag import SignedPairs, sign
from collector.salt import SaltDamaged
from collector.settings import PREFIX, BadSettings, Settings, trusted_networks
from collector.source import Sources
from collector.spool import Spool, Unavailable
from collector.status import outcomes
from collector.upkeep.tombstones import FILE_NAME as FORGOTTEN
from collector.upkeep.tombstones import Tombstones
from collector.view_limit import ViewLimit
from geoip.app import PATH, Location
from geoip.browser import READ
from geoip.metrics import LocationMetrics
from geoip.question import BODY_BYTES_MAX
from geoip.wiring import assemble

logger = logging.getLogger("collector.beacons")

TEND_SECONDS = 1.0
DEFAULT_CONSENT_COOKIE = "statistics_consent"


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
        self.world = world
        secrets = secret.load_all(settings)
        current = secrets[0]
        self.clock = DayClock(settings.timezone, world.now, world.boot)
        self.day_keys = DayKeys(
            settings.salts, tuple(keys.derive(each, "visitor") for each in secrets)
        )
        self.salts = SaltKeeper(self.day_keys, settings.salts, self.clock, settings.timezone)
        self.spool = Spool(
            settings.data_dir / "spool", queue_max=settings.queue_max, today=self.today
        )
        self.client_address = ClientAddress(
            trusted_networks(settings, settings.beacons_bind), self._warn
        )
        self.access = Access.of(settings.data_dir, current, world.now)
        tag_keys = tuple(keys.derive(each, "page-tag") for each in secrets)
        self._pairs = SignedPairs(tag_keys)
        self._forgotten = Tombstones(settings.data_dir / FORGOTTEN, tag_keys)
        self.rules = Rules(
            is_signed=self._is_a_page,
            read_choice=consent_reader(
                settings.consent_format, settings.consent_cookie, settings.consent_category
            ),
            read_device=Devices(),
            honour_gpc=settings.honour_gpc,
            honour_dnt=settings.honour_dnt,
        )
        self.location = self._location()
        self.application = self._door()

    def _is_a_page(self, seller: str, product: str, signature: str) -> bool:
        """Return whether a pair is signed, and its seller not forgotten."""
        return self._pairs(seller, product, signature) and seller not in self._forgotten

    def today(self) -> date:
        """Return the day that is being counted."""
        return self.clock.read().day

    def _door(self) -> BeaconsDoor:
        settings = self.settings
        return BeaconsDoor(
            self.location.before(
                Starlette(routes=self._routes(), lifespan=self._lifespan), settings.path_prefix
            ),
            rules=self.rules,
            sources=Sources(),
            client_address=self.client_address,
            clock=self.clock,
            day_keys=self.day_keys,
            view_limit=ViewLimit(settings.visitor_views_max),
            spool=self.spool,
            origins=settings.origins,
            path_prefix=settings.path_prefix,
            express=lanes_at_once(
                f"{settings.path_prefix}{PATH}", READ, self.location.at_once, BODY_BYTES_MAX
            ),
        )

    def _routes(self) -> list[BaseRoute]:
        settings = self.settings
        prefix = settings.path_prefix
        return [
            *readiness.routes(self.state, prefix),
            metrics.route(
                self.access.authorise, prefix, Gauges(self.gauges), LocationMetrics(self.location)
            ),
            *self._consent_door().routes(),
            *self._compat_door().routes(),
        ]

    def _location(self) -> Location:
        settings = self.settings
        try:
            return assemble(
                settings,
                authorise=self.access.authorise,
                client_address=self.client_address,
                clock=self.world.now,
            )
        except ValueError as error:
            raise BadSettings(f"{PREFIX}{error}") from None

    def _compat_door(self) -> CompatDoor:
        settings = self.settings
        try:
            known = patterns(settings.compatible_paths)
        except BadPattern as error:
            raise BadSettings(f"{PREFIX}COMPATIBLE_PATHS: {error}") from None
        key = keys.derive(secret.load(settings), "page-tag")
        return CompatDoor(
            count=lambda beacon, scope: self.application.count(beacon, scope),
            known=known,
            listed=ListedProducts(settings.data_dir / "catalogue.sqlite"),
            sign=lambda seller, product: sign(seller, product, key),
            pixel=PIXEL,
            origins=frozenset(settings.origins),
            path_prefix=settings.path_prefix,
        )

    def _consent_door(self) -> ConsentDoor:
        settings = self.settings
        choice = (settings.consent_format, settings.consent_cookie, settings.consent_category)
        look = Look(controller=settings.brand_name, policy_url=settings.policy_url)
        return ConsentDoor(
            read_choice=self.rules.read_choice,
            withdraw=self.withdraw,
            today=self.today,
            beacon_js=beacon_script(*choice),
            consent_js=consent_script(
                settings.consent_cookie or DEFAULT_CONSENT_COOKIE,
                settings.consent_cookie_domain,
                honour_gpc=settings.honour_gpc,
                honour_dnt=settings.honour_dnt,
                look=look,
            ),
            own_consent=settings.consent_format == "own",
            consent_cookie=settings.consent_cookie or DEFAULT_CONSENT_COOKIE,
            own_cookie=OWN_COOKIE,
            cookie_domain=settings.consent_cookie_domain,
            public_url=settings.beacons_public_url,
            origins=frozenset(settings.origins),
            path_prefix=settings.path_prefix,
            honour_gpc=settings.honour_gpc,
            honour_dnt=settings.honour_dnt,
            look=look,
        )

    async def withdraw(self, scope: Scope) -> bool:
        """Erase today's hits of the browser and connection that sent the request.

        Returns  True when that is on disk; False when it can't be kept, and must be asked again.
        """
        address = self.client_address(scope)
        if address is None:
            return True  # nobody without an address was ever counted
        agent = Beacon(merged(scope["headers"])).user_agent
        day = self.today()
        try:
            with self.day_keys.lent(day) as key:
                await erase(
                    self.spool,
                    self.settings.data_dir / "spool",
                    day,
                    lambda seller: visitor(address, agent, seller=seller, key=key),
                )
        except (Unavailable, OSError, SaltDamaged):
            return False
        return True

    def gauges(self) -> metrics.Readings:
        """Return what /metrics says of this worker, and of the day over all workers."""
        counted = outcomes(self.settings.data_dir / "spool", self.today())
        return {
            "beacons_today outcome": ("Today's beacons by outcome, all workers.", counted),
            "spool_waiting_hits": ("Hits that wait for their commit.", self.spool.waiting),
            "spool_failing": ("1 while hits can't be written.", self.spool.is_failing),
            "warnings": ("Sentences in /readyz that somebody should read.", len(self.state()[1])),
        }

    def state(self) -> readiness.State:
        """Return what /readyz says."""
        alarms = [self.salts.fault] if self.salts.fault else []
        if self.spool.is_failing:
            alarms.append(
                "spool: beacons can't be written to disk, so nothing is counted; "
                "see spool-failing in docs/operations.md"
            )
        return readiness.State(alarms, [*self.spool.notices, *self.location.notices()])

    def _warn(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self.spool.notice(sentence, sentence)  # several networks may forward

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
        """Do what is due every second."""
        self._forgotten.refresh()
        self.salts.tend()


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve beacons in this process until it is told to stop."""
    with assembling():
        worker = Worker(settings, World())
    logger.info("beacons: listening, with %s as today", worker.today())
    serve(worker.application, listener)
