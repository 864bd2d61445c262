"""Pages: what a seller reads, state by state."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from dashboards.catalogue import Catalogue, Listing
from dashboards.change import change
from dashboards.language import language
from dashboards.look import said
from tests.dashboards.running import TODAY, Answer, Book, Site, Visits

DAY = timedelta(days=1)


def read(site: Site, seller: str | None, path: str) -> str:
    """Return what a signed-in seller's page says, without its markup."""
    answer: Answer = site.ask(path, headers={"Cookie": site.sign_in(seller)})
    assert answer.status == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (2, 1, "+1"),
        (0, 19, "−19"),
        (5, 5, "="),
        (30, 20, "+50%"),
        (15, 20, "−25%"),
        (1001, 1000, "+1"),
        (999, 1000, "−1"),
        (0, 0, "="),
    ],
)
def test_a_small_shop_is_not_fooled_by_per_cent(now: int, before: int, words: str) -> None:
    """From one visitor to two is one more and not twice as many; between large numbers a share
    says more, unless it would round to nothing."""
    assert said(language("en"), change(now, before)) == words


def test_a_day_that_is_not_over_is_never_compared(site: Site, visits: Visits) -> None:
    """Two visitors a day for a fortnight, none yet today: seven days say 12, and no change,
    because six days that are over are compared with the six before them."""
    for n in range(1, 15):
        visits.add("cup", 2, day=TODAY - n * DAY)

    page = read(site, visits.seller, "/dashboard/?range=7-days")

    assert "Today so far 0 visitors" in page
    assert "12 = daily visitors, added up" in page
    assert "12–17 Nov 2026 compared with 6–11 Nov 2026" in page


def test_days_without_data_are_not_compared_and_not_zero(
    site: Site, visits: Visits, book: Book
) -> None:
    """One day of the week before is missing: no change is told, and why; in the table behind the
    chart a missing day has no number, and a day on which nobody came has a zero."""
    del book.states[TODAY - 9 * DAY]
    del book.states[TODAY - 3 * DAY]
    visits.add("cup", 2, day=TODAY - DAY)

    page = read(site, visits.seller, "/dashboard/?range=7-days")

    assert "Not compared: part of these days, or of the days before, has no data." in page
    assert "Sun, 15 Nov 2026 no data" in page
    assert "Mon, 16 Nov 2026 0 0" in page
    assert "Tue, 17 Nov 2026 2 2" in page


def test_what_moved_and_what_nobody_visits_is_listed(
    site: Site, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """A lamp gains ten visitors and a rug loses two; a vase was on sale all along and nobody
    came, a stool was listed last week, and a retired one is nobody's concern."""
    for n in range(1, 92):
        book.states[TODAY - n * DAY] = "sealed"
        visits.count("lamp", TODAY - n * DAY, 5 if n <= 2 else 3 if n <= 6 else 2, 9)
        visits.count("rug", TODAY - n * DAY, 1 if n != 8 else 3, 3)
    catalogue.put(
        [
            Listing(visits.seller, "lamp", "Lamp"),
            Listing(visits.seller, "vase", "Vase"),
            Listing(visits.seller, "stool", "Stool", listed_on="2026-11-12"),
            Listing(visits.seller, "old", "Old thing", retired=True),
        ]
    )

    page = read(site, visits.seller, "/dashboard/?range=7-days")

    assert "Moved most Lamp +10 daily visitors Products" in page
    assert "No visitors in 90 days 1 Vase Only" in page
    assert "Old thing" not in page
    assert "Stool 0 0 =" in page


def test_a_breakdown_says_what_waits_and_what_was_too_small(
    site: Site, visits: Visits, book: Book
) -> None:
    """Cells of a day and of a week read as one list; below it stands what still waits and until
    when; what has no name of its own stands last. Time on page is an average of who told it."""
    for n in range(1, 18):
        book.states[TODAY - n * DAY] = "sealed"
        visits.count("cup", TODAY - n * DAY, 4, 4)
    week = TODAY - 9 * DAY
    visits.cell("cup", "day", TODAY - DAY, "source", "a.example", 5)
    visits.cell("cup", "week", week, "source", "a.example", 6)
    visits.cell("cup", "week", week, "source", "direct", 7)
    visits.cell("cup", "week", week, "source", "(other)", 12)
    row = [week, "week", visits.seller, "cup", "seconds", "", 6, 0, 480, week, 1]
    visits.counts([row])

    page = read(site, visits.seller, "/dashboard/product?product=cup&range=this-month")

    assert (
        "Came from Came from Daily visitors a.example 11 Directly 7 Other 12"
        " 38 still wait, until Mon, 30 Nov 2026 at the latest" in page
    )
    assert "1 min 20 s on average, of 6 daily visitors" in page


def test_the_first_day_is_not_an_empty_page(site: Site, visits: Visits, book: Book) -> None:
    """The shop opened this morning: one visitor today, yesterday is no day at all, and the page
    says so without a dash too many."""
    book.states = {TODAY: "open"}
    visits.add("cup", 1)

    page = read(site, visits.seller, "/dashboard/")

    assert "Today so far 1 visitor 1 view" in page
    assert "Not compared" in page
    assert "cup 1 1" in page


def test_deleted_days_are_said_to_be(serve_kept: Site, visits: Visits, book: Book) -> None:
    """Counts are deleted after 62 days here: a year's page says so, and where it begins, to the
    seller and to the marketplace; both read why nothing is compared."""
    book.states |= dict.fromkeys((TODAY - n * DAY for n in range(1, 365)), "sealed")
    visits.count("", TODAY - DAY, 3, 3)

    for who in (visits.seller, None):
        page = read(serve_kept, who, "/dashboard/?range=12-months")
        week = read(serve_kept, who, "/dashboard/?range=7-days")

        assert "Numbers are deleted after 62 days. Yours begin on Thu, 17 Sept 2026." in page
        assert "Not compared: part of these days" in page
        assert "12–17 Nov 2026 compared with 6–11 Nov 2026" in week
        assert "deleted" not in week


def test_the_marketplace_sees_all_sellers_refusals_and_closes(
    site: Site, visits: Visits, book: Book
) -> None:
    """An operator's session shows every seller, what became of the beacons of sealed days with
    the share of views that people refused, and how far the closes are; a click opens a seller's
    page. Who agrees sends times on page as well, and doesn't count twice for that."""
    book.states[TODAY - DAY], book.states[TODAY - 2 * DAY] = "sealed", "lost"
    visits.count("", TODAY - DAY, 500_000, 600_000)
    day = TODAY - DAY
    visits.counts(
        [
            [day, "day", "", "", "outcome", outcome, 0, beacons, 0, day, 1]
            for outcome, beacons in (("yes", 160), ("refused", 25), ("gpc", 15), ("bot", 300))
        ]
        + [[day, "day", "", "", "views", "", 0, 60, 0, day, 1]]
    )

    page = read(site, None, f"/dashboard/?range=yesterday&q={visits.seller}")
    seller = read(site, None, f"/dashboard/?range=yesterday&seller={visits.seller}")
    foreign = read(site, visits.seller, "/dashboard/?range=yesterday")

    assert f"{visits.seller} 500,000 600,000" in page
    assert "Refused 40% of the visits in which somebody could choose, on 1 closed day" in page
    assert "Tue, 17 Nov 2026 closed Mon, 16 Nov 2026 lost" in page
    assert "Programs 300" in page
    assert "Times on page, and views taken back 100 Counted 60" in page
    assert "Tue, 17 Nov 2026 60 40" in page
    assert "500,000 visitors" in seller
    assert "Refused" not in foreign


def test_two_thousand_products_are_sorted_and_searched(
    site: Site, visits: Visits, catalogue: Catalogue
) -> None:
    """At a desk with two thousand products: fifty a page, sorted by title if wanted, and found by
    two words of a title in any order."""
    catalogue.put(
        Listing(visits.seller, f"p{n}", f"Lamp {n:04} {'oak' if n % 2 else 'ash'}")
        for n in range(2000)
    )
    visits.add("p1999", 3)

    first = read(site, visits.seller, "/dashboard/")
    last = read(site, visits.seller, "/dashboard/?sort=title&page=40")
    found = read(site, visits.seller, "/dashboard/?q=OAK+1999")
    nothing = read(site, visits.seller, "/dashboard/?q=nothing")

    assert "Products 2,000" in first
    assert first.index("Lamp 1999 oak") < first.index("Lamp 0000 ash")
    assert "Page 1 of 40 Next" in first
    assert "Lamp 1950 ash" in last
    assert "Previous Page 40 of 40" in last
    assert "Lamp 1999 oak" in found
    assert "Lamp 1997" not in found
    assert "No product fits your search. Show all" in nothing


def test_nobody_yet_and_nobody_in_these_days_are_told_apart(site: Site, visits: Visits) -> None:
    """A new seller reads that numbers will come by themselves; one whose visitors came last week
    reads on a quiet day that these days had none."""
    new = read(site, f"{visits.seller}-new", "/dashboard/")
    visits.add("cup", 2, day=TODAY - 7 * DAY)
    quiet = read(site, visits.seller, "/dashboard/?range=yesterday")

    assert "Nobody has been counted yet" in new
    assert "Today so far" not in new
    assert "Nobody has been counted yet" not in quiet
    assert "No visitors in these days" in quiet


@pytest.mark.parametrize("path", ["/dashboard/", "/dashboard/product?product=cup"])
def test_a_seller_finds_where_to_leave_own_visits_out(
    path: str, serve: Callable[..., Site], visits: Visits
) -> None:
    """Every page of the seller's links to it, in the reader's language and in a window of its own,
    because it may stand on another host and shows itself in nobody's frame; so does the page
    about the words. Where no such page is known there is no link."""
    visits.add("cup", 3)
    site = serve(own_visits_url="https://shop.example/stats/own")
    cookie = {"Cookie": site.sign_in(visits.seller)}
    link = (
        '<a href="https://shop.example/stats/own?lang=de" target="_blank" rel="noopener">'
        "Eigene Besuche auslassen</a>"
    )
    german = {**cookie, "Accept-Language": "de"}

    assert link in site.ask(path, headers=german).text
    assert site.ask("/dashboard/words", headers=german).text.count(link) == 2
    assert "own?lang" not in serve().ask(path, headers=german).text


def test_a_year_of_all_sellers_is_the_sum_of_its_days(
    site: Site, visits: Visits, book: Book
) -> None:
    """Long ranges are asked month by month: the marketplace's page has every day of a seller, those
    at the ends and at the turns of months too, and none twice."""
    for n in range(1, 366):
        book.states[TODAY - n * DAY] = "sealed"
        visits.count("", TODAY - n * DAY, 1000 + n, 2000 + n)
    visits.add("cup", 3)
    for first, last in ((200, 0), (200, 1), (63, 1), (61, 30), (350, 100)):
        asked = f"from={TODAY - first * DAY}&to={TODAY - last * DAY}&q={visits.seller}"
        page = read(site, None, f"/dashboard/?{asked}")
        days = range(max(last, 1), first + 1)
        visitors = sum(1000 + n for n in days) + 3 * (last == 0)
        views = sum(2000 + n for n in days) + 3 * (last == 0)
        assert f"{visits.seller} {visitors:,} {views:,}" in page
