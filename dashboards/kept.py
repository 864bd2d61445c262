"""Kept: answers that hold until something moved, for as many askers as fit.

In memory only, and only what was published or totals; what it holds is no older than the version it
was read for.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last answers, at most so many, each valid for one version of the data."""

    def __init__(
        self, entries_max: int, *, rows_max: int = 0, rows: Callable[[Value], int] | None = None
    ) -> None:
        """Where rows() is given, all answers together have at most rows_max of them, and one that
        has more than a tenth of that is not kept."""
        self._entries_max = entries_max
        self._rows_max = rows_max
        self._rows = rows or (lambda value: 0)
        self._rows_kept = 0
        self._entries: OrderedDict[Hashable, tuple[Hashable, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: Hashable, read: Callable[[], Value]) -> Value:
        """Return the answer of this version, reading it if it isn't here.

        Two threads may read the same at once; both readings are of the version or newer.
        """
        kept = self.find(key, version)
        if kept is not None:
            return kept
        value = read()
        self.put(key, version, value)
        return value

    def find(self, key: Hashable, version: Hashable) -> Value | None:
        """Return the answer of this version if it is here."""
        with self._lock:
            kept = self._entries.get(key)
            if kept is None or kept[0] != version:
                return None
            self._entries.move_to_end(key)
            return kept[1]

    def put(self, key: Hashable, version: Hashable, value: Value) -> None:
        """Keep an answer of this version, and let older ones go where there is no room."""
        rows = self._rows(value)
        if rows * 10 > self._rows_max > 0:
            return
        with self._lock:
            self._drop(key)
            self._entries[key] = (version, value)
            self._rows_kept += rows
            while len(self._entries) > self._entries_max or self._rows_kept > self._rows_max:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self._rows_kept -= self._rows(dropped[1])
