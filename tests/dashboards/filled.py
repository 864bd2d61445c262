"""A seller with a year of numbers, for tests that only look."""

from datetime import timedelta
from typing import Any

from dashboards.catalogue import Catalogue, Listing
from tests.dashboards.running import TODAY, Book, Visits


def year(visits: Visits, book: Book, catalogue: Catalogue) -> None:
    """Give a seller a year of sealed days with three products, breakdowns and totals uploaded."""
    names = {"1": "Oak table", "2": "Blue mug", "3": "Linen apron", "4": "Ash stool"}
    catalogue.put(
        Listing(visits.seller, product, title, f"https://shop.example/{product}")
        for product, title in names.items()
    )
    split = {
        "source": {"search.example": 14, "direct": 11, "blog.example": 6},
        "device": {"mobile": 17, "desktop": 12},
        "hour": {"9": 7, "12": 11, "20": 9},
    }
    rows: list[list[Any]] = []
    for n in range(1, 366):
        day = TODAY - timedelta(n)
        book.states[day] = "sealed"
        visitors = [20 + n * 7 % 13, 9 + n % 5, n % 3]
        for product, count in zip("123", visitors, strict=True):
            totals = ["", "", count, count + n % 4, 0]
            rows.append([day, "day", visits.seller, product, *totals, day, 1])
        rows.append([day, "day", visits.seller, "", "", "", 25, 40, 0, day, 1])
        rows += [
            [day, "day", visits.seller, "1", by, value, count, 0, 0, day, 1]
            for by, values in split.items()
            for value, count in values.items()
        ]
        rows.append([day, "day", visits.seller, "1", "page_views", "", 0, 90, 0, day, 2**62])
    visits.counts(rows)
    visits.add("1", 4, views=2)
