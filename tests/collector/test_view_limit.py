"""The view limit: what one browser can inflate in a day."""

from datetime import date, timedelta

import pytest

from collector import view_limit
from collector.view_limit import ViewLimit
from tests.collector.spooling import hit

DAY = date(2026, 6, 18)


def test_enough_is_enough_for_a_visitor_and_a_product() -> None:
    """Another visitor, another product and a time report have a limit of their own."""
    limit = ViewLimit(2)
    assert [limit.allows(DAY, hit(visitor=1)) for _ in range(4)] == [True, True, False, False]
    assert limit.allows(DAY, hit(visitor=2))
    assert limit.allows(DAY, hit(visitor=1)._replace(product="another"))
    assert limit.allows(DAY, hit(visitor=1)._replace(view=0))


def test_a_new_day_begins_anew() -> None:
    """The pseudonyms are others then anyway."""
    limit = ViewLimit(1)
    assert limit.allows(DAY, hit(visitor=1))
    assert not limit.allows(DAY, hit(visitor=1))
    assert limit.allows(DAY + timedelta(days=1), hit(visitor=1))


def test_what_could_not_be_kept_does_not_count_towards_it() -> None:
    """A visitor who was answered 503 on a full disk all morning is counted in the afternoon."""
    limit = ViewLimit(1)
    for _ in range(3):
        assert limit.allows(DAY, hit(visitor=1))
        limit.take_back(DAY, hit(visitor=1))
    assert limit.allows(DAY, hit(visitor=1))
    limit.take_back(DAY - timedelta(days=1), hit(visitor=1))  # answered late, after midnight
    assert not limit.allows(DAY, hit(visitor=1))


def test_a_full_memory_forgets_the_older_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can fill it by inventing visitors; who is forgotten may count again, and who comes
    again and again is not forgotten."""
    monkeypatch.setattr(view_limit, "ENTRIES_MAX", 4)
    limit = ViewLimit(2)
    for visitor in range(10):
        assert limit.allows(DAY, hit(visitor=visitor))
        assert limit.allows(DAY, hit(visitor=77)) == (visitor < 2)
    assert limit.allows(DAY, hit(visitor=0))
    assert limit.allows(DAY, hit(visitor=9))
    assert not limit.allows(DAY, hit(visitor=9))
    limit.take_back(DAY, hit(visitor=9))
    assert limit.allows(DAY, hit(visitor=9))
    held = [len(each) for each in vars(limit).values() if isinstance(each, dict)]
    assert sum(held) <= 4
