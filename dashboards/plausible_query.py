"""The query of Plausible's Stats API v2: the part of it that has an answer here.

What is asked for is read into types; anything else is refused with a sentence. Pure.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dashboards.breakdown import By
from dashboards.period import SPAN_DAYS_MAX, Interval, Span, month_of
from dashboards.ranges import ending_yesterday, months_to_date
from dashboards.refused import bad, sentence

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
NAMED_RANGES = ("day", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all")
WHOLE_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(?:00:00:00|23:59:59)(?:Z|[+-]\d{2}:\d{2})?)?")
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


def _day(value: str) -> date:
    found = WHOLE_DAY.fullmatch(value)
    if found is None:
        raise ValueError("must name whole days, as YYYY-MM-DD; hours are not kept")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise ValueError("there is no such day") from None


def _date_range(value: object) -> object:
    match value:
        case str() if value in NAMED_RANGES:
            return value
        case [str(first), str(last)]:
            span = Span(_day(first), _day(last))
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

    def fits(self, product: str) -> bool:
        """Return whether a product passes."""
        name = product if self.case_sensitive else product.casefold()
        clauses = [c if self.case_sensitive else c.casefold() for c in self.clauses]
        return name in clauses if self.kind == "is" else any(c in name for c in clauses)


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
    filters: tuple[Annotated[Filter, BeforeValidator(_filter)], ...] = ()
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
            return months_to_date(int(found[1]))(today)
        first = {
            "day": today,
            "month": month_of(today).first,
            "year": today.replace(month=1, day=1),
            "all": earliest,
        }[self.date_range]
        return Span(first, today)


def read_query(content: bytes) -> Query:
    """Return a query.

    Errors  Refused (400) with a sentence about the first thing that has no answer here.
    """
    try:
        return Query.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:64] or "body"
        if field == "site_id":
            raise bad(field, "Missing site ID. Any text will do: the key decides") from None
        raise bad(field, sentence(first, list(Query.model_fields))) from None
