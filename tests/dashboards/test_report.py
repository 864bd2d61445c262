"""The weekly report: a seller's week in a few lines, for the shop's own mailer."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from dashboards.catalogue import Catalogue, Listing
from dashboards.period import week_of
from tests.dashboards.running import TODAY, Book, Site, Visits, token

Serve = Callable[..., Site]
DAY = timedelta(days=1)
MONDAY = date(2026, 11, 9)


def weeks(visits: Visits, book: Book, catalogue: Catalogue) -> None:
    """Two sealed weeks: three visitors a day of a lamp, then five."""
    catalogue.put([Listing(visits.seller, "1", "Lamp <big>")])
    for n in range(14):
        day = MONDAY - 7 * DAY + n * DAY
        book.states[day] = "sealed"
        visitors = 3 if day < MONDAY else 5
        visits.count("", day, visitors, visitors)
        visits.count("1", day, visitors, visitors)


def test_the_week_comes_as_text_in_the_readers_language(
    site: Site, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """The mailer asks on Monday for the week before, in German, as text: totals, what they are
    compared with, and the products, as anyone would write them in a mail."""
    weeks(visits, book, catalogue)

    answer = site.ask(
        "/api/v1/report",
        bearer=token("stats", visits.seller),
        week="2026-W46",
        format="text",
        lang="de",
    )

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0] == "Ihre Woche, 9.–15. Nov. 2026"
    assert "Tagesbesucher, zusammengezählt: 35 (+67\xa0%)" in lines
    assert "Verglichen mit 2.–8. Nov. 2026." in lines
    assert "1. Lamp <big>: 35 (+67\xa0%)" in lines


def test_the_week_comes_as_html_that_a_mail_can_hold(
    site: Site, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """No script, no style sheet, nothing to fetch; a title is text and never markup."""
    weeks(visits, book, catalogue)

    answer = site.ask("/api/v1/report", bearer=token("stats", visits.seller), week="2026-W46")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Lamp &lt;big&gt;" in answer.text
    for fetched in ("<script", "<link", "src=", "url("):
        assert fetched not in answer.text


@pytest.mark.parametrize("kind", ["html", "text"])
def test_a_week_with_days_missing_says_so(
    kind: str, serve: Serve, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """A mail with a smaller number and no word about it would tell a fall that never was: of one
    week a day was lost, and of another the first days are deleted."""
    weeks(visits, book, catalogue)
    book.states[MONDAY + DAY] = "lost"
    first = week_of(date(2026, 9, 21))
    book.states |= dict.fromkeys(first, "sealed")
    for day in first:
        visits.count("", day, 5, 5)

    def ask(week: str, **options: int) -> str:
        bearer = token("stats", visits.seller)
        path = f"/api/v1/report?week={week}&format={kind}"
        return serve(**options).ask(path, bearer=bearer).text

    assert "Not compared: part of these days" in ask("2026-W46")
    kept = ask("2026-W39", keep_counts_days=(TODAY - first.last).days)
    assert "Numbers are deleted after 52 days. Yours begin on Sun, 27 Sept 2026." in kept
    gone = ask("2026-W38", keep_counts_days=(TODAY - first.last).days)
    assert "There is no data for these days." in gone
    assert "Numbers are deleted after 52 days." in gone


def test_a_week_that_is_not_over_or_never_was_is_refused(site: Site) -> None:
    """This week is still running; a year has no week 60."""
    bearer = token("stats", "someone")
    running = f"{TODAY.isocalendar().year}-W{TODAY.isocalendar().week}"

    early = site.ask("/api/v1/report", bearer=bearer, week=running)
    never = site.ask("/api/v1/report", bearer=bearer, week="2026-W60")

    assert early.message == "week: is not over yet; ask from the Monday after it"
    assert never.message == "week: must be an ISO week that exists, for example 2026-W07"
