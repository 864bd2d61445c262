"""Composition root of the reports process: drain and close, sellers, operators.

The engine lives here and only here. Drain and seal run in threads of their own, each with its own
client; a reader can slow them but never stop them.
"""

import contextlib
import logging
import os
import socket
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from starlette.applications import Starlette

from collector import __version__, keys, secret, status
from collector.access import Access
from collector.assembling import assembling
from collector.calendar import Calendar
from collector.chores import Chores
from collector.clock import DayClock
from collector.close.ballast import Ballast
from collector.close.closes import ENDED, yesterday
from collector.close.day_close import World as SealWorld
from collector.close.seal import Seal
from collector.consent import OWN_COOKIE
from collector.day_key import destroy_old_salts
from collector.drain import Drain
from collector.http import metrics, readiness
from collector.http.metrics import Gauges
from collector.http.server import serve
from collector.ledger import Ledger
from collector.ledger_file import UnreadableLedger
from collector.operator.client import SOCKET_NAME
from collector.operator.routes import Desk, http_routes, socket_routes
from collector.operator.unix_socket import OperatorSocket
from collector.privacy.report import Settled
from collector.privacy.text import Facts
from collector.schema import NewerSchema
from collector.serve_beacons import DEFAULT_CONSENT_COOKIE, World
from collector.settings import BadSettings, Settings
from collector.upkeep.backup import scheduled
from collector.upkeep.tombstones import FILE_NAME as FORGOTTEN
from collector.upkeep.tombstones import Tombstones
from collector.warehouse import Unanswered, Warehouse, quieten
from dashboards.app import Options, create_app
from dashboards.catalogue import Catalogue
from dashboards.shares import FILE_NAME as SHARES
from dashboards.shares import Shares
from geoip.browser import COOKIE as TAX_COOKIE

logger = logging.getLogger("collector.reports")

RECENT_DAYS = 7
EXIT_FAILED = 1
NICENESS = 10


class Reports:
    """The reports process's parts, put together from settings."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings = settings
        self.spool = settings.data_dir / "spool"
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        clock = DayClock(settings.timezone, world.now, world.boot)
        # First of all: neither a full disk nor an engine that is away may keep an old salt.
        destroy_old_salts(settings.salts, clock.seconds(), settings.timezone)
        ballast = Ballast(settings.data_dir / "ballast")
        if ballast.is_needed():
            ballast.let_go()  # on a full disk not even the ledger opens
        secrets = secret.load_all(settings)
        secret_bytes = secrets[0]
        self.access = Access.of(settings.data_dir, secret_bytes, world.now)
        self.ledger = Ledger(settings.data_dir / "ledger.sqlite")
        self.calendar = Calendar(clock, self.ledger, settings.timezone)
        self.warehouse = Warehouse(settings.data_dir / "clickhouse", settings.clickhouse_dsn)
        self.warehouse.migrate()
        self.drain = Drain(self.spool, self.ledger, self.warehouse, self.calendar.seconds)
        self._drain_pause = threading.Lock()
        self.seal = Seal(
            settings.data_dir,
            settings.salts,
            self.ledger,
            self.warehouse,
            SealWorld(
                today=self.calendar.today,
                seconds=self.calendar.seconds,
                running=world.boot,
                pause=self._drain_pause,
            ),
            timezone=settings.timezone,
            minimum=settings.breakdown_min,
            keep_counts_days=settings.keep_counts_days,
        )
        self.catalogue = Catalogue(settings.data_dir / "catalogue.sqlite")
        self.shares = Shares(settings.data_dir / SHARES)
        self._restores = 0
        self.desk = self._desk(secrets)
        self.chores = Chores(
            drain=self.drain,
            seal=self.seal,
            drain_pause=self._drain_pause,
            destroy_salts=self._destroy_salts,
            back_up=self._back_up,
        )

    def application(self) -> Starlette:
        """Return what port 8001 answers."""
        settings = self.settings
        app = create_app(
            authorise=self.access.authorise,
            sessions=self.access,
            connect=self.warehouse.connect,
            calendar=self.calendar,
            now=self.calendar.now,
            catalogue=self.catalogue,
            shares=self.shares,
            restored=lambda: self._restores,
            options=Options(
                public_url=settings.reports_public_url,
                path_prefix=settings.path_prefix,
                frame_ancestors=settings.frame_ancestors,
                seller_area_url=settings.seller_area_url,
                own_visits_url=f"{settings.beacons_public_url}{settings.path_prefix}/own",
                brand_name=settings.brand_name,
                brand_colour=settings.brand_colour,
                brand_logo=settings.brand_logo,
                breakdown_min=settings.breakdown_min,
                keep_counts_days=settings.keep_counts_days,
                today_step_minutes=settings.today_step_minutes,
            ),
            more_routes=[
                *readiness.routes(self.state, settings.path_prefix),
                *http_routes(self.desk, self.access.authorise, settings.path_prefix),
                metrics.route(self.access.authorise, settings.path_prefix, Gauges(self.gauges)),
            ],
        )
        inner = app.router.lifespan_context

        @contextlib.asynccontextmanager
        async def lifespan(application: Starlette) -> AsyncIterator[None]:
            self.chores.start()
            try:
                with OperatorSocket(settings.data_dir / SOCKET_NAME, socket_routes(self.desk)):
                    async with inner(application):
                        yield
            finally:
                self.close()

        app.router.lifespan_context = lifespan
        return app

    def _desk(self, secrets: tuple[bytes, ...]) -> Desk:
        settings = self.settings
        return Desk(
            data=settings.data_dir,
            salts=settings.salts,
            ledger=self.ledger,
            warehouse=self.warehouse,
            seal=self.seal,
            tombstones=Tombstones(
                settings.data_dir / FORGOTTEN, [keys.derive(each, "page-tag") for each in secrets]
            ),
            pause=self._pause_all,
            others={"catalogue": self.catalogue.forget, "shares": self.shares.end_all},
            status=self.status,
            today=self.calendar.today,
            now=self.calendar.seconds,
            settled=Settled(
                settings.timezone,
                settings.breakdown_min,
                settings.keep_counts_days,
                settings.brand_name,
            ),
            facts=_facts(settings),
            timezone=settings.timezone,
            restoring=threading.Lock(),
            restored=self._note_restore,
        )

    def _note_restore(self) -> None:
        self._restores += 1

    @contextlib.contextmanager
    def _pause_all(self) -> Iterator[None]:
        """Hold seal and drain; in this order, which is the seal's own."""
        with self.seal.pause(), self._drain_pause:
            yield

    def close(self) -> None:
        """Stop the chores and close the engine; what waits is in the spool and safe there."""
        self.chores.stop()
        self.seal.close()
        self.drain.close()
        self.warehouse.close()
        self.ledger.close()
        self.access.close()

    def _destroy_salts(self) -> None:
        seconds = self.calendar.seconds()
        destroy_old_salts(self.settings.salts, seconds, self.settings.timezone)

    def _back_up(self) -> None:
        """Write the day's backup where BACKUP_DIR says, once yesterday is sealed."""
        directory, today = self.settings.backup_dir, self.calendar.today()
        close = self.ledger.closes.of(today - timedelta(days=1))
        if directory is None or (close is not None and close.state not in ENDED):
            return
        try:
            if scheduled(directory, today, self.desk.pieces()):
                logger.info("the day's backup is written")
            self.ledger.alarms.hush("backup-failed")
        except (OSError, Unanswered) as error:
            reason = getattr(error, "strerror", None) or str(error)
            sentence = f"BACKUP_DIR: the day's backup can't be written ({reason})"
            self.ledger.alarms.sound("backup-failed", "", sentence, self.calendar.seconds())

    def state(self) -> readiness.State:
        """Return what /readyz says."""
        return readiness.State(
            [f"{alarm.code}: {alarm.sentence}" for alarm in self.ledger.alarms.sounding()],
            status.notices(self.spool, self.calendar.today()),
        )

    def gauges(self) -> metrics.Readings:
        """Return what /metrics says."""
        now = self.status()
        return {
            "beacons_today outcome": ("Today's beacons by outcome, all workers.", now.outcomes),
            "waiting_hits": ("Hits in the spool and not in ClickHouse yet.", now.waiting),
            "alarms code": ("What stopped, by alarm.", Counter(each.code for each in now.alarms)),
            "warnings": ("Sentences that somebody should read.", len(now.warnings)),
            "recent_days state": ("The last days, by state.", Counter(now.days.values())),
            "salts": ("Days whose salt exists.", len(now.salts)),
        }

    def status(self) -> status.Status:
        """Return what `collector status` says."""
        today = self.calendar.today()
        first = today.fromordinal(today.toordinal() - RECENT_DAYS)
        return status.Status(
            version=__version__,
            today=today,
            alarms=self.ledger.alarms.sounding(),
            warnings=status.notices(self.spool, today),
            workers=status.workers(self.spool, today),
            waiting=status.waiting(self.spool, self.ledger.batched_to, self.ledger.in_doubt),
            outcomes=status.outcomes(self.spool, today),
            days=self.calendar.days(first, today),
            salts=status.salts(self.settings.salts),
            yesterday=yesterday(
                self.ledger.closes.of(today - timedelta(days=1)), self.settings.timezone
            ),
        )


def _facts(settings: Settings) -> Facts:
    own = settings.consent_format == "own"
    return Facts(
        controller=settings.brand_name,
        breakdown_min=settings.breakdown_min,
        keep_counts_days=settings.keep_counts_days,
        honour_gpc=settings.honour_gpc,
        honour_dnt=settings.honour_dnt,
        consent_cookie=(settings.consent_cookie or DEFAULT_CONSENT_COOKIE) if own else "",
        own_cookie=OWN_COOKIE,
        tax_cookie=TAX_COOKIE,
    )


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve reports in this process until it is told to stop."""
    quieten()
    os.nice(NICENESS)  # before the engine has threads: a large day's close must not slow a beacon
    try:
        with assembling():
            reports = Reports(settings, World())
            application = reports.application()
    except Unanswered as error:
        logger.error("reports: %s; see COLLECTOR_CLICKHOUSE_DSN", error)
        sys.exit(EXIT_FAILED)
    except sqlite3.OperationalError as error:
        logger.error("reports: the data directory can't be written: %s", error)
        sys.exit(EXIT_FAILED)
    except (NewerSchema, UnreadableLedger) as error:
        raise BadSettings(str(error)) from None
    logger.info("reports: listening, with %s as today", reports.calendar.today())
    serve(application, listener)
