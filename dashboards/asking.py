"""Asking: which days have numbers, the rows of those that are sealed, the totals of the others.

A day is read from counts or from hits, never from both, whatever is sealed meanwhile.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import date, datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, TypeVar

from dashboards.kept import Kept
from dashboards.period import DAY, Span
from dashboards.pool import CLIENTS, Pool, Row
from dashboards.refused import unavailable
from dashboards.shelf import EVERYBODY, Shelf
from dashboards.snapshot import Calendar, Snapshot, State
from dashboards.totals import Totals

ANSWERS_KEPT = 2_000
ANSWERS_ROWS_MAX = 100_000  # Of all that are kept together: some 30 MB.
ROW_CHARS = 100
ANSWERS_MINUTES = 60
ATTEMPTS = 3  # A day may be sealed between two looks at the calendar; twice in a row it can't.
SELLERS_KEPT = 64
# Questions whose rows each speak of one day, and which of a row's fields the day is.
DAY_AT = {"seller_days": 0, "product_days": 0, "outcomes": 0, "uploaded": 1}
UPLOADED = ("orders", "uploaded")  # Questions about what the marketplace told.
OWN = ""  # In place of a product: the seller's own figure.

Part = TypeVar("Part")
Found = TypeVar("Found")

OpenDays = Mapping[date, Mapping[str, Totals]]
ByDay = Mapping[date, tuple[State | None, Sequence[Row]]]


def _weight(rows: Sequence[Row]) -> int:
    """Return how many rows an answer counts for: those that end with a long text for several."""
    if rows and isinstance(rows[0][-1], str):
        return sum(1 + len(row[-1]) // ROW_CHARS for row in rows)
    return len(rows)


def _rows(by_day: ByDay) -> int:
    return sum(1 + len(rows) for _, rows in by_day.values())


class Asking:
    """Asks the database for a span of days."""

    def __init__(
        self,
        pool: Pool,
        calendar: Calendar,
        now: Callable[[], datetime],
        *,
        today_step_minutes: int,
        keep_counts_days: int,
        changed: Callable[[], Hashable],
    ) -> None:
        """changed() is something else whenever a seller was forgotten or a backup put back."""
        self.pool = pool
        self.snapshot = Snapshot(calendar, now, today_step_minutes)
        self.keep_counts_days = keep_counts_days
        self._calendar = calendar
        self._kept: Kept[OpenDays] = Kept(SELLERS_KEPT)
        self._answers: Kept[Sequence[Row]] = Kept(
            ANSWERS_KEPT, rows_max=ANSWERS_ROWS_MAX, rows=_weight
        )
        self._by_day: Kept[ByDay] = Kept(ANSWERS_KEPT, rows_max=ANSWERS_ROWS_MAX, rows=_rows)
        self._merging = threading.Lock()
        self._now = now
        self._uploads = 0
        self._changed = changed
        self._threads = ThreadPoolExecutor(CLIENTS, "ask")

    def close(self) -> None:
        """Let the threads go that ask beside a reader's own; what they hadn't begun is dropped."""
        self._threads.shutdown(cancel_futures=True)

    def uploaded(self) -> None:
        """Note that the marketplace told something of days that are over: ask for it anew."""
        self._uploads += 1

    def begin(
        self, ask: Callable[[Part], Found], parts: Iterable[Part]
    ) -> Callable[[], list[Found]]:
        """Begin to ask about several parts; return what waits for all that is found, in order.

        Never more at a time than there are threads, the others when their turn comes: with all of
        the marketplace's ten years in line, every seller would wait for the last of them.

        ask  must not come back here: it would wait for a thread that waits for it
        """
        later = iter(parts)
        begun = [self._threads.submit(ask, part) for part in islice(later, CLIENTS)]

        def found() -> list[Found]:
            under_way = set(begun)
            try:
                for part in later:
                    if len(under_way) == CLIENTS:
                        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                        for each in done:
                            each.result()  # After one that failed the others are of no use.
                    begun.append(self._threads.submit(ask, part))
                    under_way.add(begun[-1])
                return [each.result() for each in begun]
            finally:
                for each in begun:
                    each.cancel()

        return found

    def at_once(self, ask: Callable[[Part], Found], parts: Iterable[Part]) -> list[Found]:
        """Return what is found for each part, in order, asking for several at a time."""
        return self.begin(ask, parts)()

    def today(self) -> date:
        """Return the day that is being counted."""
        return self._calendar.today()

    def kept_from(self) -> date | None:
        """Return the first day whose counts are kept, or None where they are kept for ever."""
        if self.keep_counts_days == 0:
            return None
        return self.today() - self.keep_counts_days * DAY

    def deleted_before(self, span: Span) -> date | None:
        """Return the first day that is kept, where a range begins before it; else None."""
        kept_from = self.kept_from()
        return kept_from if kept_from is not None and span.first < kept_from else None

    def states(self, span: Span) -> dict[date, State]:
        """Return the state of each day on which something ran, lost ones too."""
        return dict(self._calendar.days(span.first, span.last))

    def days(self, span: Span) -> dict[date, State]:
        """Return the state of each day that has numbers; lost and deleted days have none."""
        kept = self.kept(span)
        states = self._calendar.days(kept.first, kept.last) if kept.days else {}
        return {day: state for day, state in states.items() if state != "lost"}

    def kept(self, span: Span) -> Span:
        """Return the part of a range whose counts are kept; it may be empty."""
        kept_from = self.kept_from()
        first = span.first if kept_from is None else max(span.first, kept_from)
        return Span(first, span.last)

    def ask(
        self, question: str, shelf: Shelf, span: Span, *, always: bool = False, **more: object
    ) -> tuple[Mapping[date, State], Sequence[Row], OpenDays]:
        """Return the days with numbers, the rows of the sealed ones and the totals of the others.

        Asks again if a day was sealed meanwhile, so that it is neither missed nor counted twice.

        always   asks about every day that is kept, also those on which nothing ran: what the
                 marketplace told of a day doesn't depend on us
        Errors   Refused (503)
        """
        for _ in range(ATTEMPTS):
            days = self.days(span)
            if not days and not always:
                return {}, (), {}
            opened = tuple(sorted(day for day, state in days.items() if state == "open"))
            rows: Sequence[Row] = ()
            if len(opened) < len(days) or always:
                first = self.kept(span).first if always else min(days)
                ends = {"first": first, "last": span.last, "open": list(opened)}
                rows = self._closed(question, shelf.parameters | ends | more, days)
            totals = self._open_days(shelf, opened) if opened else {}
            if self.days(span) == days:
                return days, rows, totals
        raise unavailable()

    def _closed(
        self, question: str, parameters: Mapping[str, Any], days: Mapping[date, State]
    ) -> Sequence[Row]:
        """Return what is known of days that are over.

        It changes only when a day is sealed, which the days tell, a seller forgotten or a backup
        put back, and what was uploaded with each upload. Sorting, searching and turning pages ask
        for the same again.
        What somebody changes in the database by hand is seen within ANSWERS_MINUTES.
        """
        part = self._now().timestamp() // (60 * ANSWERS_MINUTES)
        uploads = self._uploads if question in UPLOADED else 0
        version = (uploads, self._changed(), part)
        if question in DAY_AT:
            return self._closed_by_day(question, parameters, days, version)
        # A digest, because a year's days are a kilobyte and thousands of answers are kept.
        whole = repr((sorted(parameters.items()), tuple(days.items())))
        key = (question, blake2b(whole.encode(), digest_size=16).digest())
        return self._answers.get(key, version, lambda: self.pool.ask(question, parameters))

    def _closed_by_day(
        self,
        question: str,
        parameters: Mapping[str, Any],
        days: Mapping[date, State],
        version: Hashable,
    ) -> Sequence[Row]:
        """Return the same, asking only about days that no range held before."""
        place, span = DAY_AT[question], Span(parameters["first"], parameters["last"])
        whose = {name: parameters[name] for name in EVERYBODY.parameters}
        key = (question, repr(whose))
        kept = self._by_day.find(key, version) or {}
        wanted = [day for day in span if days.get(day) != "open"]
        unknown = [d for d in wanted if d not in kept or kept[d][0] != days.get(d)]
        if unknown:
            fresh: dict[date, list[Row]] = {day: [] for day in unknown}
            around = Span(unknown[0], unknown[-1])
            asked = {
                "first": around.first,
                "last": around.last,
                "open": [day for day in around if day not in fresh],
            }
            for row in self.pool.ask(question, {**parameters, **asked}):
                if row[place] in fresh:
                    fresh[row[place]].append(row)
            known = {day: (days.get(day), rows) for day, rows in fresh.items()}
            with self._merging:  # Parts of one range come at the same time.
                also = self._by_day.find(key, version) or {}
                self._by_day.put(key, version, {**also, **known})
            kept = {**kept, **known}
        return [row for day in wanted for row in kept[day][1]]

    def _open_days(self, shelf: Shelf, days: tuple[date, ...]) -> OpenDays:
        """Return open days' totals: of a seller and each product, or of each seller."""
        mark = self.snapshot.mark()
        # With a step of nothing the mark never moves, but what is stored does.
        drained = self._calendar.drained() if self.snapshot.step_minutes == 0 else 0
        version = (mark, drained, self._calendar.erasures(), self._changed())
        return self._kept.get(
            (shelf.seller, days), version, lambda: self._read_open(shelf, days, mark)
        )

    def _read_open(self, shelf: Shelf, days: tuple[date, ...], mark: int) -> OpenDays:
        question = "open_sellers" if shelf == EVERYBODY else "open_days"
        found: dict[date, dict[str, Totals]] = {day: {} for day in days}
        asked = {"seller": shelf.seller, "open": list(days), "mark": mark}
        for day, product, views, visitors in self.pool.ask(question, asked):
            found[day][product] = Totals(int(views), int(visitors))
        return found
