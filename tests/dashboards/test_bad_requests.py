"""Bad requests: each gets one sentence that names the field and says what would do."""

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.dashboards.running import Book, Site, token

GOOD: dict[str, Any] = {"from": "2026-11-01", "to": "2026-11-18"}
DATE = "not a date; write YYYY-MM-DD, for example 2026-01-31"

REFUSALS = [
    ("summary", {"to": "2026-11-18"}, "from: missing"),
    ("summary", {"from": "yesterday", "to": "2026-11-18"}, f"from: {DATE}"),
    ("summary", {"from": "1793000000", "to": "2026-11-18"}, f"from: {DATE}"),
    ("summary", {"from": "2026-11-01", "to": "2026-11-18T00:00:00"}, f"to: {DATE}"),
    (
        "summary",
        {"from": "2026-02-30", "to": "2026-11-18"},
        "from: there is no such day; write YYYY-MM-DD, for example 2026-01-31",
    ),
    (
        "summary",
        {"from": "1066-10-14", "to": "2026-11-18"},
        "from: must lie between 2000-01-01 and 2149-06-05",
    ),
    (
        "timeseries",
        {"from": "2026-11-19", "to": "2026-11-18"},
        "from: lies after `to`; swap the two",
    ),
    (
        "timeseries",
        {"from": "2020-11-18", "to": "2026-11-18"},
        "to: more than five years; ask for a part",
    ),
    (
        "timeseries",
        GOOD | {"interval": "hour"},
        "interval: must be 'day', 'week' or 'month'",
    ),
    (
        "summary",
        GOOD | {"colour": "red"},
        "colour: no such field here; known are from, product, seller, to",
    ),
    ("summary", GOOD | {"product": ""}, "product: must have 1 to 128 characters"),
    ("summary", GOOD | {"product": "x" * 129}, "product: must have 1 to 128 characters"),
    ("summary", GOOD | {"product": "a\nb"}, "product: must not hold control characters"),
    ("breakdown", GOOD, "by: missing"),
    (
        "breakdown",
        GOOD | {"by": "country"},
        "by: must be 'source', 'campaign', 'device', 'browser', 'os' or 'hour'",
    ),
    ("products", GOOD | {"limit": "0"}, "limit: must be a whole number from 1 to 1000"),
    ("products", GOOD | {"limit": "ten"}, "limit: must be a whole number from 1 to 1000"),
    (
        "products",
        GOOD | {"limit": "1001"},
        "limit: input should be less than or equal to 1000",
    ),
    (
        "products",
        GOOD | {"cursor": "abc"},
        "cursor: not one of ours; send `next` of the page before, unchanged",
    ),
    (
        "products",
        GOOD | {"cursor": base64.urlsafe_b64encode(b"[" * 1400).decode()},
        "cursor: not one of ours; send `next` of the page before, unchanged",
    ),
    ("export.csv", GOOD | {"for": "word"}, "for: must be 'excel'"),
    (
        "report",
        {"week": "0001-W01"},
        "week: must be an ISO week that exists, for example 2026-W07",
    ),
]


@pytest.mark.parametrize(("endpoint", "query", "message"), REFUSALS)
def test_a_bad_parameter_is_named_with_what_would_do(
    endpoint: str, query: dict[str, Any], message: str, site: Site
) -> None:
    """Somebody's script asks for what can't be answered: 400, the field, and a sentence that
    doesn't repeat what was sent."""
    answer = site.ask(f"/api/v1/{endpoint}", bearer=token("stats", "someone"), **query)

    assert answer.status == 400
    assert answer.json == {
        "error": {
            "code": "bad-request",
            "message": message,
            "field": message.partition(":")[0],
        }
    }
    assert answer.headers["content-type"] == "application/json"


def test_a_parameter_given_twice_is_refused(site: Site) -> None:
    """Two values for one name would leave it to chance which one counts."""
    answer = site.ask(
        "/api/v1/summary?from=2026-11-01&from=2026-11-02&to=2026-11-03",
        bearer=token("stats", "someone"),
    )

    assert (answer.status, answer.message) == (400, "from: given twice; once is enough")


@pytest.mark.parametrize(
    ("bearer", "message"),
    [
        (None, "Authorization: missing; send `Authorization: Bearer <token>`"),
        ("nonsense", "token: it can't be read as a JWT"),
        (
            partial(token, "location"),
            'token: its scope is "location", needed is operator or stats',
        ),
        (
            partial(token, "login", "someone"),  # made in the test: it lives for two minutes
            'token: its scope is "login", needed is operator or stats',
        ),
    ],
)
def test_a_token_that_does_not_fit_is_refused_with_the_reason(
    bearer: str | Callable[[], str] | None, message: str, site: Site
) -> None:
    """Nothing but a stats or operator token opens the API, whatever else is asked; the answer
    says why, in the shape of every other error."""
    bearer = bearer() if callable(bearer) else bearer
    answer = site.ask("/api/v1/summary", bearer=bearer, colour="red")

    assert answer.status == 401
    assert answer.json == {
        "error": {"code": "unauthorised", "message": message, "field": "Authorization"}
    }
    assert answer.headers["www-authenticate"] == 'Bearer realm="collector"'


def test_an_unknown_address_and_a_wrong_method_are_told_in_the_same_shape(site: Site) -> None:
    """A typing error in the path, or POST where GET is meant: still the one error shape."""
    unknown = site.ask("/api/v1/sumary", bearer=token("stats", "someone"))
    posted = site.ask("/api/v1/summary", method="POST")

    assert (unknown.status, unknown.json["error"]["code"]) == (404, "not-found")
    assert unknown.message == "There is nothing at this address."
    assert (posted.status, posted.json["error"]["code"]) == (405, "bad-method")
    assert sorted(posted.headers["allow"].split(", ")) == ["GET", "HEAD"]


def test_a_bug_of_ours_is_told_in_the_same_shape(serve: Callable[..., Site], book: Book) -> None:
    """The calendar breaks, which no reader can cure: 500, the shape of every other error, and
    not a word of what happened."""
    site = serve()
    book.states = None  # type: ignore[assignment]  # the bug

    answer = site.ask("/api/v1/summary", bearer=token("stats", "someone"), **GOOD)
    page = site.ask("/dashboard/", headers={"Cookie": site.sign_in("someone")})

    assert (answer.status, answer.json["error"]["code"]) == (500, "internal")
    assert answer.message == "Something went wrong on this server."
    assert page.status == 500
    assert "Something went wrong on this server." in page.text


def test_a_database_that_is_away_is_said_so(broken_site: Site) -> None:
    """The engine doesn't answer: 503, a sentence, and when to come back; no word of its own."""
    answer = broken_site.ask("/api/v1/summary", bearer=token("stats", "someone"), **GOOD)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.message == "The statistics can't be read just now; try again shortly."
