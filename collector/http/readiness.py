"""Readiness: /healthz and /readyz, the same for both processes.

/healthz says that the process answers. /readyz says whether it does its work: 503 with a sentence
for everything that stops it, 200 with the warnings that somebody should read.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route


class State(NamedTuple):
    """What keeps a process from its work, and what doesn't but should be read."""

    alarms: Sequence[str] = ()
    warnings: Sequence[str] = ()


def routes(read_state: Callable[[], State], path_prefix: str = "") -> list[BaseRoute]:
    """Return the two routes; `read_state` is asked at every /readyz."""

    def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    def readyz(request: Request) -> Response:
        state = read_state()
        body = {
            "ready": not state.alarms,
            "alarms": list(state.alarms),
            "warnings": list(state.warnings),
        }
        return JSONResponse(
            body,
            status_code=503 if state.alarms else 200,
            headers={"Cache-Control": "no-store"},
        )

    return [
        Route(f"{path_prefix}/healthz", healthz, methods=["GET"]),
        Route(f"{path_prefix}/readyz", readyz, methods=["GET"]),
    ]
