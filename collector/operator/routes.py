"""What an operator may ask of the running reports process.

All of it over the socket in the data directory; status and privacy report also over HTTP, with an
operator's token. Files travel through the command: the server opens none that it didn't make.
"""

import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from collector.close.seal import Seal
from collector.ledger import Ledger
from collector.privacy import report
from collector.privacy.markdown import markdown
from collector.privacy.text import Facts, privacy_text
from collector.schema import NewerSchema
from collector.status import Status
from collector.upkeep import backup
from collector.upkeep.forget import Forgetting, NotNow
from collector.upkeep.restore import DamagedBackup, Restore
from collector.upkeep.tombstones import Tombstones
from collector.warehouse import Client, Unanswered, Warehouse

OPERATOR = frozenset({"operator"})
Authorise = Callable[[frozenset[str], str | None], object]
AWAY = "ClickHouse did not answer; try again, and see warehouse-away in docs/operations.md"
Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Desk:
    """What operators' questions are answered from.

    pause   held while neither drain nor seal may work
    others  what else holds a seller's rows: name → removes them and returns how many
    restored  called when a restore ended, however it ended
    """

    data: Path
    salts: Path
    ledger: Ledger
    warehouse: Warehouse
    seal: Seal
    tombstones: Tombstones
    pause: Callable[[], contextlib.AbstractContextManager[object]]
    others: dict[str, Callable[[str], int]]
    status: Callable[[], Status]
    today: Callable[[], date]
    now: Callable[[], float]
    settled: report.Settled
    facts: Facts
    timezone: ZoneInfo
    restoring: threading.Lock
    restored: Callable[[], None]

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        """Give a client of its own for one question."""
        client = self.warehouse.connect()
        try:
            yield client
        finally:
            self.warehouse.disconnect(client)

    def report(self, at: float | None) -> dict[str, object]:
        """Return the privacy report of now, with what was exposed at a moment."""
        with self.client() as client:
            sources = report.Sources(
                self.data, self.salts, self.ledger.closes, client, self.today(), self.now()
            )
            return report.report(sources, self.settled, at)

    def forget(self, seller: str) -> dict[str, int]:
        """Remove a seller; errors as Forgetting.forget."""
        with self.client() as client:
            return Forgetting(
                spool=self.data / "spool",
                closes=self.ledger.closes,
                client=client,
                tombstones=self.tombstones,
                pause=self.pause(),
                others=self.others,
            ).forget(seller)

    def pieces(self) -> Iterator[bytes]:
        """Yield a backup."""
        with self.client() as client:
            yield from backup.stream(client, self.ledger.closes, self.now())


def socket_routes(desk: Desk) -> list[BaseRoute]:
    """Return what the command line asks over the socket."""

    def status(request: Request) -> Response:
        return PlainTextResponse(desk.status().text())

    def close_day(request: Request) -> Response:
        try:
            day = date.fromisoformat(request.query_params.get("day", ""))
        except ValueError:
            return _said("day: must be a date such as 2026-01-31", 400)
        try:
            return _said(desk.seal.close_day(day))
        except ValueError as error:
            return _said(f"day: {error}", 400)

    def forget_seller(request: Request) -> Response:
        try:
            removed = desk.forget(request.query_params.get("seller", ""))
        except (ValueError, NotNow) as error:
            return _said(str(error), 400)
        rows = ", ".join(f"{name} {count}" for name, count in removed.items())
        return _said(f"Forgotten. Rows removed: {rows}. The seller's old pages make none any more.")

    def make_backup(request: Request) -> Response:
        return StreamingResponse(desk.pieces(), media_type="application/zip")

    def text(request: Request) -> Response:
        try:
            return PlainTextResponse(privacy_text(request.query_params.get("lang", ""), desk.facts))
        except ValueError as error:
            return _said(str(error), 400)

    return [
        Route("/status", _guarded(status)),
        Route("/close-day", _guarded(close_day), methods=["POST"]),
        Route("/forget-seller", _guarded(forget_seller), methods=["POST"]),
        Route("/backup", _guarded(make_backup)),
        Route("/restore", _restorer(desk), methods=["POST"]),
        Route("/privacy-report", _guarded(_reporter(desk))),
        Route("/privacy-text", text),
    ]


def http_routes(desk: Desk, authorise: Authorise, path_prefix: str) -> list[BaseRoute]:
    """Return what an operator's token opens on the reports port."""

    def allowed(handler: Handler) -> Handler:
        def answer(request: Request) -> Response:
            try:
                authorise(OPERATOR, request.headers.get("authorization"))
            except PermissionError as error:
                body = {"code": "unauthorised", "message": str(error), "field": "Authorization"}
                return JSONResponse({"error": body}, 401)
            response = _guarded(handler)(request)
            response.headers["Cache-Control"] = "no-store"
            return response

        return answer

    def status(request: Request) -> Response:
        return JSONResponse(desk.status().document())

    return [
        Route(f"{path_prefix}/operator/status", allowed(status)),
        Route(f"{path_prefix}/operator/privacy-report", allowed(_reporter(desk))),
    ]


def _reporter(desk: Desk) -> Handler:
    def report(request: Request) -> Response:
        at = request.query_params.get("at")
        try:
            moment = None if at is None else _seconds(at, desk.timezone)
        except ValueError:
            return _said("at: must be a time such as 2026-01-31T14:30", 400)
        found = desk.report(moment)
        match request.query_params.get("format", "json"):
            case "json":
                return JSONResponse(found)
            case "md":
                return PlainTextResponse(markdown(found, desk.settled.brand_name))
            case _:
                return _said("format: must be md or json", 400)

    return report


def _seconds(text: str, timezone: ZoneInfo) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone)).timestamp()


def _restorer(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def restore(request: Request) -> Response:
        try:
            with tempfile.TemporaryFile(dir=desk.data) as file:  # a zip must be seekable
                async for piece in request.stream():
                    await run_in_threadpool(file.write, piece)
                file.seek(0)
                return await run_in_threadpool(_guarded(lambda _: _restore(desk, file)), request)
        except OSError as error:
            return _unusable(error)

    return restore


def _restore(desk: Desk, file: IO[bytes]) -> Response:
    if not desk.restoring.acquire(blocking=False):
        return _said("another restore is under way; wait for its end", 409)
    try:
        with desk.client() as client:
            work = Restore(desk.warehouse, client, desk.ledger.closes, desk.tombstones)
            try:
                return _said(work.restore(file).sentence())
            finally:
                desk.restored()
    except (DamagedBackup, NewerSchema) as error:
        return _said(str(error), 400)
    finally:
        desk.restoring.release()


def _guarded(handler: Handler) -> Handler:
    """Answer with a sentence where the engine or the disk is away."""

    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except Unanswered:
            return _said(AWAY, 503)
        except (sqlite3.Error, OSError) as error:
            return _unusable(error)

    return answer


def _unusable(error: Exception) -> Response:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return _said(f"the data directory can't be used ({reason})", 503)


def _said(sentence: str, status_code: int = 200) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code)
