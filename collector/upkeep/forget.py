"""Forget a seller: every row that names one goes, and a tombstone keeps the rows from coming back.

The tombstone is first, and nothing is removed before every worker has seen it: from then on the
seller's pages make no rows.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.close.blanking import blank_seller
from collector.close.closes import Closes
from collector.upkeep.tombstones import Tombstones
from collector.warehouse import Client, ask, tell

TABLES: Final = ("counts", "pools", "hits", "erased")
BETWEEN: Final = ("reconciled", "counted", "loaded", "dropping", "losing")
"""States in which integers that name the seller may be under way."""

NOTICE_SECONDS: Final = 3.0
"""Workers look for tombstones every second; what they took before that is on disk by then."""


class NotNow(Exception):
    """A day is being closed; the text says which. Try again in a minute."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What it takes.

    pause    held while neither drain nor seal may work
    notice   seconds to wait behind the tombstone
    others   what else holds a seller's rows, by name; each removes them and returns how many
    """

    spool: Path
    closes: Closes
    client: Client
    tombstones: Tombstones
    pause: AbstractContextManager[object]
    others: Mapping[str, Callable[[str], int]]
    notice: float = NOTICE_SECONDS

    def forget(self, seller: str) -> dict[str, int]:
        """Remove a seller; return how many rows went, by where they were.

        Errors  ValueError for an empty name; NotNow; Unanswered, sqlite3.Error: what was removed is
                removed, call again.
        """
        if not seller:
            raise ValueError("seller: empty; name the seller to forget")
        self.tombstones.add(seller)
        threading.Event().wait(self.notice)
        with self.pause:
            busy = [c.day for c in self.closes.unfinished() if c.state in BETWEEN]
            if busy:
                raise NotNow(f"{busy[0]} is being sealed; try again in a minute")
            removed = {"spool": blank_seller(self.spool, seller)}
            for table in TABLES:
                asked = {"name": table, "seller": seller}
                removed[table] = int(ask(self.client, "seller_rows", asked)[0][0])
                if removed[table]:
                    tell(self.client, "delete_seller", asked)
        for name, remove in self.others.items():
            removed[name] = remove(seller)
        return removed
