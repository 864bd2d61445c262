"""The door for sellers: routes, and what every answer has in common.

Takes all that it shares with the rest of Collector as arguments, from a composition root.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards import openapi
from dashboards.access import Access, Authorise, Sessions
from dashboards.api import Api
from dashboards.catalogue import Catalogue
from dashboards.look import LOGO_SUFFIXES, STATIC, Look, compile_templates
from dashboards.operator import Operator
from dashboards.pages import Pages, refusal
from dashboards.plausible import Plausible
from dashboards.refused import Refused
from dashboards.report import Report
from dashboards.share_pages import SharePages
from dashboards.shares import Shares
from dashboards.shop import Shop
from dashboards.sign_in import SignIn
from dashboards.snapshot import Calendar
from dashboards.stats import Stats

READY_SECONDS = 3.0  # How long an end waits for a start that is under way.
STEP_LOOK_SECONDS = 30.0  # A clock that jumps or a machine that sleeps is noticed this soon.


@dataclass(frozen=True, slots=True)
class Options:
    """Plain values of the settings that have the same names.

    own_visits_url  the page that leaves a browser out of the numbers; it stands where product pages
                    send their beacons, which may be another host; '' if there is none
    """

    public_url: str = "http://127.0.0.1:8001"
    path_prefix: str = ""
    frame_ancestors: tuple[str, ...] = ()
    seller_area_url: str = ""
    own_visits_url: str = ""
    brand_name: str = ""
    brand_colour: str = ""
    brand_logo: str = ""
    breakdown_min: int = 5
    keep_counts_days: int = 0
    today_step_minutes: int = 15


def create_app(
    *,
    authorise: Authorise,
    sessions: Sessions,
    connect: Callable[[], Any],
    calendar: Calendar,
    now: Callable[[], datetime],
    catalogue: Catalogue,
    shares: Shares,
    options: Options,
    restored: Callable[[], int] = lambda: 0,
    more_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application that sellers and the marketplace read from.

    authorise    (allowed scopes, Authorization header) → grant, or PermissionError(sentence)
    sessions     sign-in; see `access.Sessions`
    connect      opens a ClickHouse client of its own; called a few times, from threads
    catalogue, shares   the two small files that this package keeps
    calendar     which days there are, and how far they were stored
    now          the local time of the day that is being counted
    restored     a number that changes whenever a backup was put back
    more_routes  the composition root's own, such as /readyz; they come first
    """
    look = _look(options)
    stats = Stats(
        connect,
        calendar,
        now,
        today_step_minutes=options.today_step_minutes,
        keep_counts_days=options.keep_counts_days,
        breakdown_min=options.breakdown_min,
        changed=lambda: (catalogue.forgotten, restored()),
    )
    shop = Shop(Access(authorise, sessions), stats, catalogue)

    async def refused(request: Request, error: Exception) -> Response:
        return await run_in_threadpool(_refused, look, request, error)

    return Starlette(
        routes=[
            *more_routes,
            *_api(shop, look, options, now().tzinfo),
            *_dashboard(shop, shares, look, options),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={Refused: refused, HTTPException: refused, Exception: refused},
        lifespan=_lifespan(stats),
    )


def _look(options: Options) -> Look:
    return Look(
        f"{options.path_prefix}/dashboard",
        options.frame_ancestors,
        options.seller_area_url,
        options.brand_name,
        options.brand_colour,
        logo_file(options.brand_logo),
        options.own_visits_url,
    )


def logo_file(setting: str) -> Path | None:
    """Return the logo's file.

    Errors  ValueError when the setting names something that can't be shown.
    """
    if not setting:
        return None
    path = Path(setting)
    if path.suffix.lower() not in LOGO_SUFFIXES or not path.is_file():
        kinds = ", ".join(sorted(LOGO_SUFFIXES))
        raise ValueError(f"BRAND_LOGO: must name a picture on this machine ({kinds})")
    return path


def _api(shop: Shop, look: Look, options: Options, zone: tzinfo | None) -> list[BaseRoute]:
    place = f"{options.path_prefix}/api/v1"
    described = openapi.document(options.public_url + options.path_prefix)
    api, operator = Api(shop), Operator(shop)
    plausible = Plausible(shop, zone)
    report = Report(shop, look, options.public_url)

    def description(request: Request) -> Response:
        """GET /api/v1/openapi.json"""
        return JSONResponse(described, headers={"Cache-Control": "public, max-age=300"})

    return [
        Route(f"{place}/summary", api.summary),
        Route(f"{place}/timeseries", api.timeseries),
        Route(f"{place}/products", api.products),
        Route(f"{place}/breakdown", api.breakdown),
        Route(f"{place}/export.csv", api.export),
        Route(f"{place}/export.json", api.export_json),
        Route(f"{place}/report", report.report),
        Route(f"{place}/openapi.json", description),
        Route(f"{options.path_prefix}/api/v2/query", plausible.query, methods=["POST"]),
        Route(f"{options.path_prefix}/operator/products", operator.products, methods=["PUT"]),
        Route(f"{options.path_prefix}/operator/totals", operator.totals, methods=["POST"]),
    ]


def _dashboard(shop: Shop, shares: Shares, look: Look, options: Options) -> list[BaseRoute]:
    home = look.home
    secure = options.public_url.startswith("https:")
    sign_in = SignIn(shop.access.sessions, look, home, secure, framed=bool(options.frame_ancestors))
    pages = Pages(shop, look, shares)
    share = SharePages(shop, shares, look, options.public_url)

    def front(request: Request) -> Response:
        return RedirectResponse(f"{home}/", status_code=308)

    return [
        Route(home, front),
        *(
            Route(below + path, page)
            for below in (home, f"{home}/shared/{{key}}")
            for path, page in (
                ("/", pages.overview),
                ("/product", pages.product),
                ("/words", pages.words),
                ("/export.csv", pages.export),
            )
        ),
        Route(f"{home}/share", share.list, methods=["GET"]),
        Route(f"{home}/share", share.make, methods=["POST"]),
        Route(f"{home}/share/end", share.end, methods=["POST"]),
        Route(f"{home}/login", sign_in.ask, methods=["GET"]),
        Route(f"{home}/login", sign_in.enter, methods=["POST"]),
        Route(f"{home}/logout", sign_in.leave, methods=["POST"]),
        Route(f"{home}/brand.css", look.brand_css),
        Route(f"{home}/logo", look.brand_logo),
        Mount(f"{home}/static", StaticFiles(directory=STATIC)),
    ]


def _refused(look: Look, request: Request, error: Exception) -> Response:
    """Return the one error shape, or its page where a person is looking."""
    match error:
        case Refused():
            refused = error
        case HTTPException(status_code=404):
            refused = Refused(404, "not-found", "There is nothing at this address.")
        case HTTPException(status_code=405):
            refused = Refused(405, "bad-method", "This address doesn't take that method.")
        case HTTPException(status_code=status):
            refused = Refused(status, "bad-request", "The request can't be read.")
        case _:  # A bug of ours. The server logs where; the reader learns no more than that.
            refused = Refused(500, "internal", "Something went wrong on this server.")
    more = dict(getattr(error, "headers", None) or {})
    if refused.status == 503:
        more["Retry-After"] = "5"
    if refused.status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="collector"'
    if request.url.path.startswith(f"{look.home}/"):
        response = refusal(look, request, refused)
    else:
        response = JSONResponse(
            refused.body(), status_code=refused.status, headers={"Cache-Control": "no-store"}
        )
    response.headers.update(more)
    return response


def _lifespan(stats: Stats) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        steps = asyncio.create_task(_keep_step(stats))
        ready = asyncio.create_task(run_in_threadpool(_make_ready, stats))
        yield
        steps.cancel()
        # A thread can't be cancelled, and what it opens is closed behind it. Where the database is
        # away nobody waits for long; the process ends with what it has open.
        await asyncio.wait([ready], timeout=READY_SECONDS)
        await run_in_threadpool(stats.close)

    return lifespan


def _make_ready(stats: Stats) -> None:
    """Do once what the first reader would wait for."""
    compile_templates()
    with suppress(Refused):  # The database may come later; who reads then opens what is missing.
        stats.open()


async def _keep_step(stats: Stats) -> None:
    """Take each step's mark as the step begins, so that no reader's visit decides when."""
    while True:
        await run_in_threadpool(stats.asking.snapshot.mark)
        await asyncio.sleep(min(stats.asking.snapshot.seconds_to_next() + 0.01, STEP_LOOK_SECONDS))


class SafeHeaders:
    """Puts the headers that every answer has in common onto each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault(
                    "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
                )
            await send(message)

        await self.app(scope, receive, send_safe)
