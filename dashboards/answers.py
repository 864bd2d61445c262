"""Answers: the JSON that the API gives, key by key. The same types describe it in OpenAPI."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dashboards.breakdown import By
from dashboards.period import Interval


class Answer(BaseModel):
    """Common to all: built from names or aliases, never changed."""

    model_config = ConfigDict(frozen=True, validate_by_name=True)


class Deleted(Answer):
    """Which days' numbers are deleted: they are not zero, and not missing for want of visitors."""

    before: date = Field(description="Days before this one are deleted.")
    message: str = Field(description="For people: after how many days.")


DeletedDays = Annotated[
    Deleted | None,
    Field(description="Where the range reaches behind what KEEP_COUNTS_DAYS keeps; else null."),
]


class Stretch(Answer):
    """Totals of a range; days without data add nothing."""

    from_: date = Field(alias="from")
    to: date
    views: int
    visitor_days: int
    days_without_data: int = Field(
        description="Days that are over and have no numbers: nothing ran, lost, or deleted."
    )
    deleted: DeletedDays


class Summary(Stretch):
    """A range and the one before it."""

    unit: Literal["seller", "product"] = Field(
        description="`seller`: distinct per seller and day, summed; `product`: per product."
    )
    complete: bool = Field(description="Whether every day of the range is over.")
    previous: Stretch = Field(
        description="As many days directly before; whole months before whole months."
    )


class Point(Answer):
    """One interval; null where nothing ran on any of its days."""

    date: date
    views: int | None
    visitor_days: int | None


class Timeseries(Answer):
    """One point an interval, oldest first; `date` is its first day within the range."""

    interval: Interval
    points: list[Point]
    deleted: DeletedDays


class Product(Answer):
    """One product's totals; title and url are null where the catalogue has none."""

    product: str
    title: str | None
    url: str | None
    views: int
    visitor_days: int


class Products(Answer):
    """Most visitors first."""

    products: list[Product]
    next: str | None = Field(description="The cursor of the next page, or null at the end.")
    deleted: DeletedDays


class CellAnswer(Answer):
    """A published number; it never changes."""

    value: str
    visitor_days: int
    period: Literal["day", "week", "month"]
    start: date


class BreakdownAnswer(Answer):
    """One dimension; cells, pending, other and outside add up to the range's visitor-days."""

    by: By
    cells: list[CellAnswer]
    pending: int = Field(description="Waits for a close, because it is too small to list yet.")
    pending_until: date | None = Field(description="The day whose close decides all of it.")
    other: int = Field(description="Too small to list when its month closed.")
    outside: int = Field(description="Belongs to weeks and months that cross the range's ends.")
    deleted: DeletedDays


class ExportRow(Answer):
    """A product's day; views and visitors are null on a day without data, orders where the
    marketplace told none."""

    date: date
    product: str
    title: str | None
    views: int | None
    visitors: int | None
    orders: int | None


class Export(Answer):
    """Every product and day with a visit or an order, by day."""

    rows: list[ExportRow]
    deleted: DeletedDays


class ErrorDetail(Answer):
    """What is wrong, for programs and for people."""

    code: str
    message: str
    field: str | None


class Error(Answer):
    """Every error of every endpoint."""

    error: ErrorDetail
