"""Operator: what the marketplace's backend sends: names of products, and totals of its own.

All of a request is taken or nothing of it. Sending the same again changes nothing.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.access import OPERATOR
from dashboards.bodies import body, kind
from dashboards.catalogue import Listing
from dashboards.parameters import Day, Name
from dashboards.period import SPAN_DAYS_MAX
from dashboards.refused import Refused, bad, sentence
from dashboards.shop import Shop
from dashboards.stats import Uploaded

BODY_BYTES_MAX = 64 * 1024 * 1024  # 100,000 products with long titles and addresses.
ROWS_MAX = 100_000
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
COUNT_MAX = 2**53  # Beyond this a number doesn't survive a trip through JavaScript.


def _address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an address that begins with https://")
    return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def _one_line(value: object) -> object:
    """Return a title as one line: in a mail's text a line of its own could say anything."""
    return CONTROL.sub(" ", value) if isinstance(value, str) else value


def _yes_or_no(value: object) -> object:
    """Return what a spreadsheet means by a word."""
    words = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True}
    return words.get(value.lower(), value) if isinstance(value, str) else value


Optional = BeforeValidator(_empty_is_none)
Number = Annotated[Annotated[int, Field(ge=0, le=COUNT_MAX)] | None, Optional]


class Sent(BaseModel):
    """A row of either table."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    seller: Name
    product: Name


class ListingSent(Sent):
    """A row of PUT /operator/products"""

    title: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
        BeforeValidator(_one_line),
    ]
    url: Annotated[
        Annotated[str, AfterValidator(_address), Field(max_length=2000)] | None, Optional
    ] = None
    listed_on: Annotated[Day | None, Optional] = None
    retired: Annotated[bool, BeforeValidator(_yes_or_no)] = False

    def listing(self) -> Listing:
        """Return it as the catalogue keeps it."""
        listed_on = self.listed_on.isoformat() if self.listed_on else None
        return Listing(self.seller, self.product, self.title, self.url, listed_on, self.retired)


class TotalSent(Sent):
    """A row of POST /operator/totals"""

    date: Day
    orders: Number = None
    page_views: Number = None

    def uploaded(self) -> list[Uploaded]:
        """Return the one or two counts that it holds."""
        counts = {"orders": self.orders, "page_views": self.page_views}
        return [
            Uploaded(self.date, self.seller, self.product, name, n)
            for name, n in counts.items()
            if n is not None
        ]


Row = TypeVar("Row", bound=Sent)


@dataclass(frozen=True, slots=True)
class Operator:
    """The marketplace's doors."""

    shop: Shop

    async def products(self, request: Request) -> Response:
        """PUT /operator/products: add or replace names; those not sent stay as they are."""
        return await self._take(request, self._put)

    async def totals(self, request: Request) -> Response:
        """POST /operator/totals: orders and page views; the last sent of a day holds."""
        return await self._take(request, self._add)

    async def _take(self, request: Request, take: Callable[[str, bytes], object]) -> Response:
        await run_in_threadpool(self.shop.access.require, request, OPERATOR)
        content = await body(request, BODY_BYTES_MAX)
        return JSONResponse(await run_in_threadpool(take, kind(request), content))

    def _put(self, media_type: str, content: bytes) -> dict[str, int]:
        rows = read_rows(ListingSent, media_type, content)
        changed = self.shop.catalogue.put(row.listing() for row in rows)
        return {"received": len(rows), "changed": changed}

    def _add(self, media_type: str, content: bytes) -> dict[str, int]:
        rows = read_rows(TotalSent, media_type, content)
        today = self.shop.stats.asking.today()
        for number, row in enumerate(rows, 1):
            _check_day(number, row.date, today)
        self.shop.stats.upload([count for row in rows for count in row.uploaded()])
        return {"received": len(rows)}


def _check_day(number: int, day: date, today: date) -> None:
    if day > today:
        raise bad(f"{number}.date", "lies in the future; totals are of days that were")
    if (today - day).days > SPAN_DAYS_MAX:
        raise bad(f"{number}.date", "lies more than five years back; nothing shows it")


def read_rows(row_type: type[Row], media_type: str, content: bytes) -> list[Row]:
    """Return the rows of a JSON list or a CSV table with a header.

    Errors  Refused (400, 413, 415) naming the row, from 1, and the field at fault.
    """
    rows: TypeAdapter[list[Row]] = TypeAdapter(list[row_type])  # type: ignore[valid-type]  # a value
    try:
        match media_type:
            case "application/json":
                read = rows.validate_json(content)
            case "text/csv":
                read = rows.validate_python(table(content))
            case _:
                raise Refused(
                    415,
                    "bad-request",
                    "Content-Type: must be application/json or text/csv",
                    "Content-Type",
                )
    except ValidationError as error:
        raise _about_row(error, row_type) from None
    if len(read) > ROWS_MAX:
        raise Refused(413, "too-large", f"body: at most {ROWS_MAX:,} rows in one request", "body")
    return read


def _about_row(error: ValidationError, row_type: type[BaseModel]) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    place = first["loc"]
    if not place or not isinstance(place[0], int):
        return bad("body", "not a JSON list of objects")
    field = str(place[1])[:64] if len(place) > 1 else ""
    where = f"{place[0] + 1}.{field}".rstrip(".")
    return bad(where, sentence(first, list(row_type.model_fields)))


def table(content: bytes) -> Iterable[Mapping[str | Any, str | Any]]:
    """Return the rows of a CSV table; a byte order mark is no part of it.

    Errors  Refused (400) when it is not UTF-8, a row's quotes don't fit, or a row has more cells
            than the header.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise bad("body", "must be UTF-8") from None
    rows: list[Mapping[str | Any, str | Any]] = []
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
            if None in row:
                raise bad(f"{len(rows) + 1}", "has more cells than the header")
            rows.append({name: cell for name, cell in row.items() if cell is not None})
    except csv.Error:
        raise bad(f"{len(rows) + 1}", "can't be read as a row; look at its quotes") from None
    return rows
