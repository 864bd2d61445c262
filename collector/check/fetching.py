"""Fetching over HTTP for `collector check`: bounded in time, size and redirects."""

import http.client
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

SECONDS_MAX = 10
BODY_BYTES_MAX = 4 * 1024 * 1024
REDIRECTS_MAX = 5
URL_MARKS = "/?%:@!$&'()*+,;=~-._"  # Sent as they stand; everything else is percent-encoded.
CHARSET_BYTES = 1024  # How far into a page browsers look for its charset.
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
# A browser's name, because shops and this server's own checks turn programs away.
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


class Unreachable(Exception):
    """Nothing answered; the text names the host and what happened."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; `url` is where redirects ended."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of a name, or an empty text."""
        return next(iter(self.headers_named(name)), "")

    def headers_named(self, name: str) -> list[str]:
        """Return every header of a name."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def text(self) -> str:
        """The body as text, by the charset that the header or the page's beginning names."""
        named = _CHARSET.search(self.header("content-type")) or _CHARSET.search(
            self.body[:CHARSET_BYTES].decode("latin-1")
        )
        try:
            return self.body.decode(named[1] if named else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


Fetch = Callable[[str, str, Mapping[str, str], bytes], Fetched]


def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
    """Send a request, following redirects of a GET.

    Errors  Unreachable with one sentence.
    """
    for _ in range(REDIRECTS_MAX + 1):
        answer = _once(method, url, headers, body)
        target = answer.header("location")
        if method != "GET" or answer.status not in (301, 302, 303, 307, 308) or not target:
            return answer
        url = urljoin(url, target)
    raise Unreachable(f"{urlsplit(url).netloc}: more than {REDIRECTS_MAX} redirects")


def _once(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Unreachable("URL: not an address that could be asked") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable("URL: must begin with http:// or https://")
    target = quote(parts.path or "/", safe=URL_MARKS)
    if parts.query:
        target += "?" + quote(parts.query, safe=URL_MARKS)
    sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    try:
        connection = _connect(parts.scheme, parts.netloc.rpartition("@")[2])
        try:
            connection.request(method, target, body or None, sent | dict(headers))
            answer = connection.getresponse()
            content = answer.read(BODY_BYTES_MAX)
            return Fetched(url, answer.status, tuple(answer.getheaders()), content)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Unreachable(f"{parts.netloc}: {why}") from None


def _connect(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=SECONDS_MAX, context=context)
    return http.client.HTTPConnection(netloc, timeout=SECONDS_MAX)
