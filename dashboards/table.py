"""Table: every product of a seller for a range; sorted, searched, a page at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboards.catalogue import Listing
from dashboards.change import Change, change
from dashboards.figures import Choice, Figures
from dashboards.parameters import PageAsked, Sort
from dashboards.period import DAY, Interval, Span, intervals
from dashboards.shelf import Shelf
from dashboards.stats import Stats
from dashboards.stretches import Courses, Stretches, Windows, courses
from dashboards.totals import Totals

ROWS = 50
SPARK_STEPS_MAX = 62
MOVED_SHOWN = 5
MOVED_LEAST = 5  # A product that two people fewer looked at has not moved; it has had a day.
QUIET_DAYS = 90
QUIET_KNOWN_LEAST = 80  # Of these days so many must have data; a few gaps change nothing.
QUIET_SHOWN = 20
NEVER_SEEN = Windows(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One product.

    change   of its visitors; None where the range can't be compared
    spark    its visitors step by step; None where there is no data
    """

    product: str
    listing: Listing | None
    totals: Totals
    change: Change | None
    spark: tuple[int | None, ...] = ()

    @property
    def title(self) -> str:
        """What it is called: its id where the catalogue has no title."""
        return self.listing.title if self.listing else self.product


@dataclass(frozen=True, slots=True)
class Table:
    """One page of the table and what is said beside it.

    products  how many there are, matching: how many fit the search
    moved     most changed first
    quiet     on sale and not looked at in QUIET_DAYS; quiet_more: so many are not shown.
              None where those days have no data to say it by
    is_new    nobody was counted in the range, in the days before or in QUIET_DAYS, and there is
              no catalogue
    """

    rows: tuple[Row, ...]
    products: int
    matching: int
    page: int
    pages: int
    moved: tuple[Row, ...]
    quiet: tuple[Listing, ...] | None
    quiet_more: int
    is_new: bool


def ask(stats: Stats, shelf: Shelf, made: Choice) -> Callable[[], Courses]:
    """Begin to ask for everything that the table needs; return what waits for it.

    Errors  Refused (503), from what is returned
    """
    nothing = Span(made.now, made.now - DAY)
    sides = made.sides
    over, before = (sides.over, sides.before) if sides.possible else (nothing, nothing)
    # Not today: a day that isn't over would look like a fall.
    past = made.span.until(made.now - DAY)
    steps = _whole(intervals(past, _pace(past))) if past.days else []
    return courses(stats.asking, shelf, Stretches(made.span, over, before, _long(made.now)), steps)


def table(
    stats: Stats,
    listed: Mapping[str, Listing],
    head: Figures,
    query: PageAsked,
    found: Courses,
) -> Table:
    """Return the table of a shelf's products for a range.

    found   the answer to `ask`
    """
    long = _long(head.now)
    lines = _Lines(found, listed, head)
    words = query.q.casefold().split()
    matching = sorted(
        (product for product in lines.products if lines.matches(product, words)),
        key=lines.order(query.sort),
    )
    pages = max(1, -(-len(matching) // ROWS))
    page = min(query.page, pages)
    shown = matching[(page - 1) * ROWS : page * ROWS]
    is_known = len(stats.asking.days(long)) >= QUIET_KNOWN_LEAST
    quiet = _quiet(found.products, listed, long) if is_known else None
    return Table(
        rows=tuple(lines.row(product, with_spark=True) for product in shown),
        products=len(lines.products),
        matching=len(matching),
        page=page,
        pages=pages,
        moved=tuple(lines.row(product) for product in lines.moved()),
        quiet=None if quiet is None else tuple(quiet[:QUIET_SHOWN]),
        quiet_more=max(0, len(quiet or ()) - QUIET_SHOWN),
        is_new=not found.products and not listed and not head.totals.views,
    )


class _Lines:
    """What is on sale and what was looked at in the range or in the days before it.

    A row is made only for what is shown: whoever has two thousand products waits for each.
    """

    def __init__(self, found: Courses, listed: Mapping[str, Listing], head: Figures) -> None:
        self._found = found
        self._listed = listed
        self._compare = head.comparison.possible
        self._known = [any(head.days[day] is not None for day in step) for step in found.steps]
        on_sale = {product for product, listing in listed.items() if not listing.retired}
        seen = {p for p, w in found.products.items() if w.visitors or w.over or w.before}
        self.products = on_sale | seen

    def row(self, product: str, *, with_spark: bool = False) -> Row:
        sides = self._windows(product)
        return Row(
            product,
            self._listed.get(product),
            sides.chosen,
            change(sides.over, sides.before) if self._compare else None,
            self._spark(product) if with_spark else (),
        )

    def moved(self) -> list[str]:
        """Return the products whose visitors changed most, by heads and not by per cent."""
        moved = [p for p in self.products if abs(self._difference(p)) >= MOVED_LEAST]
        return sorted(moved, key=self.order("change"))[:MOVED_SHOWN]

    def matches(self, product: str, words: Sequence[str]) -> bool:
        text = f"{self._title(product)} {product}".casefold() if words else ""
        return all(word in text for word in words)

    def order(self, sort: Sort) -> Callable[[str], tuple[float, str, str]]:
        """Return what tells a product's place: as chosen, then by title."""
        place: Callable[[str], float] = {
            "title": lambda product: 0,
            "views": lambda product: -self._windows(product).views,
            "change": lambda product: -abs(self._difference(product)),
            "visitors": lambda product: -self._windows(product).visitors,
        }[sort]
        return lambda product: (place(product), self._title(product).casefold(), product)

    def _windows(self, product: str) -> Windows:
        return self._found.products.get(product, NEVER_SEEN)

    def _title(self, product: str) -> str:
        listing = self._listed.get(product)
        return listing.title if listing else product

    def _difference(self, product: str) -> int:
        sides = self._windows(product)
        return sides.over - sides.before if self._compare else 0

    def _spark(self, product: str) -> tuple[int | None, ...]:
        steps = zip(self._found.of(product), self._known, strict=True)
        return tuple(n if has_data else None for n, has_data in steps)


def _quiet(
    found: Mapping[str, Windows], listed: Mapping[str, Listing], long: Span
) -> list[Listing]:
    """Return what is on sale and nobody looked at for long.

    A product that was listed within these days has not had its chance yet.
    """
    return sorted(
        (
            listing
            for product, listing in listed.items()
            if not (product in found and found[product].long)
            and not listing.retired
            and (listing.listed_on is None or listing.listed_on < long.first.isoformat())
        ),
        key=lambda listing: (listing.listed_on or "", listing.title),
    )


def _long(now: date) -> Span:
    return Span(now - QUIET_DAYS * DAY, now)


def _whole(parts: list[Span]) -> list[Span]:
    """Leave out a first and a last step that are cut short: they would look like a fall."""
    whole = parts[:]
    if len(whole) > 2 and whole[-1].days < min(whole[-2].days, 28):
        whole.pop()
    if len(whole) > 2 and whole[0].days < min(whole[1].days, 28):
        whole.pop(0)
    return whole


def _pace(span: Span) -> Interval:
    if span.days <= SPARK_STEPS_MAX:
        return "day"
    return "week" if span.days <= 7 * SPARK_STEPS_MAX else "month"
