"""The source: where a visit came from, as one bounded word. Pure.

From a referrer only the registrable domain is kept, from the page's own URL only two campaign
words; a word that could be an address or an id of a person becomes `(other)`.
"""

import re
from collections import OrderedDict
from inspect import unwrap
from urllib.parse import parse_qs, urlsplit

from publicsuffixlist import PublicSuffixList

from collector.hit import DIRECT, OTHER

URL_CHARACTERS_MAX = 4096
HOST_CHARACTERS_MAX = 253  # RFC 1035
CACHE_ENTRIES_MAX = 10_000
# Without the library's memory of the last URLs that it split: a URL lives for one request.
_urlsplit = unwrap(urlsplit)
WORD = re.compile(r"[a-z0-9_.-]{1,40}")
_ID = re.compile(r"[0-9]{6}")  # Six digits in a row number a person, an order, a mailing.
_ADDRESS = re.compile(r"[0-9]{1,3}([._-][0-9]{1,3}){3}")


class Sources:
    """Reads referrers; one per process, because the public suffix list weighs a megabyte."""

    def __init__(self) -> None:
        self._suffixes = PublicSuffixList(accept_unknown=False)
        self._cache: OrderedDict[str, str] = OrderedDict()

    def __call__(self, referrer: str, url: str) -> tuple[str, str]:
        """Return source and campaign.

        source    utm_source of the page's URL, else the referrer's registrable domain, else
                  `direct` where there is no referrer; `(other)` where it can't be told
        campaign  utm_campaign of the page's URL, or an empty text
        """
        if "utm_" in url:
            source, campaign = _campaign(url)
            return source or self._domain(referrer), campaign
        return self._domain(referrer), ""

    def _domain(self, referrer: str) -> str:
        if not referrer:
            return DIRECT
        plain = _PLAIN.match(referrer)
        host = plain[1] if plain else _host(referrer)
        if not host:
            return OTHER
        domain = self._cache.get(host)
        if domain is None:
            domain = self._registrable(host)
            if len(self._cache) >= CACHE_ENTRIES_MAX:
                self._cache.popitem(last=False)
            self._cache[host] = domain
        return domain

    def _registrable(self, host: str) -> str:
        # Some hosting firms' suffixes leave a machine's address as the part that is registered.
        domain = self._suffixes.privatesuffix(host) if len(host) <= HOST_CHARACTERS_MAX else None
        return OTHER if domain is None or _ADDRESS.search(domain) else domain


def _host(url: str) -> str:
    """Return the URL's host in lower-case ASCII, or an empty text where it has none."""
    if len(url) > URL_CHARACTERS_MAX:
        url = url[:URL_CHARACTERS_MAX]
    try:
        parts = _urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https"):
            return ""
        host = host.rstrip(".").encode("idna").decode("ascii").lower()
    except ValueError:  # Also UnicodeError: a label too long, a host that is no host.
        return ""
    return host if _HOST.fullmatch(host) and not _ADDRESS.fullmatch(host) else ""


# What nearly every browser sends, where a full parse would find the same host: no user name, no
# escapes, nothing in capitals, a letter in the last label (so it can't be an address).
_PLAIN = re.compile(r"https?://((?:[a-z0-9-]{1,63}\.)+[a-z]{2,63})(?::[0-9]{1,5})?(?:[/?#]|$)")
_HOST = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


def _campaign(url: str) -> tuple[str, str]:
    try:
        query = parse_qs(_urlsplit(url[:URL_CHARACTERS_MAX]).query, max_num_fields=100)
    except ValueError:
        return "", ""
    return _word(query.get("utm_source")), _word(query.get("utm_campaign"))


def _word(values: list[str] | None) -> str:
    if not values:
        return ""
    word = values[0].strip().lower()
    if WORD.fullmatch(word) and not _ID.search(word) and not _ADDRESS.search(word):
        return word
    return OTHER
