"""Content security policies: would a browser let this page load or reach that address? Pure.

Source  Content Security Policy Level 3, sections 6.7.2 (matching) and 6.8 (fallback directives).
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

Policy = Mapping[str, tuple[str, ...]]
FALLBACKS = {
    "script-src": ("script-src-elem", "script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "img-src": ("img-src", "default-src"),
}
PORTS = {"http": 80, "https": 443}


def policies(headers: Iterable[str]) -> list[Policy]:
    """Return every policy of a page: one header may hold several, separated by commas."""
    texts = [text for header in headers for text in header.split(",")]
    return [policy for text in texts if (policy := _policy(text))]


def allows(every: Iterable[Policy], directive: str, url: str, page: str, nonce: str = "") -> bool:
    """Return whether all of a page's policies let it use a URL.

    directive  script-src, connect-src or img-src
    nonce      of the script's tag, or an empty text
    """
    return all(_allows(policy, directive, urlsplit(url), urlsplit(page), nonce) for policy in every)


def _policy(text: str) -> Policy:
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        words = part.split()
        if words:
            found.setdefault(words[0].lower(), tuple(words[1:]))  # the first one counts
    return found


def _allows(
    policy: Policy, directive: str, url: SplitResult, page: SplitResult, nonce: str
) -> bool:
    sources = next((policy[name] for name in FALLBACKS[directive] if name in policy), None)
    if sources is None:
        return True
    if directive == "script-src":
        if nonce and f"'nonce-{nonce}'" in sources:
            return True
        if "'strict-dynamic'" in sources:  # then hosts mean nothing
            return False
    return any(_matches(source, url, page) for source in sources)


def _matches(source: str, url: SplitResult, page: SplitResult) -> bool:
    if source == "*":
        return url.scheme in ("http", "https")
    if source.lower() == "'self'":
        same_port = _port(url) == _port(page) or (url.port is None and page.port is None)
        return url.hostname == page.hostname and same_port and _scheme_fits(page.scheme, url.scheme)
    if source.startswith("'"):
        return False
    if source.endswith(":") and "/" not in source:
        return _scheme_fits(source[:-1].lower(), url.scheme)
    try:
        wanted = urlsplit(source if "://" in source else f"//{source}")
    except ValueError:  # no host at all: a browser passes it over
        return False
    if not _scheme_fits(wanted.scheme or page.scheme, url.scheme):
        return False
    return (
        _host_fits((wanted.hostname or "").lower(), (url.hostname or "").lower())
        and _port_fits(wanted.netloc, url)
        and _path_fits(wanted.path, url.path)
    )


def _scheme_fits(wanted: str, given: str) -> bool:
    """A policy for http lets https through as well."""
    return wanted == given or (wanted == "http" and given == "https")


def _host_fits(wanted: str, given: str) -> bool:
    if wanted.startswith("*."):
        return fnmatchcase(given, "*" + wanted[1:].replace("[", "[[]"))
    return wanted == given


def _port_fits(netloc: str, url: SplitResult) -> bool:
    _, colon, port = netloc.rpartition(":")
    if not colon or not (port.isdecimal() or port == "*"):
        return _port(url) == PORTS.get(url.scheme)
    return port == "*" or int(port) == _port(url)


def _port(url: SplitResult) -> int | None:
    return url.port or PORTS.get(url.scheme)


def _path_fits(wanted: str, given: str) -> bool:
    if wanted in ("", "/"):
        return True
    return given.startswith(wanted) if wanted.endswith("/") else given == wanted
