"""Composition root of the demo's beacons process: the real one, with the shop in front."""

import asyncio
import logging
import socket

from starlette.requests import Request
from starlette.responses import RedirectResponse

from collector import keys, secret
from collector.anonymise import visitor
from collector.beacons import ASGIApp, Receive, Scope, Send
from collector.demo.cart import Country
from collector.demo.goods import SELLERS
from collector.demo.kept import Kept, find
from collector.demo.look import Look
from collector.demo.shop import Backend, Shop
from collector.http.server import serve
from collector.serve_beacons import Worker, World
from collector.settings import Settings

logger = logging.getLogger("collector.demo")


def application(settings: Settings, worker: Worker) -> ASGIApp:
    """Return the shop at /demo/ and the worker's application everywhere else."""
    look = Look(settings.path_prefix, f"{settings.reports_public_url}{settings.path_prefix}")
    shop = _shop(settings, worker, look).application()

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path == "/":
            await RedirectResponse(f"{look.home}/")(scope, receive, send)
        elif scope["type"] == "http" and (path + "/").startswith(f"{look.home}/"):
            await shop(scope, receive, send)
        else:
            await worker.application(scope, receive, send)

    return door


def _shop(settings: Settings, worker: Worker, look: Look) -> Shop:
    secret_bytes = secret.load(settings)

    async def kept(request: Request) -> Kept:
        day = worker.today()
        address = worker.client_address(request.scope)
        if address is None:
            return Kept([], 0)
        agent = request.headers.get("user-agent", "").encode("latin-1")
        key = worker.day_keys.of(day)
        pseudonyms = {
            seller.id: visitor(address, agent, seller=seller.id, key=key) for seller in SELLERS
        }
        return await asyncio.to_thread(find, settings.data_dir / "spool", day, pseudonyms)

    return Shop(
        look=look,
        backend=Backend(
            page_tag_key=keys.derive(secret_bytes, "page-tag"),
            token_key=keys.derive(secret_bytes, "token"),
            operator_key=keys.derive(secret_bytes, "operator"),
        ),
        rules=worker.rules,
        country=Country(worker.application, f"{settings.path_prefix}/location"),
        kept=kept,
        today=worker.today,
        timezone=settings.timezone.key,
    )


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve the shop and beacons in this process until it is told to stop."""
    worker = Worker(settings, World())
    logger.info("demo: listening, with %s as today", worker.today())
    serve(application(settings, worker), listener)
