"""docs/signing.md: its programs sign what a running Collector accepts, and its vectors hold."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.journeys import backend
from tests.journeys.asking import ask
from tests.journeys.running import Collector, new_seller, running
from tests.signing.programs import KEYS, PROGRAMS, TEXT, run, source

SECRET = "collector-test-secret-0123456789"
VECTORS_AT = "2027-01-15 08:00:00"  # 1800000000 in UTC
GREEK = ("Ελλάδα", "κούπα 🫖")
LINES_MAX = 10


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One Collector for all tests here."""
    with running(tmp_path_factory.mktemp("signing") / "collector") as started:
        yield started


@pytest.fixture(scope="module")
def keys(collector: Collector) -> Mapping[str, str]:
    """What `collector key` prints, by purpose."""
    return {purpose: collector.cli("key", purpose) for purpose in KEYS}


def table(heading: str) -> dict[str, str]:
    """Return the two columns of the table under a heading's first cell, without backticks."""
    rows = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [re.findall(r"\| (.*?) (?=\|)", row) for row in rows]
    return {name.strip("`"): value.strip("`") for name, value in cells}


def vectors() -> dict[str, str]:
    """Return the document's tokens by their claims."""
    return table("claims | token")


def test_the_keys_and_page_tags_are_the_vectors() -> None:
    """Derived by a second implementation, as are the page tags."""
    found = table("what | value")
    for purpose in KEYS:
        derived = backend.encoded(backend.key(SECRET, purpose))
        assert found.pop(f"collector key {purpose}") == derived
    assert found == {
        "page tag of `anna`, `teapot-1": backend.page_tag(SECRET, "anna", "teapot-1"),
        "page tag of `Ελλάδα`, `κούπα 🫖": backend.page_tag(SECRET, *GREEK),
    }


def test_the_tokens_are_the_vectors() -> None:
    """One of each scope; each claim has a row in the table of claims."""
    found = vectors()
    assert len(found) == 4
    for text, token in found.items():
        claims = json.loads(text)
        purpose = "operator" if claims["scope"] == "operator" else "token"
        assert token == backend.signed(SECRET, text, purpose)
        assert all(f"`{name}`" in TEXT for name in claims)


@pytest.mark.slow
@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_makes_the_vectors(language: str, tmp_path: Path) -> None:
    """With the vectors' keys and clock it prints the vectors' bytes, Greek and emoji included."""
    own = {purpose: backend.encoded(backend.key(SECRET, purpose)) for purpose in KEYS}
    printed = {
        run(language, tmp_path, own, *arguments, at=VECTORS_AT)
        for arguments in (("stats", "anna"), ("location",), ("operator",))
    }
    assert printed == {token for text, token in vectors().items() if '"jti"' not in text}
    for pair in (("anna", "teapot-1"), GREEK):
        printed_tag = run(language, tmp_path, own, "page-tag", *pair)
        assert printed_tag == backend.page_tag(SECRET, *pair)


@pytest.mark.slow
@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_signs_a_page(
    collector: Collector, keys: Mapping[str, str], language: str, tmp_path: Path
) -> None:
    """A product's page with its signature counts; with another product's it does not."""
    seller = new_seller()
    signature = run(language, tmp_path, keys, "page-tag", seller, GREEK[1])
    assert collector.pixel(seller, GREEK[1], sig=signature).counted == "yes"
    assert collector.pixel(seller, "another", sig=signature).counted == "bad-signature"


@pytest.mark.slow
@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_signs_a_seller_in_once(
    collector: Collector, keys: Mapping[str, str], language: str, tmp_path: Path
) -> None:
    """The form sets a session that opens the dashboard; the same token a second time doesn't."""
    token = run(language, tmp_path, keys, "login", new_seller())
    body = urlencode({"token": token}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    first = ask(collector.reports, "POST", "/dashboard/login", form, body)
    assert first.status == 303
    cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
    assert ask(collector.reports, "GET", "/dashboard/", cookie).status == 200
    assert ask(collector.reports, "POST", "/dashboard/login", form, body).status == 401


@pytest.mark.slow
@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_asks_for_numbers_countries_and_takes_products(
    collector: Collector, keys: Mapping[str, str], language: str, tmp_path: Path
) -> None:
    """Tokens of the other three scopes open their doors, and no other."""
    seller = new_seller()
    stats, location, operator = (
        run(language, tmp_path, keys, *arguments)
        for arguments in (("stats", seller), ("location",), ("operator",))
    )
    today = datetime.now(UTC).date().isoformat()
    assert collector.api("summary", stats, from_=today, to=today).json["views"] == 0
    assert collector.api("summary", location, from_=today, to=today).status == 401
    json_type = {"Content-Type": "application/json"}
    bearer = json_type | {"Authorization": f"Bearer {location}"}
    found = ask(collector.beacons, "POST", "/location", bearer, b'{"chosen": "GR"}')
    assert found.json["country"] == "GR"
    listed = json.dumps([{"seller": seller, "product": "p", "title": "A teapot"}]).encode()
    for token, status in ((operator, 200), (stats, 401)):
        bearer = json_type | {"Authorization": f"Bearer {token}"}
        taken = ask(collector.reports, "PUT", "/operator/products", bearer, listed)
        assert taken.status == status


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_function_takes_ten_lines_at_most(language: str) -> None:
    """What a backend copies is short: from a function's first line to the next one's."""
    starts = re.compile(r"^\s*(def |function |const \w+ = \()")
    length = 0
    functions = re.split(r"^if ", source(language), maxsplit=1, flags=re.MULTILINE)[0]
    for line in functions.splitlines():
        length = 1 if starts.match(line) else length + bool(line.strip())
        assert length <= LINES_MAX, line
