"""A country's name in the language that the reader wants."""

import pytest

from geoip.names import LANGUAGES, name, negotiated
from geoip.territory import COUNTRIES
from tests.geoip.running import Server

ATHENS = "147.102.1.1"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5, el;q=0.9", "el"),
        ("tlh, sjn;q=0.9, lv;q=0.1", "lv"),
        ("fr;q=0, nl", "nl"),
        ("*", "en"),
        ("EL-gr", "el"),
        ("de;q=x, fr;q=0.1", "fr"),
        ("de;q=-1", "en"),
        (",,;;=", "en"),
        ("x-" * 400, "en"),
    ],
)
def test_the_header_is_read_by_its_weights(header: str, language: str) -> None:
    """RFC 9110: highest quality first, zero means no, what we don't offer is passed over."""
    assert negotiated(header.encode()) == language


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_country_has_a_name_in_every_language(language: str) -> None:
    """No cart shows a bare code: Babel's data is complete for all that we offer."""
    names = {code: name(code, language) for code in COUNTRIES}
    assert {code for code, text in names.items() if not text or text == code} == set()


def test_the_body_beats_the_header(server: Server) -> None:
    """The marketplace's server speaks for a buyer; its own header says nothing about them."""
    answer = server.post({"ip": ATHENS, "lang": "fr"}, **{"accept-language": "de"})
    assert answer.json()["name"] == "Grèce"
    assert answer.json()["language"] == "fr"


def test_the_browser_gets_its_own_language(server: Server) -> None:
    """`?lang=` beats Accept-Language, for a shop with a language switch."""
    browser = {"x-forwarded-for": ATHENS, "accept-language": "de-CH"}
    assert server.http.get("/location", headers=browser).json()["name"] == "Griechenland"
    chosen = server.http.get("/location", params={"lang": "el"}, headers=browser)
    assert chosen.json()["name"] == "Ελλάδα"
    assert chosen.headers["content-language"] == "el"
    refused = server.http.get("/location", params={"lang": "tlh"}, headers=browser)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "lang")
