"""Plausible's Stats API v2, so that tools made for it read our numbers.

The key decides whose numbers; `event:page` is a product. Over several days `visitors` are added
up by day, because nobody can be recognised on another day, and the answer says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.access import NUMBERS, Grant, shelf_of
from dashboards.answers import Deleted
from dashboards.api import PRIVATE, deleted
from dashboards.bodies import body
from dashboards.period import DAY as ONE_DAY
from dashboards.period import SPAN_DAYS_MAX, Interval, Span, intervals, month_of
from dashboards.plausible_query import PAGE, TIMES, VISITS, Filter, Query, read_query
from dashboards.refused import Refused
from dashboards.shelf import Shelf
from dashboards.shop import Shop
from dashboards.totals import Totals, add

BODY_BYTES_MAX = 64 * 1024
SELLER = "seller:"
# In Plausible's words, because tools tell its errors apart by them.
NO_KEY = "Missing API key. Please use a valid Plausible API key as a Bearer Token."
WRONG_KEY = (
    "Invalid API key or site ID. Please make sure you're using a valid API key with access to the"
    " site you've requested."
)
ADDED_UP = "visitors are distinct per day and added up over days; nobody is known on another day"
WAITING = "visitors have a value that is not listed, because its group is still or was too small"
# What Plausible calls what we call otherwise.
CALLED = {
    "source": {"direct": "Direct / None", "(other)": "(other)"},
    "device": {"desktop": "Desktop", "mobile": "Mobile", "tablet": "Tablet", "other": "(not set)"},
    "campaign": {"": "(not set)"},
}


@dataclass(frozen=True, slots=True)
class Result:
    """One row: metrics in the order asked, dimensions as texts."""

    totals: Totals
    dimensions: tuple[str, ...]

    def metric(self, name: str) -> int:
        """Return a metric by Plausible's name."""
        return self.totals.visitors if name == "visitors" else self.totals.views


@dataclass(frozen=True, slots=True)
class Plausible:
    """The one endpoint. zone is that of the days."""

    shop: Shop
    zone: tzinfo | None

    async def query(self, request: Request) -> Response:
        """POST /api/v2/query"""
        try:
            grant = await run_in_threadpool(self._grant, request)
            content = await body(request, BODY_BYTES_MAX)
            answer = await run_in_threadpool(self._answer, grant, content)
        except Refused as error:
            return JSONResponse({"error": error.message}, status_code=error.status)
        return JSONResponse(answer, headers={"Cache-Control": PRIVATE, "Vary": "Authorization"})

    def _grant(self, request: Request) -> Grant:
        if "authorization" not in request.headers:
            raise Refused(401, "unauthorised", NO_KEY)
        try:
            return self.shop.access.require(request, NUMBERS)
        except Refused:
            raise Refused(401, "unauthorised", WRONG_KEY) from None

    def _answer(self, grant: Grant, content: bytes) -> dict[str, Any]:
        query = read_query(content, self.zone)
        shelf = _shelf(grant, query.site_id)
        asking = self.shop.stats.asking
        today = asking.today()
        earliest = today - (SPAN_DAYS_MAX - 1) * ONE_DAY
        known = asking.days(Span(earliest, today)) if query.date_range == "all" else {}
        span = query.span(today, min(known, default=today))
        shelf = self._filtered(shelf, span, query.filters)
        results, unlisted = self._results(shelf, span, query)
        rows = _sorted(results, query)
        first, count = query.pagination.offset, query.pagination.limit
        return {
            "results": [
                {
                    "metrics": [row.metric(name) for name in query.metrics],
                    "dimensions": list(row.dimensions),
                }
                for row in rows[first : first + count]
            ],
            "meta": _meta(query, span, len(rows), unlisted, deleted(self.shop.stats, span)),
            "query": self._echo(query, span),
        }

    def _filtered(self, shelf: Shelf, span: Span, filters: Sequence[Filter]) -> Shelf:
        if not filters:
            return shelf
        products = list(self.shop.stats.products(shelf, span))
        for one in filters:
            products = one.fitting(products)
        return Shelf(shelf.seller, frozenset(products))

    def _results(self, shelf: Shelf, span: Span, query: Query) -> tuple[list[Result], int]:
        """Return all rows, and how many visitors are in none of them."""
        stats, dimensions = self.shop.stats, query.dimensions
        if dimensions and dimensions[0] in VISITS:
            by = VISITS[dimensions[0]]
            found = stats.published(shelf, span, [by]).breakdowns[by]
            sums: dict[str, int] = {}
            for cell in found.cells:
                name = CALLED.get(by, {}).get(cell.value, cell.value)
                sums[name] = sums.get(name, 0) + cell.visitors
            rows = [Result(Totals(0, n), (name,)) for name, n in sums.items()]
            return rows, found.pending + found.other + found.outside
        if PAGE not in dimensions:
            return self._by_time(shelf, span, dimensions), 0
        if len(dimensions) == 1:
            products = stats.products(shelf, span)
            return [Result(totals, (product,)) for product, totals in products.items()], 0
        return self._by_time_and_page(shelf, span, dimensions), 0

    def _by_time(self, shelf: Shelf, span: Span, dimensions: Sequence[str]) -> list[Result]:
        days = self.shop.stats.by_day(shelf, span)
        if not dimensions:
            return [Result(add(days.values()), ())]
        step = TIMES[dimensions[0]]
        parts = intervals(span, step)
        sums = ((part, add(days[day] for day in part)) for part in parts)
        return [Result(totals, (_label(part, step),)) for part, totals in sums if totals.views]

    def _by_time_and_page(
        self, shelf: Shelf, span: Span, dimensions: Sequence[str]
    ) -> list[Result]:
        step = next(TIMES[d] for d in dimensions if d in TIMES)
        labels = {day: _label(part, step) for part in intervals(span, step) for day in part}
        sums: dict[tuple[str, ...], Totals] = {}
        for day, product, totals in self.shop.stats.rows(shelf, span):
            texts = (labels[day], product)
            key = texts if dimensions[0] in TIMES else texts[::-1]
            sums[key] = add((sums.get(key), totals))
        return [Result(totals, key) for key, totals in sums.items()]

    def _echo(self, query: Query, span: Span) -> dict[str, Any]:
        ends = (
            datetime.combine(span.first, time(0), self.zone),
            datetime.combine(span.last, time(23, 59, 59), self.zone),
        )
        return {
            "site_id": query.site_id,
            "metrics": list(query.metrics),
            "date_range": [end.isoformat() for end in ends],
            "dimensions": list(query.dimensions),
            "filters": [[one.kind, PAGE, list(one.clauses)] for one in query.filters],
            "order_by": [list(pair) for pair in query.order],
            "include": query.include.model_dump(),
            "pagination": query.pagination.model_dump(),
        }


def _shelf(grant: Grant, site_id: str) -> Shelf:
    """Return whose numbers: the key's own, or for an operator those of `seller:<name>`."""
    named = site_id.removeprefix(SELLER) if site_id.startswith(SELLER) else None
    if grant.seller is None:
        if not named:
            raise Refused(401, "unauthorised", WRONG_KEY)
        return shelf_of(grant, named)
    if named is not None and named != grant.seller:
        raise Refused(401, "unauthorised", WRONG_KEY)
    return shelf_of(grant, None)


def _label(part: Span, step: Interval) -> str:
    """Name an interval as Plausible does: a month by its first day, though the range begin later;
    a week that is cut short by the day on which it begins here."""
    return (month_of(part.first).first if step == "month" else part.first).isoformat()


def _sorted(results: Iterable[Result], query: Query) -> list[Result]:
    """Return the rows in the order asked; what is equal stands in the order of its texts."""
    rows = sorted(results, key=lambda row: row.dimensions)
    for key, direction in reversed(query.order):
        if key in query.dimensions:
            place = query.dimensions.index(key)
            rows.sort(key=lambda row: row.dimensions[place], reverse=direction == "desc")
        else:
            rows.sort(key=lambda row: row.metric(key), reverse=direction == "desc")
    return rows


def _meta(
    query: Query, span: Span, rows: int, unlisted: int, gone: Deleted | None
) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if query.include.total_rows:
        meta["total_rows"] = rows
    steps = [TIMES[d] for d in query.dimensions if d in TIMES]
    if query.include.time_labels and steps:
        meta["time_labels"] = [_label(part, steps[0]) for part in intervals(span, steps[0])]
    lost = [f"days before {gone.before} are {gone.message}"] if gone else []
    warnings = [ADDED_UP] if span.days > 1 else []
    warnings += [f"{unlisted} {WAITING}"] if unlisted else []
    said = {"visitors": [*warnings, *lost], "pageviews": lost}
    told = {
        name: {
            "code": "deleted_days" if sentences == lost else "visitor_days",
            "warning": "; ".join(sentences),
        }
        for name, sentences in said.items()
        if name in query.metrics and sentences
    }
    return meta | ({"metric_warnings": told} if told else {})
