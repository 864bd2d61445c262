"""Composition root of the reports process: drain and close, sellers, operators.

The engine lives here and only here. Drain and seal run in threads of their own, each with its own
client; a reader can slow them but never stop them.
"""

import contextlib
import logging
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from collector import __version__, keys, metrics, readiness, secret, status
from collector.access import Access
from collector.assembling import assembling
from collector.calendar import Calendar, repeat
from collector.clock import DayClock
from collector.day_close import World as SealWorld
from collector.day_key import destroy_old_salts
from collector.drain import Drain
from collector.ledger import Ledger
from collector.ledger_file import UnreadableLedger
from collector.metrics import Gauges
from collector.operator_client import SOCKET_NAME
from collector.operator_socket import OperatorSocket
from collector.schema import NewerSchema
from collector.seal import Seal
from collector.serve_beacons import World
from collector.server import serve
from collector.settings import BadSettings, Settings
from collector.warehouse import Unanswered, Warehouse, quieten
from dashboards.app import Options, create_app
from dashboards.catalogue import Catalogue
from dashboards.shares import Shares

logger = logging.getLogger("collector.reports")

DRAIN_SECONDS = 1.0
SEAL_SECONDS = 1.0
TEND_SECONDS = 1.0
RECENT_DAYS = 7
EXIT_FAILED = 1


class Reports:
    """The reports process's parts, put together from settings."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings = settings
        self.spool = settings.data_dir / "spool"
        secret_bytes = secret.load(settings)
        self.access = Access(
            settings.data_dir / "access.sqlite",
            token_key=keys.derive(secret_bytes, "token"),
            operator_key=keys.derive(secret_bytes, "operator"),
            session_key=keys.derive(secret_bytes, "session"),
            now=world.now,
        )
        self.ledger = Ledger(settings.data_dir / "ledger.sqlite")
        self.calendar = Calendar(
            DayClock(settings.timezone, world.now, world.boot), self.ledger, settings.timezone
        )
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
        )
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def application(self) -> Starlette:
        """Return what port 8001 answers."""
        settings = self.settings
        app = create_app(
            authorise=self.access.authorise,
            sessions=self.access,
            connect=self.warehouse.connect,
            calendar=self.calendar,
            now=self.calendar.now,
            catalogue=Catalogue(settings.data_dir / "catalogue.sqlite"),
            shares=Shares(settings.data_dir / "shares.sqlite"),
            options=Options(
                public_url=settings.reports_public_url,
                path_prefix=settings.path_prefix,
                frame_ancestors=settings.frame_ancestors,
                seller_area_url=settings.seller_area_url,
                brand_name=settings.brand_name,
                brand_colour=settings.brand_colour,
                brand_logo=settings.brand_logo,
                breakdown_min=settings.breakdown_min,
                keep_counts_days=settings.keep_counts_days,
                today_step_minutes=settings.today_step_minutes,
            ),
            more_routes=[
                *readiness.routes(self.state, settings.path_prefix),
                metrics.route(self.access.authorise, settings.path_prefix, Gauges(self.gauges)),
            ],
        )
        inner = app.router.lifespan_context

        @contextlib.asynccontextmanager
        async def lifespan(application: Starlette) -> AsyncIterator[None]:
            self.start()
            try:
                with OperatorSocket(settings.data_dir / SOCKET_NAME, operator_routes(self)):
                    async with inner(application):
                        yield
            finally:
                self.close()

        app.router.lifespan_context = lifespan
        return app

    def start(self) -> None:
        """Start draining, closing days and tending."""
        self._thread("drain", DRAIN_SECONDS, self._drain)
        self._thread("seal", SEAL_SECONDS, self._seal)
        self._thread("tend", TEND_SECONDS, self._tend)

    def close(self) -> None:
        """Stop the threads and close the engine; what waits is in the spool and safe there."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.seal.close()
        self.drain.close()
        self.warehouse.close()
        self.ledger.close()
        self.access.close()

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
            waiting=status.waiting(self.spool, self.ledger.batched_to),
            outcomes=status.outcomes(self.spool, today),
            days=self.calendar.days(first, today),
            salts=status.salts(self.settings.salts),
        )

    def _thread(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        def run() -> None:
            repeat(self._stop, seconds, work)

        thread = threading.Thread(target=run, name=name)
        thread.start()
        self._threads.append(thread)

    def _drain(self) -> bool:
        """Drain a little; return whether more waits."""
        try:
            with self._drain_pause:
                self.drain.step()
        except Exception as error:  # a bug must not end the thread, and its text may be a hash
            logger.error("drain: %s", type(error).__name__)
            return False
        return self.drain.behind

    def _seal(self) -> bool:
        """Take an arrow of a day's close; return whether one was taken."""
        try:
            return self.seal.step()
        except Exception as error:  # as above
            logger.error("seal: %s", type(error).__name__)
            return False

    def _tend(self) -> None:
        seconds = self.calendar.seconds()
        destroy_old_salts(self.settings.salts, seconds, self.settings.timezone)


def operator_routes(reports: Reports) -> list[BaseRoute]:
    """Return what operators may ask over the socket."""

    def show_status(request: Request) -> Response:
        return _said(reports.status().text().rstrip())

    def close_day(request: Request) -> Response:
        try:
            day = date.fromisoformat(request.query_params.get("day", ""))
        except ValueError:
            return _said("day: must be a date such as 2026-01-31", 400)
        try:
            return _said(reports.seal.close_day(day))
        except ValueError as error:
            return _said(f"day: {error}", 400)

    return [
        Route("/status", show_status),
        Route("/close-day", close_day, methods=["POST"]),
    ]


def _said(sentence: str, status_code: int = 200) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve reports in this process until it is told to stop."""
    quieten()
    try:
        with assembling():
            reports = Reports(settings, World())
            application = reports.application()
    except Unanswered as error:
        logger.error("reports: %s; see COLLECTOR_CLICKHOUSE_DSN", error)
        sys.exit(EXIT_FAILED)
    except (NewerSchema, UnreadableLedger) as error:
        raise BadSettings(str(error)) from None
    logger.info("reports: listening, with %s as today", reports.calendar.today())
    serve(application, listener)
