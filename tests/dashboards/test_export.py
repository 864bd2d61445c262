"""The export: a table that programs and spreadsheets read alike, and that runs nothing."""

import csv
import io
import json
from datetime import timedelta

from dashboards.catalogue import Catalogue, Listing
from tests.dashboards.running import TODAY, Book, Site, Visits, between, token

DAY = timedelta(days=1)
HEADER = ["date", "product", "title", "views", "visitors", "orders"]


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    """Read a table as a program does."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def test_every_product_and_day_has_a_row(
    site: Site, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """Two products over two days, one sealed and one open, with orders told for one of them and
    for a product that nobody was counted at: a row each, by day, with titles as they are."""
    book.states[TODAY - DAY] = "sealed"
    visits.count("cup", TODAY - DAY, 7, 8)
    visits.add("cup", 2)
    visits.add("rug", 1, views=3)
    catalogue.put([Listing(visits.seller, "cup", 'A "big" cup, blue')])
    body = [
        {"date": "2026-11-17", "seller": visits.seller, "product": product, "orders": n}
        for product, n in (("cup", 2), ("bag", 1))
    ]
    site.ask(
        "/operator/totals",
        method="POST",
        bearer=token("operator"),
        headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
    )
    asked = between(TODAY - DAY, TODAY, bearer=token("stats", visits.seller))

    answer = site.ask("/api/v1/export.csv", **asked)
    objects = site.ask("/api/v1/export.json", **asked).json

    assert table(answer.text) == [
        HEADER,
        ["2026-11-17", "bag", "", "0", "0", "1"],
        ["2026-11-17", "cup", 'A "big" cup, blue', "8", "7", "2"],
        ["2026-11-18", "cup", 'A "big" cup, blue', "2", "2", ""],
        ["2026-11-18", "rug", "", "3", "1", ""],
    ]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="visitors-2026-11-17-2026-11-18.csv"'
    )
    assert objects["rows"][1] == {
        "date": "2026-11-17",
        "product": "cup",
        "title": 'A "big" cup, blue',
        "views": 8,
        "visitors": 7,
        "orders": 2,
    }


def test_no_cell_is_a_formula(site: Site, visits: Visits, catalogue: Catalogue) -> None:
    """A title that a spreadsheet would run, also behind a space, comes as text; a number and a
    name with a sign in the middle come as they are."""
    titles = ["=1+1", " =1+1", "+49 Lamp", "-3", "@sum", "\tx", "A=B"]
    for number, title in enumerate(titles):
        visits.add(f"p{number}", 1)
        catalogue.put([Listing(visits.seller, f"p{number}", title)])

    text = site.ask(
        "/api/v1/export.csv", **between(TODAY, TODAY, bearer=token("stats", visits.seller))
    ).text

    assert [row[2] for row in table(text)[1:]] == [*(f"'{title}" for title in titles[:-1]), "A=B"]


def test_excel_gets_what_it_expects(site: Site, visits: Visits, catalogue: Catalogue) -> None:
    """A byte order mark, or Greek becomes noise; semicolons, or all is one column."""
    visits.add("1", 1)
    catalogue.put([Listing(visits.seller, "1", "Κανάτα; μπλε")])
    asked = between(TODAY, TODAY, for_="excel", bearer=token("stats", visits.seller))

    content = site.ask("/api/v1/export.csv", **asked).content

    assert content.startswith(b"\xef\xbb\xbf")
    rows = table(content.decode("utf-8-sig"), ";")
    assert rows[1] == ["2026-11-18", "1", "Κανάτα; μπλε", "1", "1", ""]


def test_five_years_are_streamed(site: Site, visits: Visits, book: Book) -> None:
    """1,500 sealed days of two products arrive whole, in order, and as valid JSON."""
    days = [TODAY - n * DAY for n in range(1, 1501)]
    book.states |= dict.fromkeys(days, "sealed")
    rows = [
        [day, "day", visits.seller, product, "", "", 1, 1, 0, day, 1]
        for day in days
        for product in ("a", "b")
    ]
    visits.counts(rows)
    asked = between(days[-1], TODAY, bearer=token("stats", visits.seller))

    text = site.ask("/api/v1/export.csv", **asked).text
    objects = site.ask("/api/v1/export.json", **asked).json["rows"]

    read = table(text)[1:]
    assert len(read) == len(objects) == 3000
    assert read == sorted(read)
    assert [row["date"] for row in objects] == [row[0] for row in read]
