"""The query of Plausible's Stats API v2: the part of it that has an answer here.

What is asked for is read into types; anything else is refused with a sentence. Pure.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, tzinfo
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from dashboards.breakdown import By
from dashboards.period import DAY, SPAN_DAYS_MAX, Interval, Span, month_of
from dashboards.ranges import ending_yesterday
from dashboards.refused import Refused, bad, sentence

Metric = Literal["visitors", "pageviews"]
Direction = Literal["asc", "desc"]
PAGE = "event:page"
TIMES: dict[str, Interval] = {"time:day": "day", "time:week": "week", "time:month": "month"}
VISITS: dict[str, By] = {
    "visit:source": "source",
    "visit:utm_campaign": "campaign",
    "visit:device": "device",
    "visit:browser": "browser",
    "visit:os": "os",
}
DIMENSIONS = (PAGE, *TIMES, *VISITS)
# Every product is compared with each of them.
CONTAINS_MAX, FILTERS_MAX = 100, 10
NAMED_RANGES = ("day", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all")
ENDS = (time(0, 0, 0), time(23, 59, 59))  # What a moment must be to stand for a whole day.
# In Plausible's words, because tools tell its errors apart by them.
NO_SITE = "Missing site ID. Please provide the required site_id parameter with your request."
STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _dimension(value: object) -> object:
    if value not in DIMENSIONS:
        raise ValueError(f"must be one of {', '.join(DIMENSIONS)}")
    return value


def _filter(value: object) -> object:
    match value:
        case ["is" | "contains", "event:page", [*clauses], *modifiers] if clauses and all(
            isinstance(clause, str) for clause in clauses
        ):
            if value[0] == "contains" and len(clauses) > CONTAINS_MAX:
                raise ValueError(f"contains takes at most {CONTAINS_MAX} texts")
            return Filter(
                kind=value[0], clauses=tuple(clauses), case_sensitive=_case_sensitive(modifiers)
            )
    raise ValueError('must be ["is" or "contains", "event:page", [texts]]')


def _case_sensitive(modifiers: list[Any]) -> bool:
    match modifiers:
        case []:
            return True
        case [{"case_sensitive": bool(sensitive), **rest}] if not rest:
            return sensitive
    raise ValueError('may be followed by {"case_sensitive": false} and nothing else')


def _day(value: str, end: time, zone: tzinfo | None) -> date:
    """Return the day that begins or ends at a date or a moment; `end` says which of the two."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("there is no such day; write YYYY-MM-DD") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    if moment.time() != end:
        raise ValueError(
            f"must name whole days, as YYYY-MM-DD or from {ENDS[0]} to {ENDS[1]} in {zone};"
            " hours are not kept"
        )
    return moment.date()


def _date_range(value: object, info: ValidationInfo) -> object:
    match value:
        case str() if value in NAMED_RANGES:
            return value
        case [str(first), str(last)]:
            zone = (info.context or {}).get("zone")
            span = Span(_day(first, ENDS[0], zone), _day(last, ENDS[1], zone))
            if not 1 <= span.days <= SPAN_DAYS_MAX:
                raise ValueError("must run forwards and over at most five years")
            return span
    raise ValueError(f"must be one of {', '.join(NAMED_RANGES)}, or a list of two days")


class Filter(BaseModel):
    """One filter on event:page; any of its clauses may fit."""

    model_config = STRICT

    kind: Literal["is", "contains"]
    clauses: tuple[str, ...]
    case_sensitive: bool

    def fitting(self, products: Iterable[str]) -> list[str]:
        """Return the products that pass."""
        fold = str if self.case_sensitive else str.casefold
        clauses = frozenset(map(fold, self.clauses))
        if self.kind == "is":
            return [product for product in products if fold(product) in clauses]
        return [p for p in products if any(map(fold(p).__contains__, clauses))]


class Include(BaseModel):
    """What else the answer tells; `imports` is taken and changes nothing, there are none."""

    model_config = STRICT

    imports: bool = False
    time_labels: bool = False
    total_rows: bool = False


class Pagination(BaseModel):
    """Which rows of the answer are sent."""

    model_config = STRICT

    limit: int = Field(10_000, ge=1, le=10_000)
    offset: int = Field(0, ge=0)


class Query(BaseModel):
    """The whole query."""

    model_config = STRICT

    site_id: str
    metrics: tuple[Metric, ...] = Field(min_length=1)
    date_range: Annotated[str | Span, BeforeValidator(_date_range)]
    dimensions: tuple[Annotated[str, BeforeValidator(_dimension)], ...] = ()
    filters: tuple[Annotated[Filter, BeforeValidator(_filter)], ...] = Field(
        (), max_length=FILTERS_MAX
    )
    order_by: tuple[tuple[str, Direction], ...] | None = None
    include: Include = Include()
    pagination: Pagination = Pagination()

    @model_validator(mode="after")
    def _answerable(self) -> "Query":
        kinds = {"time" if d in TIMES else d for d in self.dimensions}
        if len(kinds) < len(self.dimensions):
            raise bad("dimensions", "each may be named once, and time in one step only")
        visit = kinds & VISITS.keys()
        if visit and len(kinds) > 1:
            raise bad("dimensions", f"{visit.pop()} stands alone: no cross tables are kept")
        if visit and self.metrics != ("visitors",):
            raise bad("metrics", f"{visit.pop()} has visitors only: no views are kept by it")
        for key, _ in self.order_by or ():
            if key not in (*self.metrics, *self.dimensions):
                raise bad("order_by", "must name metrics or dimensions of this query")
        return self

    @property
    def order(self) -> tuple[tuple[str, Direction], ...]:
        """How the rows are sorted: as asked, else by time, else most of the first metric."""
        if self.order_by is not None:
            return self.order_by
        by_time: list[tuple[str, Direction]] = [(d, "asc") for d in self.dimensions if d in TIMES]
        return (*by_time, (self.metrics[0], "desc"))

    def span(self, today: date, earliest: date) -> Span:
        """Return the days asked for; `earliest` is where "all" begins."""
        if isinstance(self.date_range, Span):
            return self.date_range
        if found := re.fullmatch(r"(\d+)d", self.date_range):
            return ending_yesterday(int(found[1]))(today)
        if found := re.fullmatch(r"(\d+)mo", self.date_range):
            return _whole_months(int(found[1]), today)
        return {
            "day": Span(today, today),
            "month": month_of(today),
            "year": Span(today.replace(month=1, day=1), today.replace(month=12, day=31)),
            "all": Span(earliest, today),
        }[self.date_range]


def _whole_months(months: int, today: date) -> Span:
    """Return so many calendar months, of which today's is none."""
    last = first = month_of(month_of(today).first - DAY)
    for _ in range(months - 1):
        first = month_of(first.first - DAY)
    return Span(first.first, last.last)


def read_query(content: bytes, zone: tzinfo | None) -> Query:
    """Return a query; zone is that of the days.

    Errors  Refused (400) with a sentence about the first thing that has no answer here.
    """
    try:
        return Query.model_validate_json(content, context={"zone": zone})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:64] or "body"
        if field == "site_id":
            raise Refused(400, "bad-request", NO_SITE, field) from None
        raise bad(field, sentence(first, list(Query.model_fields))) from None
