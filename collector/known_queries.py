"""Known queries: a pixel's query, read once for many visits.

A shop's pages are asked for again and again, from the same few places. What a query says is
remembered under a keyed digest of it, and only what is stored of a visit anyway: the page and the
source's words. The query itself, which may hold a whole referrer, is forgotten with its request.
"""

from collections import OrderedDict
from collections.abc import Mapping

from collector.beacon import Beacon, from_query
from collector.hit import Hit

ENTRIES_MAX = 50_000  # About 15 MB.


class KnownQueries:
    """Reads pixels' queries; one per worker."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[str, str, str, tuple[str, str]]] = OrderedDict()

    def read(self, query: bytes, headers: Mapping[bytes, bytes]) -> Beacon:
        """Return the beacon of a query, as `from_query` does."""
        # Python's own hash of bytes: 64 bits of SipHash under a key of this process.
        known = self._known.get(hash(query))
        if known is None:
            return from_query(query, headers)
        beacon = Beacon(headers)
        beacon.seller, beacon.product, beacon.signature, beacon.origin = known
        return beacon

    def learn(self, query: bytes, beacon: Beacon, hit: Hit) -> None:
        """Remember a query whose visit counts; of others nothing is read that isn't needed."""
        if len(self._known) >= ENTRIES_MAX:
            self._known.popitem(last=False)
        origin = (hit.source, hit.campaign)
        self._known[hash(query)] = (beacon.seller, beacon.product, beacon.signature, origin)
