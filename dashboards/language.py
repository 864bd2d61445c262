"""Language: all words, numbers and dates in the reader's language, by gettext and Babel.

Catalogues are text (`translations/*.po`) and are read at start; there is nothing to compile.
"""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_interval, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from dashboards.period import Span

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "nl": "Nederlands",
    "el": "Ελληνικά",
    "lv": "Latviešu",
}
TRANSLATIONS = Path(__file__).parent / "translations"
# English as most of Europe reads it: 31 Oct 2026, and weeks that begin on Monday.
LOCALES = {"en": "en_GB"}
WRITTEN_KEPT = 20_000  # A page writes some hundred days and numbers, most of them on every page.


@dataclass(frozen=True, slots=True)
class Language:
    """One language's words and its way of writing numbers and dates."""

    code: str
    locale: Locale
    words: gettext.NullTranslations

    def number(self, value: float) -> str:
        """Write a number: 1,234 or 1.234 or 1 234."""
        return _number(self.code, value)

    def signed(self, value: int) -> str:
        """Write a difference with its sign: +3, −2; a minus, not a hyphen."""
        return ("+" if value > 0 else "−" if value < 0 else "") + self.number(abs(value))

    def percent(self, share: float) -> str:
        """Write a share of one as per cent."""
        return format_percent(share, locale=self.locale)

    def day(self, day: date) -> str:
        """Write a day with its weekday: Sat 31 Oct 2026."""
        return _day(self.code, "yMMMEd", day)

    def short_day(self, day: date) -> str:
        """Write a day for an axis: 31 Oct."""
        return _day(self.code, "MMMd", day)

    def month(self, day: date) -> str:
        """Write a month: Oct 2026."""
        return _day(self.code, "yMMM", day)

    def span(self, span: Span) -> str:
        """Write a range: 1–31 Oct 2026."""
        return _span(self.code, span)


@cache
def language(code: str) -> Language:
    """Return one of LANGUAGES."""
    return Language(code, Locale.parse(LOCALES.get(code, code)), _words(code))


@lru_cache(WRITTEN_KEPT)
def _number(code: str, value: float) -> str:
    return format_decimal(value, locale=language(code).locale)


@lru_cache(WRITTEN_KEPT)
def _day(code: str, skeleton: str, day: date) -> str:
    return format_skeleton(skeleton, day, locale=language(code).locale)


@lru_cache(WRITTEN_KEPT)
def _span(code: str, span: Span) -> str:
    locale = language(code).locale
    if span.first == span.last:
        return format_skeleton("yMMMd", span.first, locale=locale)
    return str(format_interval(span.first, span.last, "yMMMd", locale=locale))


def _words(code: str) -> gettext.NullTranslations:
    path = TRANSLATIONS / f"{code}.po"
    if not path.exists():
        return gettext.NullTranslations()  # English is what the templates say.
    with path.open("rb") as source:
        catalogue = read_po(source, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose(asked: str | None, accept_language: str) -> Language:
    """Return the language asked for, else the first that the browser accepts, else English."""
    if asked in LANGUAGES:
        return language(asked)
    wanted = sorted(_weighted(accept_language), key=lambda pair: -pair[0])
    found = negotiate_locale([tag for _, tag in wanted], list(LANGUAGES), sep="-")
    return language(found or "en")


def _weighted(accept_language: str) -> list[tuple[float, str]]:
    """Return the header's languages with their weights; what can't be read weighs nothing."""
    pairs = []
    for part in accept_language[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if tag and quality > 0:
            pairs.append((quality, tag))
    return pairs
