"""The privacy text: a paragraph and a cookie table for the shop's own policy, in six languages.

Filled from the settings in force, so that the policy says what the installation does.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = ("en", "de", "fr", "nl", "el", "lv")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text depends on.

    controller      the shop's name
    consent_cookie  the name of our own consent cookie; "" where a consent manager has its own
    own_cookie      the name of the cookie that leaves a browser out
    tax_cookie      the name of the cookie with the chosen country
    """

    controller: str
    breakdown_min: int
    keep_counts_days: int
    honour_gpc: bool
    honour_dnt: bool
    consent_cookie: str
    own_cookie: str
    tax_cookie: str


def privacy_text(language: str, facts: Facts) -> str:
    """Return Markdown: a heading, three paragraphs, and the table of cookies.

    Errors  ValueError for a language that we don't have.
    """
    if language not in LANGUAGES:
        raise ValueError(f"lang: {language!r} is none of {', '.join(LANGUAGES)}")
    words = _texts()[language]
    keep = facts.keep_counts_days
    kept = words["kept_days"].format(days=keep) if keep else words["kept"]
    paragraphs = [
        text.format(
            controller=facts.controller or "[…]",
            minimum=facts.breakdown_min,
            kept=kept,
            dnt=words["dnt"] if facts.honour_dnt else "",
        )
        for text in words["paragraphs"]
    ]
    if not facts.honour_gpc:
        paragraphs[2] = _without_signals(paragraphs[2])
    return "\n\n".join([f"## {words['heading']}", *paragraphs, _table(words, facts)]) + "\n"


def _without_signals(paragraph: str) -> str:
    """Leave out the sentence on browsers' signals, the second of three, where none is honoured."""
    sentences = paragraph.split(". ")
    return ". ".join(each for each in sentences if "Global Privacy Control" not in each)


def _table(words: dict[str, Any], facts: Facts) -> str:
    cookies = (
        (facts.consent_cookie, words["consent_cookie"]),
        (facts.own_cookie, words["own_cookie"]),
        (facts.tax_cookie, words["tax_cookie"]),
    )
    rows = [words["columns"], ["---"] * 3]
    rows += [[f"`{name}`", purpose, words["year"]] for name, purpose in cookies if name]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@cache
def _texts() -> dict[str, dict[str, Any]]:
    file = resources.files("collector").joinpath("static", "privacy_texts.json")
    texts: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return texts
