"""A shop whose days are counted, closed and compared with what Python's sets say."""

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from collector import salt
from collector.close.ballast import Ballast
from collector.close.closes import Close
from collector.close.day_close import World
from collector.close.seal import CLOSE_AFTER_SECONDS, Seal
from collector.drain import Drain
from collector.hit import Hit
from collector.ledger import Ledger
from collector.suppression import SECONDS, Cell, Hold, close, hold_nothing
from collector.warehouse import Warehouse
from tests.collector.spooling import Worker

UTC_ZONE = ZoneInfo("UTC")
DAY = date(2026, 6, 3)  # A Wednesday.
STEPS_MAX = 400
ARROWS = ["closed", "drained", "reconciled", "counted", "loaded", "dropping", "gone", "sealed"]
DIMENSIONS = ("source", "campaign", "device", "browser", "os", "hour")


def some_hits(count: int, seed: int, sellers: int = 3, products: int = 4) -> list[Hit]:
    """Return hits whose visitors come several times, by several ways, some with a time report."""
    chance = Random(seed)
    people = [
        (chance.getrandbits(64), chance.choice(("mobile", "desktop")), chance.choice("FCS"))
        for _ in range(count // 2)
    ]
    hits = []
    for _ in range(count):
        visitor, device, browser = chance.choice(people)
        is_view = chance.random() < 0.8
        hits.append(
            Hit(
                chance.randrange(24),
                f"seller {chance.randrange(sellers)}",
                f"product {chance.randrange(products)}",
                visitor,
                int(is_view),
                chance.choice(("direct", "a.example", "b.example", "(other)")),
                chance.choice(("", "", "summer")),
                device,
                browser,
                "Linux",
                0 if is_view else chance.randrange(1, 60),
            )
        )
    return hits


def totals_of(hits: Iterable[Hit]) -> Counter[tuple[str, str, int, int]]:
    """Return (seller, product, visitors, views) of a day, a seller's own with product ''."""
    visitors: dict[tuple[str, str], set[int]] = {}
    views: Counter[tuple[str, str]] = Counter()
    for hit in hits:
        if hit.view:
            for key in ((hit.seller, hit.product), (hit.seller, "")):
                visitors.setdefault(key, set()).add(hit.visitor)
                views[key] += 1
    return Counter((*key, len(people), views[key]) for key, people in visitors.items())


def units_of(day: date, hits: Iterable[Hit]) -> list[Cell]:
    """Return a day's visitor-days by product, dimension and value, as the rule defines them."""
    seen: dict[tuple[str, str, int], list[Hit]] = {}
    for hit in hits:
        seen.setdefault((hit.seller, hit.product, hit.visitor), []).append(hit)
    cells: dict[tuple[str, str, str, str], list[int]] = {}
    for (seller, product, _), own in seen.items():
        views = [hit for hit in own if hit.view]
        if not views:
            continue
        spent = sum(hit.seconds for hit in own if not hit.view)
        first = [hit for hit in views if hit.hour == min(view.hour for view in views)]
        said = {
            name: min(
                (getattr(hit, name) in ("direct", "(other)", ""), str(getattr(hit, name)))
                for hit in first
            )[1]
            for name in DIMENSIONS
        }
        for name, value in [*said.items(), *([(SECONDS, "")] if spent else [])]:
            amounts = cells.setdefault((seller, product, name, value), [0, 0])
            amounts[0] += 1
            amounts[1] += spent if name == SECONDS else 0
    return [Cell("day", day, *key, *amounts) for key, amounts in cells.items()]


class Shop:
    """Workers, drain and seal of one data directory, with a clock that the test sets."""

    def __init__(
        self,
        folder: Path,
        warehouse: Warehouse,
        hold: Hold = hold_nothing,
        minimum: int = 5,
        ballast_bytes: int = 1024 * 1024,
    ) -> None:
        self.data = folder
        self.spool = folder / "spool"
        self.salts = folder / "salts"
        self.warehouse = warehouse
        self.client = warehouse.connect()
        self.hold = hold
        self.minimum = minimum
        self.keep_counts_days = 0
        self.ballast = Ballast(folder / "ballast", ballast_bytes)
        self.now = noon(DAY)
        self.running = 0.0
        self.written: dict[date, list[Hit]] = {}
        self.workers: dict[date, list[Worker]] = {}
        self.start()

    def start(self) -> None:
        """Start as after a crash: nothing is remembered but what is on disk."""
        self.ledger = Ledger(self.data / "ledger.sqlite")
        self.drain = Drain(self.spool, self.ledger, self.warehouse, lambda: self.now)
        pause = threading.Lock()
        self.seal = Seal(
            self.data,
            self.salts,
            self.ledger,
            self.warehouse,
            World(self.today, lambda: self.now, lambda: self.running, pause),
            timezone=UTC_ZONE,
            minimum=self.minimum,
            keep_counts_days=self.keep_counts_days,
            hold=self.hold,
            ballast=self.ballast,
        )

    def stop(self) -> None:
        """Stop; the engine stays."""
        self.seal.close()
        self.drain.close()
        self.ledger.close()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def today(self) -> date:
        """Return the day that the clock shows."""
        return datetime.fromtimestamp(self.now, UTC).date()

    def visit(self, day: date, *groups: list[Hit], finish: bool = True) -> None:
        """Let one worker for each group write its hits, and drain them."""
        salt.ensure(self.salts, day, b"k" * 32)
        for hits in groups:
            worker = Worker(self.spool, day)
            worker.commit(hits)
            self.workers.setdefault(day, []).append(worker)
            self.written.setdefault(day, []).extend(hits)
            if finish:
                worker.finish()
        self.drain_all()

    def drain_all(self) -> None:
        """Drain until nothing waits."""
        for _ in range(STEPS_MAX):
            self.drain.step()
            if not self.drain.behind:
                return

    def midnight_after(self, day: date) -> None:
        """Let the day end: its salt is destroyed, and it may be closed."""
        self.now = noon(day) + 12 * 3600 + CLOSE_AFTER_SECONDS + 1
        for old, path in salt.days(self.salts).items():
            if old <= day:
                salt.destroy(path)

    def seal_until(self, state: str, day: date = DAY) -> None:
        """Take arrows until a day is in a state."""
        for _ in range(STEPS_MAX):
            if self.state_of(day) == state:
                return
            if not self.seal.step():
                threading.Event().wait(0.05)
        raise AssertionError(f"{day} is {self.state_of(day)}, never {state}")

    def seal_all(self, restart: bool = False) -> list[str]:
        """Take arrows until nothing is due; return the states that the oldest day passed.

        restart  stop and start between every two arrows
        """
        passed: list[str] = []
        due: list[Close] = []
        pause = threading.Event()
        for _ in range(STEPS_MAX):
            due = self.ledger.closes.due(self.today())
            if not due:
                return passed
            if self.seal.step():
                close_now = self.ledger.closes.of(due[0].day)
                assert close_now is not None
                passed.append(close_now.state)
                if restart:
                    self.restart()
            else:
                pause.wait(0.05)
        raise AssertionError(f"not sealed: {self.ledger.alarms.sounding()}, {due}")

    def state_of(self, day: date) -> str:
        """Return how far a day's close is."""
        close = self.ledger.closes.of(day)
        return "missing" if close is None else close.state

    def totals(self, day: date) -> Counter[tuple[Any, ...]]:
        """Return (seller, product, visitors, views) as counts has them."""
        return self.counts(
            "seller, product, visitors, views",
            f"dimension = '' and period = 'day' and day = '{day}'",
        )

    def cells(self, condition: str = "1") -> Counter[tuple[Any, ...]]:
        """Return the published cells."""
        return self.counts(
            "period, day, seller, product, dimension, value, visitors, seconds",
            f"dimension not in ('', 'outcome', 'views') and {condition}",
        )

    def waiting(self) -> Counter[tuple[Any, ...]]:
        """Return what the pools hold."""
        found = self.client.query(
            "select period, start, seller, product, dimension, value, sum(visitors), sum(seconds)"
            " from pools group by all"
        )
        return Counter(tuple(row) for row in found.result_rows)

    def counts(self, columns: str, condition: str) -> Counter[tuple[Any, ...]]:
        """Return rows of counts."""
        found = self.client.query(f"select {columns} from counts where {condition}").result_rows
        return Counter(tuple(row) for row in found)

    def expected(self, days: Iterable[date], end: date) -> tuple[Counter[Any], Counter[Any]]:
        """Return what the closes of these days, up to `end`, must publish and keep waiting."""
        published: list[Cell] = []
        waiting: list[Cell] = []
        ordered = sorted(days)
        for day, following in zip(ordered, [*ordered[1:], end + timedelta(days=1)], strict=True):
            units = units_of(day, self.written[day])
            eve = following - timedelta(days=1)
            closed = close(eve, [*waiting, *units], lambda month: self.minimum, hold_nothing)
            published += closed.published
            waiting = closed.waiting
        merged: Counter[Any] = Counter()
        seconds: Counter[Any] = Counter()
        for cell in waiting:
            merged[cell[:6]] += cell.visitors
            seconds[cell[:6]] += cell.seconds
        return (
            Counter(tuple(cell) for cell in published),
            Counter((*key, n, seconds[key]) for key, n in merged.items()),
        )


def noon(day: date) -> float:
    """Return noon of a day, in seconds since 1970."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
