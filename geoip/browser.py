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
_COOKIE_BYTES = COOKIE.encode()
READ = frozenset(
    {b"accept-language", b"authorization", b"cookie", b"host", b"origin", b"x-forwarded-for"}
)
YEAR_SECONDS = 365 * 24 * 3600


def read(headers: Headers) -> dict[bytes, bytes]:
    """Return the headers that this door reads, by name, with all values of a repeated one.

    Why     Which of two a server reads is a way around a rule. Joined (RFC 9110 section 5.3),
            two origins, hosts or tokens are none that anybody allowed; cookies are all looked at.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in READ:
            comma = b"; " if name == b"cookie" else b","
            found[name] = found[name] + comma + value if name in found else value
    return found


def chosen_country(cookies: bytes) -> str | None:
    """Return the country in the buyer's cookie.

    Why     Read from the raw header, because cookie parsers drop what stands behind a cookie
            that they don't like. Two cookies that disagree are no choice: one of them is from a
            sibling's page, and nobody can tell which.
    """
    if _COOKIE_BYTES not in cookies:  # nearly always
        return None
    found = set()
    for pair in cookies.split(b";"):
        name, _, content = pair.strip().partition(b"=")
        if name == _COOKIE_BYTES:
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

    def is_ours(self, origin: bytes, host: bytes | None, scheme: str) -> bool:
        """Return whether a page of this very host sent the request.

        Why     A browser can't be made to lie about Host; behind a proxy that rewrites it, or
                that ends TLS, the configured address is what browsers see.
        """
        own = f"{scheme}://".encode() + host if host is not None else None
        return origin in (self._own_origin, own)

    def is_allowed(self, origin: bytes) -> bool:
        """Return whether a page elsewhere may read and write here."""
        return origin.decode("latin-1") in self.origins

    def set_cookie(self, country: str) -> str:
        """Return the Set-Cookie value that keeps a choice for a year."""
        return f"{COOKIE}={country}; Max-Age={YEAR_SECONDS}{self._attributes}"

    def forget_cookie(self) -> str:
        """Return the Set-Cookie value that takes a choice back."""
        return f"{COOKIE}=; Max-Age=0{self._attributes}"

    @property
    def _own_origin(self) -> bytes:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".encode()

    @property
    def _attributes(self) -> str:
        # Path=/, so that the shop's own server sees it too and can send it as `chosen`.
        domain = f"; Domain={self.cookie_domain}" if self.cookie_domain else ""
        secure = "; Secure" if urlsplit(self.url).scheme == "https" else ""
        return f"; Path=/{domain}; HttpOnly; SameSite=Lax{secure}"
