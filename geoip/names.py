"""A country's name in the language that was asked for.

Names come from Unicode's CLDR through Babel. Only these languages are offered, so that a caller
who sends every language there is can't fill the memory.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from babel import Locale

DEFAULT_LANGUAGE = "en"
# The Union's twenty-four, its neighbours', and the most spoken ones elsewhere.
LANGUAGES = frozenset(
    """
    bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv
    ar be bs ca eu gl he hi is ja ka ko lb mk nb nn no ru sq sr tr uk zh
    """.split()
)
HEADER_CHARACTERS_MAX = 500
_TAGS_MAX = 20
_NEGOTIATED_MAX = 4096
_negotiated: dict[int, str] = {}


@lru_cache(maxsize=len(LANGUAGES))
def _territories(language: str) -> dict[str, str]:
    return dict(Locale.parse(language).territories)


def name(country: str | None, language: str) -> str | None:
    """Return the country's name in one of LANGUAGES; None for no country."""
    if country is None:
        return None
    return _territories(language).get(country, country)


def offered(tag: str) -> str | None:
    """Return the language of LANGUAGES that serves a tag such as `de-AT`, or None."""
    primary = tag.replace("_", "-").split("-", 1)[0].strip().lower()
    return primary if primary in LANGUAGES else None


def negotiated(accept_language: bytes) -> str:
    """Return the first offered language that an Accept-Language header wants, else English.

    Why     What was found is kept under a keyed hash of the header: reading one takes as long as
            looking an address up, and a header may tell two buyers apart.
    Source  RFC 9110, 12.5.4; a tag with quality 0 is one that the reader doesn't want.
    """
    key = hash(accept_language)
    language = _negotiated.get(key)
    if language is None:
        language = _wanted(accept_language.decode("latin-1"))
        if len(_negotiated) >= _NEGOTIATED_MAX:
            _negotiated.clear()
        _negotiated[key] = language
    return language


def _wanted(accept_language: str) -> str:
    if len(accept_language) <= HEADER_CHARACTERS_MAX:
        for tag in _by_preference(accept_language.split(",")[:_TAGS_MAX]):
            if language := offered(tag):
                return language
    return DEFAULT_LANGUAGE


def _by_preference(ranges: Iterable[str]) -> Iterator[str]:
    weighed: list[tuple[float, str]] = []
    for part in ranges:
        tag, _, parameters = part.partition(";")
        quality = _quality(parameters)
        if quality > 0:
            weighed.append((quality, tag))
    # Sorting is stable: of two that are wanted alike, the first one comes first.
    for _, tag in sorted(weighed, key=lambda pair: -pair[0]):
        yield tag


def _quality(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    if key.strip() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0
