"""What a browser brings and may do: its cookie, its origin, its language.

The cookie holds the two letters that the buyer chose and nothing else. It is essential: it exists
only after the buyer asked for it, so it needs no consent for statistics.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from geoip.territory import COUNTRIES

Headers = Iterable[tuple[bytes, bytes]]

COOKIE = "tax_country"
READ = frozenset({b"accept-language", b"authorization", b"host", b"origin"})
YEAR_SECONDS = 365 * 24 * 3600


def once(headers: Headers) -> dict[bytes, str | None]:
    """Return the headers that this door reads, by name; one that was sent twice is None.

    Why     Which of two a server reads is a way around a rule, so two are as good as none.
    """
    found: dict[bytes, str | None] = {}
    for name, value in headers:
        if name in READ:
            found[name] = None if name in found else value.decode("latin-1")
    return found


def chosen_country(headers: Headers) -> str | None:
    """Return the country in the buyer's cookie.

    Why     Read from the raw headers, because cookie parsers drop what stands behind a cookie
            that they don't like. Two cookies that disagree are no choice: one of them is from a
            sibling's page, and nobody can tell which.
    """
    found = set()
    for key, value in headers:
        if key == b"cookie":
            for pair in value.split(b";"):
                name, _, content = pair.strip().partition(b"=")
                if name == COOKIE.encode():
                    found.add(content.strip(b'" ').decode("latin-1"))
    return country if len(found) == 1 and (country := found.pop()) in COUNTRIES else None


@dataclass(frozen=True, slots=True)
class Site:
    """Where this door stands, and who may use it from a browser.

    url            how browsers reach the server; its scheme decides whether cookies are Secure
    origins        other origins that may read and write, with the buyer's cookie
    cookie_domain  None: the cookie belongs to this host alone
    """

    url: str
    origins: tuple[str, ...] = ()
    cookie_domain: str | None = None

    def is_ours(self, origin: str, host: str | None, scheme: str) -> bool:
        """Return whether a page of this very host sent the request.

        Why     A browser can't be made to lie about Host; behind a proxy that rewrites it, or
                that ends TLS, the configured address is what browsers see.
        """
        return origin == self._own_origin or (host is not None and origin == f"{scheme}://{host}")

    def is_allowed(self, origin: str) -> bool:
        """Return whether a page elsewhere may read and write here."""
        return origin in self.origins

    def set_cookie(self, country: str) -> str:
        """Return the Set-Cookie value that keeps a choice for a year."""
        return f"{COOKIE}={country}; Max-Age={YEAR_SECONDS}{self._attributes}"

    def forget_cookie(self) -> str:
        """Return the Set-Cookie value that takes a choice back."""
        return f"{COOKIE}=; Max-Age=0{self._attributes}"

    @property
    def _own_origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def _attributes(self) -> str:
        # Path=/, so that the shop's own server sees it too and can send it as `chosen`.
        domain = f"; Domain={self.cookie_domain}" if self.cookie_domain else ""
        secure = "; Secure" if urlsplit(self.url).scheme == "https" else ""
        return f"; Path=/{domain}; HttpOnly; SameSite=Lax{secure}"
