"""Languages: every word that a reader sees, in six languages."""

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from dashboards.language import LANGUAGES, TRANSLATIONS, choose, language
from dashboards.look import HERE
from dashboards.period import Span
from tests.dashboards.running import Site, Visits

TRANSLATED = sorted(set(LANGUAGES) - {"en"})
TRIMMED = {"trim_blocks": "1", "lstrip_blocks": "1"}


def said() -> set[str | tuple[str, str]]:
    """Return every message of every template: a text, or a singular and a plural."""
    found: set[str | tuple[str, str]] = set()
    for path in sorted((HERE / "templates").iterdir()):
        with path.open("rb") as source:
            for _, _, message, _ in babel_extract(source, ("_", "ngettext"), [], TRIMMED):
                texts = [message] if isinstance(message, str) else [m for m in message or () if m]
                found.add(texts[0] if len(texts) == 1 else (texts[0], texts[1]))
    return found


def catalogue(code: str) -> Catalog:
    """Return a language's catalogue."""
    with (TRANSLATIONS / f"{code}.po").open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


def places(text: str) -> set[str]:
    """Return what a text leaves open."""
    return set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_word_is_translated(code: str) -> None:
    """A page with one English sentence in it looks broken. Each message of each template has a
    translation in all the plural forms that the language has, with the same gaps to fill, and
    no translation is left of a message that nobody says any more."""
    messages = said()
    assert "Your visitors" in messages
    translated = catalogue(code)
    known = {message.id: message for message in translated if message.id}

    assert set(known) == messages
    for id_, message in known.items():
        string = message.string or ""
        texts = [string] if isinstance(string, str) else list(string)
        assert len(texts) == (1 if isinstance(id_, str) else translated.num_plurals)
        gaps = places(id_ if isinstance(id_, str) else id_[1])
        for text in texts:
            assert text.strip(), id_
            assert places(text) - {"num"} == gaps - {"num"}, id_


def test_numbers_and_dates_are_written_as_the_reader_writes_them() -> None:
    """A thousand and a half, a share, a day and a range in six languages."""
    day, span = date(2026, 3, 1), Span(date(2026, 3, 1), date(2026, 3, 31))
    written = {
        code: (
            language(code).number(1234.5),
            language(code).percent(0.41),
            language(code).day(day),
            language(code).span(span),
        )
        for code in LANGUAGES
    }

    assert written == {
        "en": ("1,234.5", "41%", "Sun, 1 Mar 2026", "1\u201331 Mar 2026"),
        "de": ("1.234,5", "41\xa0%", "So., 1. März 2026", "1.\u201331. März 2026"),
        "fr": ("1\u202f234,5", "41\xa0%", "dim. 1 mars 2026", "1\u201331 mars 2026"),
        "nl": ("1.234,5", "41%", "zo 1 mrt 2026", "1\u201331 mrt 2026"),
        "el": ("1.234,5", "41%", "Κυρ 1 Μαρ 2026", "1\u201331 Μαρ 2026"),
        "lv": ("1\xa0234,5", "41%", "svētd., 2026. g. 1. marts", "2026. gada 1.\u201331. marts"),
    }


@pytest.mark.parametrize(
    ("asked", "header", "chosen"),
    [
        ("lv", "de", "lv"),
        (None, "de-AT,en;q=0.5", "de"),
        (None, "en;q=0.5, el", "el"),
        (None, "sv, nl;q=0.2", "nl"),
        (None, "xx;q=a, ;;, *", "en"),
        (None, "fr;q=0", "en"),
        (None, "", "en"),
    ],
)
def test_the_address_decides_and_then_the_browser(
    asked: str | None, header: str, chosen: str
) -> None:
    """A link in another language beats the browser's settings; of those the first that there is,
    by weight; English where nothing fits."""
    assert choose(asked, header).code == chosen


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_page_says_in_which_language_it_is(code: str, site: Site, visits: Visits) -> None:
    """Screen readers and translators are told, and the chosen language stays in every link."""
    visits.add("cup", 3)
    cookie = {"Cookie": site.sign_in(visits.seller)}
    page = site.ask("/dashboard/", headers=cookie, lang=code)

    assert page.headers["content-language"] == code
    assert f'<html lang="{code}">' in page.text
    assert f"range=yesterday&amp;lang={code}" in page.text or (
        f"lang={code}&amp;range=yesterday" in page.text
    )
    assert Path(HERE / "translations" / f"{code}.po").exists() == (code != "en")
