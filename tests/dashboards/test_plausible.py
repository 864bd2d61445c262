"""Plausible's Stats API v2: a tool that reads Plausible reads our numbers by the same words."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from tests.dashboards.running import TODAY, Answer, Book, Site, Visits, token

DAY = timedelta(days=1)
NOT_WHOLE = (
    "date_range: must name whole days, as YYYY-MM-DD or from 00:00:00 to 23:59:59 in UTC;"
    " hours are not kept"
)
WEEK: dict[str, Any] = {
    "site_id": "shop.example",
    "metrics": ["visitors", "pageviews"],
    "date_range": "7d",
}


def ask(site: Site, bearer: str | None, query: object) -> Answer:
    """Send a query."""
    body = query if isinstance(query, bytes) else json.dumps(query).encode()
    return site.ask(
        "/api/v2/query",
        method="POST",
        bearer=bearer,
        headers={"Content-Type": "application/json"},
        body=body,
    )


def rows(answer: Answer) -> list[tuple[Any, ...]]:
    """Return dimensions and metrics of each row."""
    assert answer.status == 200, answer.text
    return [(*row["dimensions"], *row["metrics"]) for row in answer.json["results"]]


@pytest.fixture
def shop(visits: Visits, book: Book) -> Visits:
    """Two products over three days, one of them sealed, and a source."""
    book.states[TODAY - 2 * DAY] = "sealed"
    visits.count("", TODAY - 2 * DAY, 8, 12)
    visits.count("/p/42", TODAY - 2 * DAY, 6, 9)
    visits.count("/p/7", TODAY - 2 * DAY, 3, 3)
    visits.cell("/p/42", "day", TODAY - 2 * DAY, "source", "direct", 5)
    visits.add("/p/42", 4, day=TODAY - DAY, views=2)
    visits.add("/p/7", 50)
    return visits


def test_pages_of_a_week_come_as_plausible_sends_them(site: Site, shop: Visits) -> None:
    """The last seven days, which don't hold today, by page: results, what was understood, and a
    warning that visitors are added up by day."""
    answer = ask(
        site,
        token("stats", shop.seller),
        WEEK | {"dimensions": ["event:page"], "include": {"total_rows": True}},
    )

    assert answer.json == {
        "results": [
            {"metrics": [10, 17], "dimensions": ["/p/42"]},
            {"metrics": [3, 3], "dimensions": ["/p/7"]},
        ],
        "meta": {
            "total_rows": 2,
            "metric_warnings": {
                "visitors": {
                    "code": "visitor_days",
                    "warning": "visitors are distinct per day and added up over days; nobody is"
                    " known on another day",
                }
            },
        },
        "query": {
            "site_id": "shop.example",
            "metrics": ["visitors", "pageviews"],
            "date_range": ["2026-11-11T00:00:00+00:00", "2026-11-17T23:59:59+00:00"],
            "dimensions": ["event:page"],
            "filters": [],
            "order_by": [["visitors", "desc"]],
            "include": {"imports": False, "time_labels": False, "total_rows": True},
            "pagination": {"limit": 10000, "offset": 0},
        },
    }


def test_every_range_and_dimension_has_its_numbers(site: Site, shop: Visits) -> None:
    """Totals, days, weeks, months, pages of days, a source; with filters, order and pages of the
    answer."""
    bearer = token("stats", shop.seller)

    def read(**more: Any) -> list[tuple[Any, ...]]:
        return rows(ask(site, bearer, WEEK | more))

    days = ["2026-11-16", "2026-11-18"]
    assert read() == [(12, 20)]
    assert read(date_range="day") == [(50, 50)]
    assert read(date_range=days, dimensions=["time:day"]) == [
        ("2026-11-16", 8, 12),
        ("2026-11-17", 4, 8),
        ("2026-11-18", 50, 50),
    ]
    assert read(date_range="month", dimensions=["time:month"]) == [("2026-11-01", 62, 70)]
    assert read(date_range="28d", dimensions=["time:week"]) == [("2026-11-16", 12, 20)]
    assert read(date_range=days, dimensions=["time:day", "event:page"], metrics=["pageviews"]) == [
        ("2026-11-16", "/p/42", 9),
        ("2026-11-16", "/p/7", 3),
        ("2026-11-17", "/p/42", 8),
        ("2026-11-18", "/p/7", 50),
    ]
    assert read(filters=[["is", "event:page", ["/p/42", "/x"]]]) == [(10, 17)]
    assert read(filters=[["contains", "event:page", ["P/4"], {"case_sensitive": False}]]) == [
        (10, 17)
    ]
    assert read(filters=[["contains", "event:page", ["P/4"]]]) == [(0, 0)]
    assert read(dimensions=["event:page"], order_by=[["event:page", "desc"]]) == [
        ("/p/7", 3, 3),
        ("/p/42", 10, 17),
    ]
    assert read(dimensions=["event:page"], pagination={"limit": 1, "offset": 1}) == [("/p/7", 3, 3)]


@pytest.mark.parametrize(
    ("date_range", "first", "last"),
    [
        ("day", "2026-11-18", "2026-11-18"),
        ("7d", "2026-11-11", "2026-11-17"),
        ("28d", "2026-10-21", "2026-11-17"),
        ("30d", "2026-10-19", "2026-11-17"),
        ("91d", "2026-08-19", "2026-11-17"),
        ("month", "2026-11-01", "2026-11-30"),
        ("6mo", "2026-05-01", "2026-10-31"),
        ("12mo", "2025-11-01", "2026-10-31"),
        ("year", "2026-01-01", "2026-12-31"),
        ("all", "2026-10-19", "2026-11-18"),
        (["2026-11-16", "2026-11-17"], "2026-11-16", "2026-11-17"),
        (["2026-11-16T00:00:00+00:00", "2026-11-17T23:59:59Z"], "2026-11-16", "2026-11-17"),
        (["2026-11-16T01:00:00+01:00", "2026-11-18T00:59:59+01:00"], "2026-11-16", "2026-11-17"),
    ],
)
def test_a_range_means_the_days_that_it_means_there(
    date_range: Any, first: str, last: str, site: Site, shop: Visits
) -> None:
    """On a Wednesday, 18 November: so many days are those before today, so many months those
    before this one; this month and this year are whole; "all" begins with the first day of data."""
    answer = ask(site, token("stats", shop.seller), WEEK | {"date_range": date_range})

    ends = [f"{first}T00:00:00+00:00", f"{last}T23:59:59+00:00"]
    assert answer.json["query"]["date_range"] == ends


def test_a_month_is_called_by_its_first_day(site: Site, shop: Visits) -> None:
    """A range that begins on the 17th: the month is still called the 1st, the week the 17th."""
    bearer = token("stats", shop.seller)
    days = WEEK | {"date_range": ["2026-11-17", "2026-11-18"]}

    def labels(**more: Any) -> tuple[Any, Any]:
        answer = ask(site, bearer, days | {"include": {"time_labels": True}} | more)
        return [row[0] for row in rows(answer)], answer.json["meta"]["time_labels"]

    assert labels(dimensions=["time:month"]) == (["2026-11-01"], ["2026-11-01"])
    assert labels(dimensions=["time:week"]) == (["2026-11-17"], ["2026-11-17"])


def test_sources_are_what_the_closes_published(site: Site, shop: Visits) -> None:
    """Five came directly; for the eight others the answer says that they aren't listed."""
    answer = ask(
        site,
        token("stats", shop.seller),
        WEEK | {"metrics": ["visitors"], "dimensions": ["visit:source"]},
    )

    assert rows(answer) == [("Direct / None", 5)]
    warning = answer.json["meta"]["metric_warnings"]["visitors"]["warning"]
    assert "; 8 visitors have a value that is not listed" in warning


def test_labels_name_the_days_without_a_row(site: Site, shop: Visits) -> None:
    """Empty days have no row, as there; whoever asks for labels gets every day's."""
    answer = ask(
        site,
        token("stats", shop.seller),
        WEEK | {"dimensions": ["time:day"], "include": {"time_labels": True}},
    )

    assert len(answer.json["results"]) == 2
    assert answer.json["meta"]["time_labels"][0] == "2026-11-11"
    assert len(answer.json["meta"]["time_labels"]) == 7


def test_deleted_days_are_said_to_be(serve_kept: Site, visits: Visits) -> None:
    """Counts are kept for 62 days here: whoever asks for the day before is told, of each metric."""
    kept = TODAY - 62 * DAY
    said = f"days before {kept} are deleted after 62 days"

    def meta(first: date, last: date) -> Any:
        query = WEEK | {"date_range": [f"{first}", f"{last}"]}
        return ask(serve_kept, token("stats", visits.seller), query).json["meta"]

    assert meta(kept, kept) == {}
    deleted = {"code": "deleted_days", "warning": said}
    both = {"visitors": deleted, "pageviews": deleted}
    assert meta(kept - DAY, kept - DAY) == {"metric_warnings": both}
    warning = meta(kept - DAY, kept)["metric_warnings"]["visitors"]["warning"]
    assert warning.endswith(f"known on another day; {said}")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metrics": ["bounce_rate"]}, "metrics.0: must be 'visitors' or 'pageviews'"),
        ({"metrics": []}, "metrics: tuple should have at least 1 item"),
        (
            {"dimensions": ["visit:country"]},
            "dimensions.0: must be one of event:page, time:day, time:week, time:month,"
            " visit:source, visit:utm_campaign, visit:device, visit:browser, visit:os",
        ),
        (
            {"dimensions": ["visit:os", "event:page"], "metrics": ["visitors"]},
            "dimensions: visit:os stands alone: no cross tables are kept",
        ),
        (
            {"dimensions": ["visit:os"]},
            "metrics: visit:os has visitors only: no views are kept by it",
        ),
        (
            {"filters": [["is", "visit:source", ["x"]]]},
            'filters.0: must be ["is" or "contains", "event:page", [texts]]',
        ),
        (
            {"date_range": "24h"},
            "date_range: must be one of day, 7d, 28d, 30d, 91d, month, 6mo, 12mo, year, all,"
            " or a list of two days",
        ),
        ({"date_range": ["2026-11-01T10:00:00Z", "2026-11-02"]}, NOT_WHOLE),
        ({"date_range": ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"]}, NOT_WHOLE),
        ({"date_range": ["2026-11-01T00:00:00+01:00", "2026-11-02T23:59:59+01:00"]}, NOT_WHOLE),
        ({"date_range": ["2026-11-31", "2026-12-01"]}, "date_range: there is no such day"),
        ({"date_range": ["2026-11-02", "2026-11-01"]}, "date_range: must run forwards"),
        ({"filters": [["contains", "event:page", ["x"] * 101]]}, "filters.0: contains takes"),
        ({"filters": [["is", "event:page", ["x"]]] * 11}, "filters: tuple should have at most 10"),
        ({"pagination": {"limit": 0}}, "pagination.limit: input should be greater"),
        ({"pagination": {"limit": 10001}}, "pagination.limit: input should be less"),
        ({"pagination": {"offset": -1}}, "pagination.offset: input should be greater"),
        (
            {"order_by": [["bounce_rate", "asc"]]},
            "order_by: must name metrics or dimensions of this query",
        ),
        (
            {"compare": "previous"},
            "compare: no such field here; known are date_range, dimensions, filters, include,"
            " metrics, order_by, pagination, site_id",
        ),
    ],
)
def test_what_has_no_answer_here_is_refused(
    more: dict[str, Any], message: str, site: Site, shop: Visits
) -> None:
    """Anything that Plausible has and we don't gets a 400 in Plausible's shape, with a reason."""
    answer = ask(site, token("stats", shop.seller), WEEK | more)

    assert answer.status == 400
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(message)


def test_the_key_decides_whose_numbers(site: Site, shop: Visits) -> None:
    """A seller may name himself and nobody else; an operator must name one. A wrong key and a
    foreign seller get the same answer."""
    own = token("stats", shop.seller)
    named = WEEK | {"site_id": f"seller:{shop.seller}"}
    refusal = (
        "Invalid API key or site ID. Please make sure you're using a valid API key with access to"
        " the site you've requested."
    )

    assert rows(ask(site, own, named)) == rows(ask(site, token("operator"), named)) == [(12, 20)]
    for bearer, query in (
        (own, WEEK | {"site_id": "seller:other"}),
        ("nonsense", WEEK),
        (token("operator"), WEEK),
        (token("login", shop.seller), WEEK),
    ):
        answer = ask(site, bearer, query)
        assert (answer.status, answer.json) == (401, {"error": refusal})
    missing = ask(site, None, WEEK)
    assert missing.status == 401
    assert missing.json["error"] == (
        "Missing API key. Please use a valid Plausible API key as a Bearer Token."
    )
    unnamed = ask(site, own, {"metrics": ["visitors"], "date_range": "7d"})
    assert (unnamed.status, unnamed.json["error"]) == (
        400,
        "Missing site ID. Please provide the required site_id parameter with your request.",
    )
