"""The view limit: how many views of one visitor and product count in a day.

Known by the day's pseudonym only, in memory, and forgotten with the day. Each worker counts for
itself: the limit bounds what one browser can inflate, it isn't a number that anybody reads.
"""

from datetime import date

from collector.hit import Hit

ENTRIES_MAX = 200_000  # About 25 MB; beyond it the older half is forgotten and may count again.


class ViewLimit:
    """Counts hits per visitor, product and kind."""

    def __init__(self, views_max: int) -> None:
        self._views_max = views_max
        self._day = date.min
        self._counts: dict[int, int] = {}
        self._older: dict[int, int] = {}  # Those not seen since these were the counts.

    def allows(self, day: date, hit: Hit) -> bool:
        """Count the hit and return True, or return False when there were enough."""
        if day != self._day:
            self._counts, self._older = {}, {}
            self._day = day
        counts = self._counts
        key = _key(hit)
        count = counts.get(key)
        if count is None:
            count = self._older.get(key, 0)
            # In halves: finding a dict's oldest entry takes longer the more were deleted before it.
            if len(counts) * 2 >= ENTRIES_MAX:
                self._older = counts
                counts = self._counts = {}
        counts[key] = count + (count < self._views_max)
        return count < self._views_max

    def take_back(self, day: date, hit: Hit) -> None:
        """Forget a hit that could not be kept: its sender is told to try again."""
        if day != self._day:
            return
        key = _key(hit)
        for counts in (self._counts, self._older):
            if counts.get(key, 0) > 0:
                counts[key] -= 1
                return


def _key(hit: Hit) -> int:
    return hash((hit.visitor, hit.product, hit.view))
