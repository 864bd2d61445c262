"""The pages without JavaScript, and the cookies that they leave."""

from datetime import date

import pytest

from collector.consent_managers import Choice, read_own
from collector.page.consent_pages import (
    Answer,
    BadAnswer,
    consent_page,
    cookie_header,
    language,
    own_consent_value,
    own_page,
    read_answer,
)
from collector.page.scripts import Look, texts_of

LANGUAGES = list(texts_of())
LOOK = Look("Agora & Sons", "https://shop.example/privacy?a=1&b=2")


def page(lang: str = "en", **changed: object) -> str:
    """Return the consent page as a visitor without a choice gets it, unless told otherwise."""
    given = {
        "choice": Choice.NONE,
        "signalled": False,
        "said": Choice.NONE,
        "action": "/stats/consent",
        "look": LOOK,
    }
    return consent_page(lang=lang, **(given | changed)).decode()  # type: ignore[arg-type]  # any case


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_asks_with_two_buttons_in_six_languages(lang: str) -> None:
    """Controller and policy are named, and text is text, whatever stands in it."""
    text, html = texts_of()[lang], page(lang)
    assert f'<html lang="{lang}">' in html
    assert html.count("<button") == 2
    assert "Agora &amp; Sons" in html
    assert 'href="https://shop.example/privacy?a=1&amp;b=2"' in html
    assert "<script" not in html
    assert text["refused"].replace("'", "&#x27;") not in html
    own = own_page(lang=lang, left_out=True, action="/own", look=LOOK).decode()
    assert text["own_in"].replace("'", "&#x27;") in own
    assert 'value="no"' in own


def test_refusing_says_what_was_removed_and_only_then() -> None:
    """Who comes back later is told what holds, not that something was removed."""
    removed = texts_of()["en"]["removed"].replace("'", "&#x27;")
    assert removed in page(choice=Choice.REFUSED, said=Choice.REFUSED)
    assert removed not in page(choice=Choice.REFUSED)
    assert texts_of()["en"]["refused"] in page(choice=Choice.REFUSED)


def test_a_browser_that_refuses_is_not_asked() -> None:
    """GPC or DNT: statistics are off. Who had agreed before can still take that back."""
    off = texts_of()["en"]["off"]
    assert off in page(signalled=True)
    assert "<button" not in page(signalled=True)
    assert page(signalled=True, choice=Choice.GRANTED).count('value="refused"') == 1
    assert "<button" not in page(own_consent=False, choice=Choice.GRANTED)


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        ("de", "fr", "de"),
        ("", "fr-CA,en;q=0.8", "fr"),
        ("", "pt-BR, nl;q=0.5", "nl"),
        ("xx", "", "en"),
        ("../../etc", "*", "en"),
        ("EL", "", "el"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_browsers(
    asked: str, accepted: str, expected: str
) -> None:
    """Six are known; everybody else gets English."""
    assert language(asked, accepted) == expected


def test_answers_come_as_json_or_as_a_form() -> None:
    """Scripts send JSON as text/plain, because that needs no preflight; pages a form."""
    assert read_answer("text/plain;charset=UTF-8", b'{"choice":"granted"}') == Answer(
        Choice.GRANTED
    )
    withdrawn = read_answer("application/json", b'{"choice":"refused","withdrawn":true}')
    assert withdrawn == Answer(Choice.REFUSED, withdrawn=True)
    form = read_answer("application/x-www-form-urlencoded", b"choice=refused&lang=lv")
    assert form == Answer(Choice.REFUSED, is_form=True, language="lv")


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("text/plain", b"", "body: not JSON"),
        ("text/plain", b"[" * 4000, "body: not JSON"),
        ("text/plain", b'"granted"', "body: must be an object"),
        ("text/plain", b'{"choice":"granted","id":1}', "body: must be an object"),
        ("text/plain", b'{"choice":"maybe"}', "choice: must be"),
        ("text/plain", b'{"choice":true}', "choice: must be"),
        ("text/plain", b"{}", "choice: must be"),
        ("text/plain", b'{"choice":"refused","withdrawn":1}', "withdrawn: must be"),
        ("text/plain", b'{"choice":"granted","withdrawn":true}', "withdrawn: must be"),
        ("text/plain", b" " * 4097, "body: at most 4096 bytes"),
        ("image/png", b"{}", "Content-Type: must be"),
        ("application/x-www-form-urlencoded", b"choice=no", "choice: must be"),
        ("application/x-www-form-urlencoded", b"\xff", "body: not a form"),
        ("application/x-www-form-urlencoded", b"a=1&" * 20, "body: not a form"),
    ],
)
def test_a_bad_answer_names_its_field(kind: str, body: bytes, message: str) -> None:
    """Nothing is guessed, and nothing of it is repeated."""
    with pytest.raises(BadAnswer, match=message):
        read_answer(kind, body)


def test_the_cookie_keeps_choice_date_and_version_for_a_year() -> None:
    """One cookie, no id; what is written is what is read."""
    value = own_consent_value(Choice.REFUSED, date(2026, 11, 22))
    assert value == "refused.2026-11-22.1"
    assert read_own(value) is Choice.REFUSED
    assert read_own(own_consent_value(Choice.GRANTED, date(2026, 1, 2))) is Choice.GRANTED
    assert cookie_header("c", value, secure=False) == (
        f"c={value}; Path=/; Max-Age=31536000; SameSite=Lax"
    )
    assert cookie_header("c", value, secure=True, domain=".shop.example") == (
        f"c={value}; Path=/; Max-Age=31536000; Domain=shop.example; Secure; SameSite=Lax"
    )
    assert cookie_header("c", value, secure=True, cross_site=True).endswith(
        "; Secure; SameSite=None; Partitioned"
    )
    assert cookie_header("c", "", secure=False, cross_site=True) == (
        "c=; Path=/; Max-Age=0; SameSite=Lax"
    )
