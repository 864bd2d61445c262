"""Languages: every word that a reader sees, in six languages."""

import html
import re
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from dashboards.language import LANGUAGES, TRANSLATIONS, choose, language
from dashboards.look import HERE
from dashboards.period import Span
from tests.dashboards.running import TODAY, Answer, Site, Visits, token

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


def test_forms_keep_the_language_of_the_address(site: Site, visits: Visits) -> None:
    """The marketplace sends a seller in with his language; making and ending a link and signing
    out don't change it, although his browser speaks another."""
    german = {"Accept-Language": "de", "Content-Type": "application/x-www-form-urlencoded"}

    def post(path: str, cookie: str = "", **fields: str) -> Answer:
        headers = german | {"Cookie": cookie}
        body = urlencode(fields).encode()
        return site.ask(path, method="POST", headers=headers, body=body)

    button = site.ask("/dashboard/login?token=x&lang=el", headers=german).text
    assert 'action="/dashboard/login?lang=el"' in button
    entered = post("/dashboard/login?lang=el", token=token("login", visits.seller))
    assert entered.headers["location"] == "/dashboard/?lang=el"
    cookie = entered.headers["set-cookie"].partition(";")[0]
    made = post("/dashboard/share?lang=el", cookie, until=TODAY.isoformat())
    assert made.headers["content-language"] == "el"
    for action in ("share", "share/end", "logout"):
        assert f'action="/dashboard/{action}?lang=el"' in made.text
    number = re.findall(r'name="number" value="(\d+)"', made.text)[0]
    ended = post("/dashboard/share/end?lang=el", cookie, number=number)
    assert ended.headers["location"] == "/dashboard/share?lang=el"
    assert post("/dashboard/logout?lang=el", cookie).headers["location"] == "/dashboard/?lang=el"
    assert post("/dashboard/logout?lang=xx", cookie).headers["location"] == "/dashboard/"


# What a seller may meet instead of numbers: an address, the status, and the sentence about it.
BAD_DAYS = (
    "These days can't be shown. Choose a first and a last day that exist, in this order and at"
    " most five years apart."
)
UNREADABLE = "Something in this address or form can't be read. Start again from the overview."
NOT_SHOWN = {
    "/dashboard/nothing": (
        404,
        "This address has no page. Perhaps it was cut off when it was copied.",
    ),
    "/dashboard/?from=2026-11-18&to=2026-11-17": (400, BAD_DAYS),
    "/dashboard/?from=2026-02-30&to=2026-03-01": (400, BAD_DAYS),
    "/dashboard/?from=2019-01-01&to=2026-11-17": (400, BAD_DAYS),
    "/dashboard/?range=never": (400, BAD_DAYS),
    "/dashboard/product": (
        400,
        "It isn't clear whose numbers you want to see. Choose them in the overview.",
    ),
    "/dashboard/?page=0": (400, UNREADABLE),
    "/dashboard/?colour=red": (400, UNREADABLE),
}


def to_a_seller(page: str) -> str:
    """Return what a page says, without what it folds away for those who run the site."""
    outside = re.sub(r"<details.*?</details>", " ", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", outside).split()))


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_why_a_page_is_not_shown_is_said_in_the_readers_language(
    code: str, site: Site, visits: Visits
) -> None:
    """Nothing at an address, days that can't be, a parameter that nobody reads: a sentence that
    says what would do, and a way back that keeps the language. What the API would have said is
    there too, in English and folded away."""
    cookie = {"Cookie": site.sign_in(visits.seller)}
    for path, (status, sentence) in NOT_SHOWN.items():
        answer = site.ask(f"{path}{'&' if '?' in path else '?'}lang={code}", headers=cookie)
        folded = re.search(r'<details.*?<p lang="en">(.+?)</p></details>', answer.text, re.DOTALL)

        assert answer.status == status
        assert language(code).words.gettext(sentence) in to_a_seller(answer.text), path
        assert folded is not None
        assert folded[1] not in to_a_seller(answer.text)
        assert f'<a class="button" href="/dashboard/?lang={code}">' in answer.text
        if code != "en":
            assert sentence not in to_a_seller(answer.text)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_session_or_link_that_has_ended_is_said_in_the_readers_language(
    code: str, site: Site
) -> None:
    """Nobody is signed in, a session is none of ours, a shared link is over."""
    said = language(code).words.gettext
    nobody = site.ask("/dashboard/", lang=code)
    ended = site.ask("/dashboard/", headers={"Cookie": "collector_session=x.y.z"}, lang=code)
    link = site.ask("/dashboard/shared/none/", lang=code)

    assert [answer.status for answer in (nobody, ended, link)] == [401, 401, 404]
    assert said("You are signed out") in to_a_seller(nobody.text)
    assert said("Your sign-in has ended") in to_a_seller(ended.text)
    assert said("This link has ended") in to_a_seller(link.text)
    assert "<details" in ended.text
    for answer in (nobody, ended, link):
        assert "token" not in to_a_seller(answer.text)
