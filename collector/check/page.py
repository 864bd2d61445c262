"""A product's page as its HTML stands: which of our snippets are in it, and its policies. Pure."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

SNIPPETS_MAX = 20
NAMES = ("seller", "product", "sig")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One snippet.

    url          of the script or the image, absolute; empty where there is none to be fetched
    base         the collector's address that it belongs to, without a slash at its end
    is_pixel     the image for pages without JavaScript
    in_noscript  stands inside <noscript>, whose images Turbo loads for everybody
    """

    url: str
    base: str
    seller: str
    product: str
    signature: str
    nonce: str = ""
    is_pixel: bool = False
    in_noscript: bool = False


@dataclass(frozen=True, slots=True)
class ProductPage:
    """What was found in a page; `policies` are those of its <meta> elements."""

    snippets: tuple[Snippet, ...]
    policies: tuple[str, ...]


def read_page(html: str, url: str) -> ProductPage:
    """Return what a page's HTML holds of ours."""
    parser = _Parser(url)
    parser.feed(html)
    parser.close()
    return ProductPage(tuple(parser.snippets), tuple(parser.policies))


class _Parser(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = url
        self._noscript = 0
        self.snippets: list[Snippet] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and given.get("href"):
            self._base = _joined(self._base, given["href"]) or self._base
        elif tag == "noscript":
            self._noscript += 1
        elif tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policies.append(given.get("content", ""))
        elif len(self.snippets) < SNIPPETS_MAX:
            self._snippet(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "noscript" and self._noscript:
            self._noscript -= 1

    def _snippet(self, tag: str, given: dict[str, str]) -> None:
        url = _joined(self._base, given.get("src", ""))
        path = urlsplit(url).path
        if tag == "script" and ("data-sig" in given or path.endswith("/beacon.js")):
            seller, product, sig = (given.get(f"data-{name}", "") for name in NAMES)
            base, nonce = url.rpartition("/")[0], given.get("nonce", "")
            self.snippets.append(Snippet(url, base, seller, product, sig, nonce))
        elif tag == "img" and path.endswith("/pixel.gif"):
            query = parse_qs(urlsplit(url).query)
            seller, product, sig = (query.get(name, [""])[0] for name in NAMES)
            base, inside = url.partition("?")[0].rpartition("/")[0], bool(self._noscript)
            self.snippets.append(
                Snippet(url, base, seller, product, sig, is_pixel=True, in_noscript=inside)
            )


def _joined(base: str, written: str) -> str:
    """Return the absolute address, or an empty text where a browser wouldn't ask for it."""
    try:
        parts = urlsplit(urljoin(base, written))
        fetched = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # as for http://[ and for port 99999
        return ""
    return parts.geturl() if written and fetched else ""
