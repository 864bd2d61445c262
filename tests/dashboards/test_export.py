"""The export: a table that programs and spreadsheets read alike, and that runs nothing."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from dashboards.catalogue import Catalogue, Listing
from tests.dashboards.running import TODAY, Answer, Book, Site, Visits, between, token

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


@pytest.mark.parametrize(
    ("written", "expected"),
    [("", ";"), ("", "\t"), ("excel", ","), ("excel", "\t")],
)
@pytest.mark.parametrize("title", ["a{}=1+1", "a{} +1", 'a{}"=1+1', "a\n=1+1", "a\r\n@sum"])
def test_no_cell_is_a_formula_to_who_expects_another_separator(
    title: str, written: str, expected: str, site: Site, visits: Visits, catalogue: Catalogue
) -> None:
    """A spreadsheet that separates by something else than the file does cuts it elsewhere, at every
    new line too; none of those pieces begins like a formula either."""
    visits.add("1", 1)
    catalogue.put([Listing(visits.seller, "1", title.format(expected))])
    asked = between(TODAY, TODAY, **({"for_": written} if written else {}))

    text = site.ask("/api/v1/export.csv", bearer=token("stats", visits.seller), **asked).text

    pieces = [piece.strip('" ') for line in text.splitlines() for piece in line.split(expected)]
    assert any(piece.startswith("'") for piece in pieces)
    assert [piece for piece in pieces if piece.startswith(("=", "+", "-", "@"))] == []


def test_a_day_without_data_is_no_zero(
    site: Site, visits: Visits, book: Book, catalogue: Catalogue
) -> None:
    """The shop sold on a day on which nothing ran, on one that was lost and before the first day:
    the orders are there, and where numbers would stand there is nothing."""
    days = [TODAY - 40 * DAY, TODAY - 3 * DAY, TODAY - 2 * DAY]
    del book.states[TODAY - 3 * DAY]
    book.states[TODAY - 2 * DAY] = "lost"
    orders = [[day, "day", visits.seller, "cup", "orders", "", 0, 5, 0, day, 2**62] for day in days]
    visits.counts(orders)
    asked = between(days[0], TODAY, bearer=token("stats", visits.seller))

    text = site.ask("/api/v1/export.csv", **asked).text
    objects = site.ask("/api/v1/export.json", **asked).json["rows"]

    assert table(text)[1:] == [[f"{day}", "cup", "", "", "", "5"] for day in days]
    assert [(row["views"], row["visitors"], row["orders"]) for row in objects] == [
        (None, None, 5)
    ] * 3


def test_deleted_days_are_said_to_be(serve_kept: Site, visits: Visits, book: Book) -> None:
    """Counts are kept for 62 days here. The JSON says so as every answer does; a table has no place
    for it, so the file is called by the first day that it has."""
    kept = TODAY - 62 * DAY
    bearer = token("stats", visits.seller)

    def ask(kind: str, first: date, last: date) -> Answer:
        return serve_kept.ask(f"/api/v1/export.{kind}", bearer=bearer, **between(first, last))

    assert ask("json", kept - DAY, TODAY).json["deleted"] == {
        "before": f"{kept}",
        "message": "deleted after 62 days",
    }
    assert ask("json", kept, TODAY).json["deleted"] is None
    for first, last, named in (
        (kept - DAY, TODAY, kept),
        (kept + DAY, TODAY, kept + DAY),
        (kept - 9 * DAY, kept - DAY, kept - DAY),
    ):
        said = ask("csv", first, last).headers["content-disposition"]
        assert said == f'attachment; filename="visitors-{named}-{last}.csv"'


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
