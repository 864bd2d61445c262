"""The API: the same numbers as on the pages, as JSON, for whoever holds a token."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dashboards import answers, export
from dashboards.access import NUMBERS, shelf_of
from dashboards.catalogue import Listing
from dashboards.parameters import (
    BreakdownAsked,
    ExportAsked,
    ExportJsonAsked,
    InRange,
    OfProduct,
    ProductsAsked,
    SummaryAsked,
    TimeseriesAsked,
    asked,
)
from dashboards.period import Interval, Span, before, intervals
from dashboards.refused import bad
from dashboards.shelf import Shelf
from dashboards.shop import Shop
from dashboards.stats import Stats
from dashboards.totals import NOBODY, Totals, add

AnyRange = TypeVar("AnyRange", bound=InRange)
AnyProduct = TypeVar("AnyProduct", bound=OfProduct)
PRIVATE = "private, no-cache"  # May be kept by the reader alone, and asked about each time.


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints; each is a plain function of a request and runs in a thread."""

    shop: Shop

    def summary(self, request: Request) -> Response:
        """GET /api/v1/summary"""
        query, shelf = self._product_asked(SummaryAsked, request)
        return answer(request, summary(self.shop.stats, shelf, query.span))

    def timeseries(self, request: Request) -> Response:
        """GET /api/v1/timeseries"""
        query, shelf = self._product_asked(TimeseriesAsked, request)
        days = self.shop.stats.by_day(shelf, query.span)
        gone = deleted(self.shop.stats, query.span)
        return answer(request, timeseries(days, query.span, query.interval, gone))

    def products(self, request: Request) -> Response:
        """GET /api/v1/products"""
        query, shelf = self._asked(ProductsAsked, request)
        listed = self.shop.catalogue.products(shelf.seller, shelf.products)
        after = None if query.cursor is None else _place(query.cursor)
        ranked = rank(self.shop.stats.products(shelf, query.span), listed)
        gone = deleted(self.shop.stats, query.span)
        return answer(request, page(ranked, listed, after, query.limit, gone))

    def breakdown(self, request: Request) -> Response:
        """GET /api/v1/breakdown"""
        query, shelf = self._product_asked(BreakdownAsked, request)
        published = self.shop.stats.published(shelf, query.span, [query.by])
        found = published.breakdowns[query.by]
        cells = [
            answers.CellAnswer(
                value=cell.value, visitor_days=cell.visitors, period=cell.period, start=cell.start
            )
            for cell in found.cells
        ]
        body = answers.BreakdownAnswer(
            by=found.by,
            cells=cells,
            pending=found.pending,
            pending_until=found.pending_until,
            other=found.other,
            outside=found.outside,
            deleted=deleted(self.shop.stats, query.span),
        )
        return answer(request, body)

    def export(self, request: Request) -> Response:
        """GET /api/v1/export.csv"""
        query, shelf = self._product_asked(ExportAsked, request)
        return download(self.shop, shelf, query.span, query.for_ == "excel")

    def export_json(self, request: Request) -> Response:
        """GET /api/v1/export.json"""
        query, shelf = self._product_asked(ExportJsonAsked, request)
        listed = self.shop.catalogue.products(shelf.seller, shelf.products)
        rows = self.shop.stats.day_rows(shelf, query.span)
        return StreamingResponse(
            export.objects(rows, listed, deleted(self.shop.stats, query.span)),
            media_type="application/json",
            headers={"Cache-Control": PRIVATE},
        )

    def _asked(self, kind: type[AnyRange], request: Request) -> tuple[AnyRange, Shelf]:
        """Return what is asked, and whose numbers it may be answered with."""
        # First of all: who may not ask learns nothing about what can be asked.
        grant = self.shop.access.require(request, NUMBERS)
        query = asked(kind, request)
        return query, shelf_of(grant, query.seller)

    def _product_asked(self, kind: type[AnyProduct], request: Request) -> tuple[AnyProduct, Shelf]:
        query, shelf = self._asked(kind, request)
        return query, shelf.only(query.product)


def summary(stats: Stats, shelf: Shelf, span: Span) -> answers.Summary:
    """Return a range's totals and those of the range before it."""
    today = stats.asking.today()
    return answers.Summary(
        **dict(_stretch(stats, shelf, span, today)),
        unit=shelf.unit,
        complete=span.last < today,
        previous=_stretch(stats, shelf, before(span), today),
    )


def _stretch(stats: Stats, shelf: Shelf, span: Span, today: date) -> answers.Stretch:
    days = stats.by_day(shelf, span)
    totals = add(days.values())
    return answers.Stretch(
        from_=span.first,
        to=span.last,
        views=totals.views,
        visitor_days=totals.visitors,
        days_without_data=sum(t is None for day, t in days.items() if day < today),
        deleted=deleted(stats, span),
    )


def deleted(stats: Stats, span: Span) -> answers.Deleted | None:
    """Return which of a range's days are deleted, and why; None where none is."""
    before_day = stats.asking.deleted_before(span)
    if before_day is None:
        return None
    return answers.Deleted(
        before=before_day, message=f"deleted after {stats.asking.keep_counts_days} days"
    )


def timeseries(
    days: Mapping[date, Totals | None],
    span: Span,
    interval: Interval,
    gone: answers.Deleted | None,
) -> answers.Timeseries:
    """Return one point an interval; null where none of its days has data."""
    points = []
    for part in intervals(span, interval):
        known = [t for day in part if (t := days[day]) is not None]
        totals = add(known) if known else None
        points.append(
            answers.Point(
                date=part.first,
                views=totals and totals.views,
                visitor_days=totals and totals.visitors,
            )
        )
    return answers.Timeseries(interval=interval, points=points, deleted=gone)


Ranked = tuple[str, Totals]


def rank(found: Mapping[str, Totals], listed: Iterable[str]) -> list[Ranked]:
    """Return every product, most visitors first, those that nobody looked at last."""
    everything = dict.fromkeys(listed, NOBODY) | dict(found)
    return sorted(everything.items(), key=_order)


def _order(item: Ranked) -> tuple[int, str]:
    return (-item[1].visitors, item[0])


def page(
    ranked: Sequence[Ranked],
    listed: Mapping[str, Listing],
    after: tuple[int, str] | None,
    limit: int,
    gone: answers.Deleted | None,
) -> answers.Products:
    """Return one page of products: those that come after a place in the order."""
    rest = [item for item in ranked if after is None or _order(item) > after]
    shown = rest[:limit]
    return answers.Products(
        products=[_product(name, totals, listed.get(name)) for name, totals in shown],
        next=_cursor(_order(shown[-1])) if len(rest) > limit else None,
        deleted=gone,
    )


def _product(name: str, totals: Totals, listing: Listing | None) -> answers.Product:
    return answers.Product(
        product=name,
        title=listing.title if listing else None,
        url=listing.url if listing else None,
        views=totals.views,
        visitor_days=totals.visitors,
    )


def _cursor(place: tuple[int, str]) -> str:
    text = json.dumps([-place[0], place[1]]).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _place(cursor: str) -> tuple[int, str]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    match place:
        case [int(visitors), str(product)]:
            return (-visitors, product)
    raise bad("cursor", "not one of ours; send `next` of the page before, unchanged")


def answer(request: Request, body: BaseModel) -> Response:
    """Return JSON that its reader may keep and revalidate."""
    content = body.model_dump_json(by_alias=True).encode()
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": PRIVATE, "Vary": "Authorization"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def download(shop: Shop, shelf: Shelf, span: Span, excel: bool) -> Response:
    """Return a range as a CSV file, read and sent a month at a time.

    A table has no place to say that days are deleted, so its name begins with the first that isn't.
    """
    listed = shop.catalogue.products(shelf.seller, shelf.products)
    first = min(shop.stats.asking.kept(span).first, span.last)
    return StreamingResponse(
        export.lines(shop.stats.day_rows(shelf, span), listed, excel=excel),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="visitors-{first}-{span.last}.csv"',
            "Cache-Control": PRIVATE,
        },
    )
