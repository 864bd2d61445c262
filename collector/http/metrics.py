"""Metrics: what an operator's monitoring reads at GET /metrics, with an operator's token.

Read from files and counters when asked, so that a beacon pays nothing for being measured. Every
beacons worker gives the sums over all of them, because a scrape meets any one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Readings = Mapping[str, tuple[str, float | Mapping[str, float]]]
Authorise = Callable[[frozenset[str], str | None], object]
OPERATOR = frozenset({"operator"})


class Source(Protocol):
    """What a registry asks for metrics."""

    def collect(self) -> Iterator[Metric]: ...


class Gauges:
    """Gauges made when asked: name without prefix → (help, value or values by label)."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge."""
        for name, (text, value) in self._read().items():
            if isinstance(value, Mapping):
                # The label is the name's last word: collector_beacons_today{outcome="yes"}.
                name, _, label = name.rpartition(" ")
                gauge = GaugeMetricFamily(f"collector_{name}", text, labels=[label])
                for key, number in value.items():
                    gauge.add_metric([key], number)
            else:
                gauge = GaugeMetricFamily(f"collector_{name}", text, value=value)
            yield gauge


def route(authorise: Authorise, path_prefix: str, *sources: Source) -> Route:
    """Return GET /metrics."""
    registry = CollectorRegistry()
    for source in sources:
        registry.register(source)

    async def metrics(request: Request) -> Response:
        try:
            authorise(OPERATOR, request.headers.get("authorization"))
        except PermissionError as error:
            body = {"code": "unauthorised", "message": str(error), "field": "Authorization"}
            return JSONResponse(
                {"error": body}, 401, {"WWW-Authenticate": 'Bearer realm="collector"'}
            )
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route(f"{path_prefix}/metrics", metrics, methods=["GET"])
