"""Schemathesis: what the API's description says, held against the running server.

The tool makes requests from the description, proper ones and improper ones, and judges each answer
by it. Its requests follow from the description alone, so every run sends the same.
"""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from schemathesis import Case, GenerationMode

from dashboards.period import SPAN_DAYS_MAX, week_of
from tests.dashboards.filled import year
from tests.dashboards.running import TODAY, Book, Site, Visits, token

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SECONDS_MAX = 200
ASKED = 40
PATHS = "summary timeseries products breakdown report export.json export.csv".split()
# How two parameters depend on each other can't be said in a description, nor what a cursor holds,
# so not everything that it allows is accepted; the second test sees to those.
NOT_CHECKED = "positive_data_acceptance"
DEPENDENT = {"from", "to", "cursor", "seller", "week"}

pytestmark = pytest.mark.slow


def run(site: Site, description: str, here: Path, bearer: str | None) -> tuple[int, str]:
    """Let the tool ask a server what a description (an address or a file) allows and forbids."""
    sent = [] if bearer is None else ["-H", f"Authorization: Bearer {bearer}"]
    done = subprocess.run(
        [
            *(str(SCHEMATHESIS), "run", description, "--url", site.url, *sent),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "30"),
            *("--generation-deterministic", "--exclude-checks", NOT_CHECKED),
        ],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_server_answers_as_it_is_described(
    signed_in: bool, site: Site, visits: Visits, book: Book, catalogue: Any, tmp_path: Path
) -> None:
    """Proper and improper requests to every endpoint, with a seller's token and with none: only
    described statuses, bodies and headers come back, what is improper is refused, and nothing
    breaks."""
    year(visits, book, catalogue)
    bearer = token("stats", visits.seller) if signed_in else None

    status, told = run(site, f"{site.url}/api/v1/openapi.json", tmp_path, bearer)

    assert status == 0, told
    assert f"{len(PATHS)} selected / {len(PATHS)} total" in told
    assert "Server error" not in told


def test_an_answer_that_is_not_as_described_is_found(
    site: Site, visits: Visits, tmp_path: Path
) -> None:
    """The same with a description that lies about one key: the tool says so."""
    lying = site.ask("/api/v1/openapi.json").json
    lying["components"]["schemas"]["ErrorDetail"]["properties"]["message"] = {"type": "integer"}
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(lying))

    status, told = run(site, str(description), tmp_path, token("stats", visits.seller))

    assert status == 1
    assert "Response violates schema" in told


@pytest.mark.parametrize("path", PATHS)
def test_what_is_described_as_allowed_is_accepted(
    path: str, site: Site, visits: Visits, book: Book, catalogue: Any
) -> None:
    """Any product, language, limit or interval that the description allows, with two ends that
    belong together or a week that is over, gets numbers and not a refusal."""
    year(visits, book, catalogue)
    operation = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json")[f"/api/v1/{path}"][
        "GET"
    ]
    bearer = token("stats", visits.seller)
    statuses: list[int] = []

    @settings(
        max_examples=ASKED,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(
        case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        ago=some.integers(7, 500),
        days=some.integers(1, SPAN_DAYS_MAX),
    )
    def asked(case: Case[Any], ago: int, days: int) -> None:
        last = TODAY - timedelta(ago)
        first = last - timedelta(days - 1)
        monday = week_of(last).first.isocalendar()
        given = {"from": f"{first}", "to": f"{last}", "week": f"{monday[0]}-W{monday[1]:02}"}
        more = {key: value for key, value in case.query.items() if key not in DEPENDENT}
        needed = {key: value for key, value in given.items() if key in case.query}
        case.query.clear()
        case.query.update(more | needed)
        answer = case.call(base_url=site.url, headers={"Authorization": f"Bearer {bearer}"})
        case.validate_response(answer)
        statuses.append(answer.status_code)

    asked()

    assert set(statuses) == {200}
