"""Parameters: what a reader may ask for. The same types validate and describe the API."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from starlette.requests import Request

from dashboards.access import name
from dashboards.breakdown import By
from dashboards.period import FIRST_DAY, LAST_DAY, SPAN_DAYS_MAX, Interval, Span
from dashboards.ranges import RangeName
from dashboards.refused import bad, refuse

PRODUCTS_MAX = 1000
FIVE_YEARS = "more than five years; ask for a part"


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("not a date; write YYYY-MM-DD, for example 2026-01-31")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("there is no such day; write YYYY-MM-DD, for example 2026-01-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must lie between {FIRST_DAY} and {LAST_DAY}")
    return day


def _count(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[1-9]\d{0,3}", value, re.ASCII):
        raise ValueError(f"must be a whole number from 1 to {PRODUCTS_MAX}")
    return value


# What JSON Schema can say of the rules above, so that clients made from the description know it.
NAME_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
WEEK_PATTERN = r"^(20\d\d|21[0-4]\d)-W(0[1-9]|[1-4]\d|5[0-3])$"

Day = Annotated[date, BeforeValidator(_day)]
Name = Annotated[
    str,
    AfterValidator(name),
    Field(json_schema_extra={"minLength": 1, "maxLength": 128, "pattern": NAME_PATTERN}),
]
PageNumber = Annotated[int, Field(ge=1, le=PRODUCTS_MAX), BeforeValidator(_count)]
Lang = Literal["en", "de", "fr", "nl", "el", "lv"]
Sort = Literal["visitors", "views", "title", "change"]
Count = Annotated[int, Field(ge=1, le=PRODUCTS_MAX), BeforeValidator(_count)]


class InRange(BaseModel):
    """A range of days, both ends included."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    from_: Day = Field(alias="from", description="First day, YYYY-MM-DD.")
    to: Day = Field(description="Last day, YYYY-MM-DD; at most five years after the first.")
    seller: Name | None = Field(
        None, description="Whose numbers; an operator's token must name it and no other may."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        check_order(self.from_, self.to)
        return self

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self.from_, self.to)


def check_order(first: date, last: date) -> None:
    """Refuse a range that ends before it begins or is too long to answer."""
    if first > last:
        raise bad("from", "lies after `to`; swap the two")
    if (last - first).days >= SPAN_DAYS_MAX:
        raise bad("to", FIVE_YEARS)


class OfProduct(InRange):
    """A range, for one product or for all."""

    product: Name | None = Field(
        None, description="One product. An unknown one has zeros, as has another seller's."
    )


class SummaryAsked(OfProduct):
    """GET /api/v1/summary"""


class TimeseriesAsked(OfProduct):
    """GET /api/v1/timeseries"""

    interval: Interval = Field("day", description="What a point stands for.")


class ProductsAsked(InRange):
    """GET /api/v1/products"""

    limit: Count = Field(100, description="At most so many products in one answer.")
    cursor: str | None = Field(
        None, max_length=2000, description="`next` of the answer before; the rest as before."
    )


class BreakdownAsked(OfProduct):
    """GET /api/v1/breakdown"""

    by: By = Field(description="The dimension.")


class ExportAsked(OfProduct):
    """GET /api/v1/export.csv"""

    for_: Literal["excel"] | None = Field(
        None, alias="for", description="`excel`: with a byte order mark and semicolons."
    )


class ExportJsonAsked(OfProduct):
    """GET /api/v1/export.json"""


def _week(value: object) -> object:
    """Return the week's Monday."""
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(WEEK_PATTERN, value, re.ASCII):
            return date.fromisoformat(f"{value}-1")
    except ValueError:
        pass
    raise ValueError("must be an ISO week that exists, for example 2026-W07")


class ReportAsked(BaseModel):
    """GET /api/v1/report"""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    week: Annotated[date, BeforeValidator(_week)] = Field(
        description="An ISO week that is over, for example 2026-W07.",
        json_schema_extra={"format": "iso-week", "pattern": WEEK_PATTERN},
    )
    format: Literal["html", "text"] = Field("html", description="For a mail's two parts.")
    lang: Lang | None = Field(None, description="The reader's language.")
    seller: Name | None = Field(
        None, description="Whose numbers; an operator's token must name it and no other may."
    )


class PageAsked(BaseModel):
    """A page: a range by name or by its ends, and how the table is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    range: RangeName | None = None
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    seller: Name | None = None
    product: Name | None = None
    q: str = Field("", max_length=200)
    sort: Sort = "visitors"
    page: PageNumber = 1
    lang: Lang | None = None

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            raise bad("from" if self.from_ is None else "to", "missing; a range has two ends")
        if self.from_ is not None and self.to is not None:
            check_order(self.from_, self.to)
        return self

    @property
    def span(self) -> Span | None:
        """The range by its ends, where those were given."""
        if self.from_ is None or self.to is None:
            return None
        return Span(self.from_, self.to)


Asked = TypeVar("Asked", bound=BaseModel)


def read(kind: type[Asked], pairs: Iterable[tuple[str, str]]) -> Asked:
    """Return a request's parameters.

    Errors  Refused (400) with one sentence about the first that can't be used.
    """
    known = [field.alias or key for key, field in kind.model_fields.items()]
    given: dict[str, str] = {}
    for key, value in pairs:
        if key in given:
            raise bad(key[:64], "given twice; once is enough")
        given[key] = value
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        refuse(error, known)


def asked(kind: type[Asked], request: Request) -> Asked:
    """Return the parameters in a request's address."""
    return read(kind, request.query_params.multi_items())
