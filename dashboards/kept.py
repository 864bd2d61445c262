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
        with self._lock:
            kept = self._entries.get(key)
            if kept is not None and kept[0] == version:
                self._entries.move_to_end(key)
                return kept[1]
        value = read()
        rows = self._rows(value)
        if rows * 10 > self._rows_max > 0:
            return value
        with self._lock:
            self._drop(key)
            self._entries[key] = (version, value)
            self._rows_kept += rows
            while len(self._entries) > self._entries_max or self._rows_kept > self._rows_max:
                self._drop(next(iter(self._entries)))
        return value

    def _drop(self, key: Hashable) -> None:
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self._rows_kept -= self._rows(dropped[1])
