"""The privacy text: what the installation does, in the visitor's language."""

import json
from dataclasses import replace
from importlib import resources

import pytest

from collector.privacy.text import LANGUAGES, Facts, privacy_text

FACTS = Facts("Example Market", 7, 140, True, True, "statistics_consent", "collector_own",
              "tax_country")  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_names_what_is_in_force(language: str) -> None:
    """Who counts, the smallest group, how long counts stay, both signals, and three cookies; and
    nothing is left to fill in."""
    text = privacy_text(language, FACTS)
    for fact in ("Example Market", "7", "140", "Global Privacy Control", "Do Not Track"):
        assert fact in text
    for cookie in ("statistics_consent", "collector_own", "tax_country"):
        assert f"| `{cookie}` |" in text
    assert "{" not in text
    assert "}" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_follows_the_settings(language: str) -> None:
    """Counts kept for ever, signals not honoured, a consent manager's cookie: none is claimed."""
    facts = replace(
        FACTS, keep_counts_days=0, honour_gpc=False, honour_dnt=False, consent_cookie=""
    )
    text = privacy_text(language, facts)
    for absent in ("140", "Global Privacy Control", "Do Not Track", "statistics_consent"):
        assert absent not in text
    assert "Art. 11" in text or "11. pants" in text or "art. 11" in text or "άρθρο 11" in text
    assert "Do Not Track" not in privacy_text(language, replace(FACTS, honour_dnt=False))


def test_all_languages_say_the_same_things() -> None:
    """The same keys, as many paragraphs, and the same places to fill."""
    path = resources.files("collector").joinpath("static", "privacy_texts.json")
    texts = json.loads(path.read_text("utf-8"))
    assert tuple(texts) == LANGUAGES
    places = ("{controller}", "{minimum}", "{kept}", "{dnt}", "{days}")
    shapes = {
        (
            tuple(sorted(words)),
            len(words["paragraphs"]),
            tuple(json.dumps(words, ensure_ascii=False).count(place) for place in places),
        )
        for words in texts.values()
    }
    assert len(shapes) == 1


def test_an_unknown_language_is_refused_with_those_that_there_are() -> None:
    """The sentence names the option and what would do."""
    with pytest.raises(ValueError, match="lang: 'xx' is none of en, de, fr, nl, el, lv"):
        privacy_text("xx", FACTS)
