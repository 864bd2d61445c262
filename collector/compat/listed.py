"""The catalogue as the beacons process reads it: which pairs of seller and product are listed.

Read only, from the file that the reports process writes; names, nothing about visitors. Where the
file is missing or busy nothing is listed, so nothing is counted.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

KNOWN_MAX = 10_000
KNOWN_SECONDS = 60.0  # A product that was added, or taken away, is seen within the minute.
BUSY_SECONDS = 0.05

_PAIR = "select seller from products where seller = ? and product = ?"
_SELLERS = "select seller from products where product = ? limit 2"


class ListedProducts:
    """Looks pairs up and remembers the answers for a while. Any thread may call."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._known: OrderedDict[tuple[str | None, str], tuple[float, tuple[str, str] | None]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()

    def __call__(self, seller: str | None, product: str) -> tuple[str, str] | None:
        """Return the listed pair; without a seller, that of the only one who has the product."""
        now = self._clock()
        with self._lock:
            kept = self._known.get((seller, product))
        if kept is not None and now - kept[0] < KNOWN_SECONDS:
            return kept[1]
        try:
            found = self._look(seller, product)
        except sqlite3.Error:
            return None  # not remembered: it may be there at the next try
        with self._lock:
            while len(self._known) >= KNOWN_MAX:
                self._known.popitem(last=False)
            self._known[seller, product] = (now, found)
        return found

    def _look(self, seller: str | None, product: str) -> tuple[str, str] | None:
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
        try:
            if seller is not None:
                rows = database.execute(_PAIR, (seller, product)).fetchall()
            else:
                rows = database.execute(_SELLERS, (product,)).fetchall()
        finally:
            database.close()
        return (rows[0][0], product) if len(rows) == 1 else None
