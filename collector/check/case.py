"""What `collector check` looks at: a page with a snippet, and what this installation expects."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from collector.check.fetching import Fetch, Fetched
from collector.check.page import ProductPage, Snippet


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition. `ok` is None where this command can't tell; `says` then tells how to."""

    name: str
    ok: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What this installation's settings say.

    page_tag_keys  keys under which a signature is accepted
    """

    page_tag_keys: tuple[bytes, ...]
    consent_format: str = "own"
    consent_cookie: str = ""
    consent_category: str = ""
    consent_cookie_domain: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A page with a snippet, and the means to look at it."""

    answer: Fetched
    page: ProductPage
    snippet: Snippet
    expected: Expected
    fetch: Fetch
    now: Callable[[], float]

    @property
    def origin(self) -> str:
        """The page's."""
        return origin_of(self.answer.url)

    @property
    def base_origin(self) -> str:
        """The collector's."""
        return origin_of(self.snippet.base)


def origin_of(url: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """Return the host."""
    return urlsplit(url).hostname or ""


def registrable(host: str) -> str:
    """Return the domain that one party registers and its cookies may be for."""
    return PublicSuffixList().privatesuffix(host) or host


def site_of(url: str) -> tuple[str, str]:
    """Return what browsers compare to tell one site from another."""
    return urlsplit(url).scheme, registrable(host_of(url))
