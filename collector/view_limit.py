"""The view limit: how many views of one visitor and product count in a day.

Known by the day's pseudonym only, in memory, and forgotten with the day. Each worker counts for
itself: the limit bounds what one browser can inflate, it isn't a number that anybody reads.
"""

from datetime import date

from collector.hit import Hit

ENTRIES_MAX = 200_000  # About 25 MB; beyond it the oldest are forgotten and may count again.


class ViewLimit:
    """Counts hits per visitor, product and kind."""

    def __init__(self, views_max: int) -> None:
        self._views_max = views_max
        self._day = date.min
        self._counts: dict[int, int] = {}

    def allows(self, day: date, hit: Hit) -> bool:
        """Count the hit and return True, or return False when there were enough."""
        counts = self._counts
        if day != self._day:
            counts = self._counts = {}
            self._day = day
        key = _key(hit)
        count = counts.get(key, 0)
        if count >= self._views_max:
            return False
        if count == 0 and len(counts) >= ENTRIES_MAX:
            del counts[next(iter(counts))]
        counts[key] = count + 1
        return True

    def take_back(self, day: date, hit: Hit) -> None:
        """Forget a hit that could not be kept: its sender is told to try again."""
        count = self._counts.get(_key(hit), 0) if day == self._day else 0
        if count > 0:
            self._counts[_key(hit)] = count - 1


def _key(hit: Hit) -> int:
    return hash((hit.visitor, hit.product, hit.view))
