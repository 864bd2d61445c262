"""What the marketplace sends: names of products and its own totals, all of it or nothing."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from dashboards.catalogue import Catalogue, Listing
from tests.dashboards.running import TODAY, Answer, Book, Site, Visits, token

DAY = timedelta(days=1)
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def put(site: Site, rows: Any, **more: Any) -> Answer:
    """Send a catalogue as JSON, or as the bytes of a table."""
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    headers = CSV if isinstance(rows, bytes) else JSON
    asked: dict[str, Any] = {"bearer": token("operator"), "headers": headers} | more
    return site.ask("/operator/products", method="PUT", body=body, **asked)


def upload(site: Site, rows: list[dict[str, Any]] | bytes) -> Answer:
    """Send totals as JSON, or as the bytes of a table."""
    return site.ask(
        "/operator/totals",
        method="POST",
        bearer=token("operator"),
        headers=CSV if isinstance(rows, bytes) else JSON,
        body=rows if isinstance(rows, bytes) else json.dumps(rows).encode(),
    )


def test_a_catalogue_sent_twice_changes_nothing(site: Site, catalogue: Catalogue) -> None:
    """The nightly job sends the whole catalogue; only what differs from last night is changed,
    and what it no longer mentions stays."""
    lamp = {
        "seller": "ann",
        "product": "1",
        "title": "Lamp",
        "url": "https://shop.example/1",
        "listed_on": "2026-01-31",
    }
    rug = {"seller": "ann", "product": "2", "title": "Rug", "retired": True}

    first = put(site, [lamp, rug])
    again = put(site, [lamp, rug])
    renamed = put(site, [lamp | {"title": "Big lamp"}])

    assert first.json == {"received": 2, "changed": 2}
    assert again.json == {"received": 2, "changed": 0}
    assert renamed.json == {"received": 1, "changed": 1}
    assert catalogue.products("ann") == {
        "1": Listing("ann", "1", "Big lamp", "https://shop.example/1", "2026-01-31", False),
        "2": Listing("ann", "2", "Rug", None, None, True),
    }


def test_a_spreadsheet_is_read_as_one(site: Site, catalogue: Catalogue) -> None:
    """A table saved by a spreadsheet: a byte order mark, quotes, empty cells, words for yes."""
    rows = (
        "\ufeffseller,product,title,url,listed_on,retired\r\n"
        'ann,1,"Lamp, ""big""",https://shop.example/1,,no\r\n'
        "ann,2,Κανάτα,,2026-01-31,true\r\n"
    )

    assert put(site, rows.encode()).json == {"received": 2, "changed": 2}
    assert catalogue.products("ann")["1"].title == 'Lamp, "big"'
    assert catalogue.products("ann")["2"].retired


@pytest.mark.slow
def test_a_hundred_thousand_products_are_taken_and_one_more_is_not(
    site: Site, catalogue: Catalogue
) -> None:
    """The largest catalogue goes in whole; one row more is refused whole."""
    rows = [{"seller": "big", "product": str(n), "title": f"No. {n}"} for n in range(100_001)]

    over = put(site, rows)
    full = put(site, rows[:-1])

    assert (over.status, over.message) == (413, "body: at most 100,000 rows in one request")
    assert full.json == {"received": 100_000, "changed": 100_000}
    assert len(catalogue.products("big")) == 100_000


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"seller": "a", "product": "1"}], "1.title: missing"),
        (
            [{"seller": "a", "product": "1", "title": "x"}, {"seller": "a", "product": "2\n"}],
            "2.product: must not hold control characters",
        ),
        (
            [{"seller": "a", "product": "1", "title": "x", "price": 3}],
            "1.price: no such field here; known are"
            " listed_on, product, retired, seller, title, url",
        ),
        (
            [{"seller": "a", "product": "1", "title": "x", "url": "javascript:alert(1)"}],
            "1.url: must be an address that begins with https://",
        ),
        (
            [{"seller": "a", "product": "1", "title": "x", "listed_on": "31.1.2026"}],
            "1.listed_on: not a date; write YYYY-MM-DD, for example 2026-01-31",
        ),
        ({"products": []}, "body: not a JSON list of objects"),
        (b"seller,product,title\na,1,x,y\n", "1: has more cells than the header"),
        (b"seller,product,title\na,1,\xff\n", "body: must be UTF-8"),
        (b'seller,product,title\na,1,x\na,2,"y\n', "2: can't be read as a row; look at its quotes"),
        (
            b"seller,product,title\na,1," + b"x" * 200_000,
            "1: can't be read as a row; look at its quotes",
        ),
    ],
)
def test_one_bad_row_refuses_the_whole_catalogue(
    rows: Any, message: str, site: Site, catalogue: Catalogue
) -> None:
    """The answer names the row and the field; nothing of the request is kept."""
    answer = put(site, rows)

    assert (answer.status, answer.message) == (400, message)
    assert catalogue.products("a") == {}


def test_only_the_operators_own_token_writes(site: Site, catalogue: Catalogue) -> None:
    """A seller's token reads numbers; it can't rename products, his own included."""
    row = [{"seller": "ann", "product": "1", "title": "Lamp"}]

    refused = put(site, row, bearer=token("stats", "ann"))
    typed = put(site, row, headers={"Content-Type": "application/xml"})

    assert (refused.status, refused.json["error"]["field"]) == (401, "Authorization")
    assert refused.message == 'token: its scope is "stats", needed is operator'
    assert typed.message == "Content-Type: must be application/json or text/csv"
    assert catalogue.products("ann") == {}


def totals(site: Site, visits: Visits, asked: str = "range=7-days") -> str:
    """Return the part of the overview that tells coverage and orders."""
    page = site.ask(f"/dashboard/?{asked}", headers={"Cookie": site.sign_in(visits.seller)}).text
    _, found, rest = page.partition('class="remark coverage"')
    return " ".join(rest.partition("</section>")[0].split()) if found else ""


def sealed_days(visits: Visits, book: Book, ago: Iterable[int] = range(1, 7)) -> None:
    """Sealed days, so many days ago, with twenty visitors and thirty views of one product each."""
    for n in ago:
        book.states[TODAY - n * DAY] = "sealed"
        visits.count("", TODAY - n * DAY, 20, 30)
        visits.count("cup", TODAY - n * DAY, 20, 30)


def test_the_share_who_allowed_statistics_is_told_and_not_guessed(
    site: Site, visits: Visits, book: Book
) -> None:
    """The shop tells 50 page views and 4 orders for each of three days, on which 30 views of 20
    visitors were counted: three in five. Sixty visitors are too few for orders per hundred."""
    sealed_days(visits, book)
    day = {"seller": visits.seller, "product": "cup", "page_views": 50, "orders": 4}
    rows = [day | {"date": (TODAY - n * DAY).isoformat()} for n in (1, 2, 3)]
    assert totals(site, visits) == ""

    assert upload(site, rows).json == {"received": 3}
    told = totals(site, visits)

    assert "<strong>60%</strong> of page views came from visitors who allowed statistics." in told
    assert "12 orders." in told
    assert "Too few orders or visitors" in told


def test_what_was_told_of_a_day_without_data_is_set_against_nothing(
    site: Site, visits: Visits, book: Book
) -> None:
    """Of ten days one was lost, and on one nothing ran. Their page views and orders are left out,
    or the share would look smaller and the rate larger than they are."""
    sealed_days(visits, book, (1, 2, 3, 4, 5, 6, 8, 10))
    book.states[TODAY - 7 * DAY] = "lost"
    del book.states[TODAY - 9 * DAY]
    day = {"seller": visits.seller, "product": "cup", "page_views": 50, "orders": 4}
    upload(site, [day | {"date": (TODAY - n * DAY).isoformat()} for n in range(1, 11)])

    told = totals(site, visits, f"from={TODAY - 10 * DAY}&to={TODAY}")

    assert "<strong>60%</strong> of page views" in told
    assert "<strong>20</strong> orders per 100 counted visitors." in told


def test_a_title_of_spaces_is_no_title(site: Site, catalogue: Catalogue) -> None:
    """A link to it would have nothing to read or to click on; spaces around a title don't count.
    Several lines become one: in a mail a line of its own could say anything."""
    row = {"seller": "ann", "product": "1"}

    refused = put(site, [row | {"title": " \t "}])
    taken = put(site, [row | {"title": " Lamp\r\nof oak\x00 "}])

    assert (refused.status, refused.json["error"]["field"]) == (400, "1.title")
    assert taken.status == 200
    assert catalogue.products("ann")["1"].title == "Lamp of oak"


def test_orders_are_set_against_visitors_where_both_are_many(
    site: Site, visits: Visits, book: Book
) -> None:
    """Three orders on each of six days with twenty visitors: 15 for every hundred. Sent again
    with a correction, the correction holds and nothing is added."""
    sealed_days(visits, book)
    day = {"seller": visits.seller, "product": "cup", "orders": 4}
    rows = [day | {"date": (TODAY - n * DAY).isoformat()} for n in range(1, 7)]
    upload(site, rows)

    upload(site, [row | {"orders": 3} for row in rows])

    assert "<strong>15</strong> orders per 100 counted visitors." in totals(site, visits)


def test_an_empty_cell_tells_nothing(site: Site, visits: Visits, book: Book) -> None:
    """A table has both columns, and of some days only one number; null is the same in JSON. A
    number that can't be is refused with its row and field."""
    sealed_days(visits, book)
    days = [(TODAY - n * DAY).isoformat() for n in range(1, 7)]
    header = "date,seller,product,orders,page_views\r\n"
    table = header + "".join(f"{day},{visits.seller},cup,4,\r\n" for day in days)
    row = {"seller": visits.seller, "product": "cup", "date": days[0], "orders": None}

    assert upload(site, table.encode()).json == {"received": 6}
    assert upload(site, [row | {"page_views": 50}]).json == {"received": 1}
    told = totals(site, visits)
    assert "<strong>20</strong> orders per 100 counted visitors." in told
    assert "<strong>60%</strong> of page views" in told
    wrong = upload(site, f"{header}{days[0]},{visits.seller},cup,-4,\r\n".encode())
    assert wrong.message == "1.orders: input should be greater than or equal to 0"


def test_totals_of_days_to_come_are_refused(site: Site) -> None:
    """Tomorrow's orders can't be known; nor is anything shown of days six years ago."""
    row = {"seller": "ann", "product": "1", "orders": 1}

    early = upload(site, [row | {"date": (TODAY + DAY).isoformat()}])
    late = upload(site, [row | {"date": "2020-01-01"}])
    negative = upload(site, [row | {"date": "2026-11-01", "orders": -1}])

    assert early.message == "1.date: lies in the future; totals are of days that were"
    assert late.message == "1.date: lies more than five years back; nothing shows it"
    assert negative.message == "1.orders: input should be greater than or equal to 0"
