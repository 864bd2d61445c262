"""Today's numbers move in steps, so that polling can't tell when somebody came."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.dashboards.running import TODAY, Book, Site, Visits, between, noon, token

Serve = Callable[..., Site]


class Watch:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.time = noon()

    def now(self) -> datetime:
        """Return the time shown."""
        return self.time

    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.time += timedelta(minutes=minutes)


def seen(site: Site, visits: Visits) -> int:
    """Return today's visitors as the API tells them."""
    bearer = token("stats", visits.seller)
    answer = site.ask("/api/v1/summary", bearer=bearer, **between(TODAY, TODAY))
    return int(answer.json["visitor_days"])


def test_who_comes_within_a_step_is_seen_with_the_next(
    serve: Serve, visits: Visits, book: Book
) -> None:
    """At twelve, one visitor is stored. Another comes a minute later: polling shows one until a
    quarter past, then two."""
    watch = Watch()
    book.highest_batch = 1
    visits.add("cup", 1, batch=1)
    site = serve(now=watch.now, today_step_minutes=15)
    assert seen(site, visits) == 1

    visits.add("cup", range(2, 3), batch=2)
    book.highest_batch = 2
    watch.wait(14)
    assert seen(site, visits) == 1

    watch.wait(1)
    assert seen(site, visits) == 2


def test_a_withdrawal_is_seen_at_once(serve: Serve, visits: Visits, book: Book) -> None:
    """Two people were counted and one withdraws: her visits leave the number within the step.
    What she does after she consents again waits for the next."""
    watch = Watch()
    book.highest_batch = 1
    visits.add("cup", 2, batch=1)
    site = serve(now=watch.now, today_step_minutes=15)
    assert seen(site, visits) == 2

    visits.withdraw(1, TODAY, before_batch=2)
    book.withdrawals += 1
    visits.add("cup", 1, batch=2)
    book.highest_batch = 2
    assert seen(site, visits) == 1

    watch.wait(15)
    assert seen(site, visits) == 2


def test_a_step_of_nothing_shows_everything_at_once(
    serve: Serve, visits: Visits, book: Book
) -> None:
    """A demo shows every click as it comes."""
    site = serve(today_step_minutes=0)
    visits.add("cup", 1)
    assert seen(site, visits) == 1
    visits.add("cup", range(2, 3), batch=2000)
    book.highest_batch = 2000
    assert seen(site, visits) == 2
