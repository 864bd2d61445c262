"""The API's description: made from the types that answer, and held against real answers."""

from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.dashboards.running import TODAY, Book, Site, Visits, between, token

DAY = timedelta(days=1)
MORE: dict[str, dict[str, Any]] = {
    "breakdown": {"by": "source"},
    "timeseries": {"interval": "week"},
}
RANGED = ("summary", "timeseries", "products", "breakdown", "export.json")


def described(site: Site) -> dict[str, Any]:
    """Return the description; anyone may read it."""
    answer = site.ask("/api/v1/openapi.json")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def validator(document: dict[str, Any], endpoint: str, status: int) -> Draft202012Validator:
    """Return what checks an endpoint's JSON."""
    responses = document["paths"][f"/api/v1/{endpoint}"]["get"]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize("endpoint", RANGED)
def test_real_answers_are_as_described(
    endpoint: str, site: Site, visits: Visits, book: Book
) -> None:
    """A good request, one that is refused and one without a key: each answer is what the
    description says; something else would not be."""
    document = described(site)
    book.states[TODAY - DAY] = "sealed"
    visits.count("", TODAY - DAY, 9, 9)
    visits.count("cup", TODAY - DAY, 9, 9)
    visits.cell("cup", "day", TODAY - DAY, "source", "a.example", 9)
    visits.add("cup", 2)
    asked = between(TODAY - DAY, TODAY, **MORE.get(endpoint, {}))
    bearer = token("stats", visits.seller)

    good = site.ask(f"/api/v1/{endpoint}", bearer=bearer, **asked)
    bad = site.ask(f"/api/v1/{endpoint}", bearer=bearer, colour="red", **asked)
    closed = site.ask(f"/api/v1/{endpoint}", **asked)

    for answer, status in ((good, 200), (bad, 400), (closed, 401)):
        assert answer.status == status
        check = validator(document, endpoint, status)
        assert [error.message for error in check.iter_errors(answer.json)] == []
        assert list(check.iter_errors({"else": 1})) != []


def test_every_endpoint_and_parameter_is_described(site: Site) -> None:
    """What the description names is all that an endpoint takes: a parameter left out of it is
    refused, and one in it is not."""
    paths = described(site)["paths"]
    values: dict[str, Any] = {
        "from": "2026-11-01",
        "to": "2026-11-02",
        "by": "os",
        "week": "2026-W40",
        "interval": "day",
        "limit": "5",
        "product": "x",
        "for": "excel",
        "format": "text",
        "lang": "de",
    }
    assert len(paths) == 7
    for path, operations in paths.items():
        names = {parameter["name"] for parameter in operations["get"]["parameters"]}
        asked = {name: values[name] for name in names & values.keys()}
        assert site.ask(path, bearer=token("stats", "s"), **asked).status == 200, path
        needed = {p["name"] for p in operations["get"]["parameters"] if p["required"]}
        for name in needed:
            fewer = {key: value for key, value in asked.items() if key != name}
            answer = site.ask(path, bearer=token("stats", "s"), **fewer)
            assert answer.message == f"{name}: missing"


def test_the_description_knows_each_parameters_bounds(site: Site) -> None:
    """A client made from it offers no limit of 0, no empty name, and no null in an address."""
    paths = described(site)["paths"]
    asked = {p["name"]: p["schema"] for p in paths["/api/v1/products"]["get"]["parameters"]}

    assert asked["limit"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    assert (asked["seller"]["minLength"], asked["seller"]["maxLength"]) == (1, 128)
    assert asked["cursor"] == {"type": "string", "maxLength": 2000}
    assert "null" not in str([operation["get"]["parameters"] for operation in paths.values()])
