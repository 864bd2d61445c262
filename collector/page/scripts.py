"""The scripts that product pages load: `beacon.js` and `consent.js`, as served.

Made once from the readable sources under `static/`: the settings filled in, blanks and comments
taken out, compressed. They are the same bytes for every visitor.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collector.consent_cookies import cookie_names
from collector.consent_managers import (
    CATEGORIES,
    OWN_TEXT_VERSION,
    REFUSING_WORDS,
    Format,
    unquoted_plain,
)
from collector.page.javascript import shrink

STATIC = Path(__file__).parents[1] / "static"
CACHE_SECONDS = 3600  # A changed setting reaches every open shop within the hour.

# What a consent manager's cookie looks like once percent-decoded: granted, then refused. CATEGORY
# stands for the configured one. The server's own readers are stricter and have the last word.
_ONETRUST = "^(?!.*(nCount=0|ngPath=[^N]|Reconsent=t)).*groups=([^&]*,)?"
_LOOKS: dict[Format, tuple[str, str]] = {
    Format.OWN: (rf"^granted(\.[\d-]+\.{OWN_TEXT_VERSION})?$", "^refused"),
    Format.COOKIEBOT: (
        "^(?!.*(method:'i|stamp:'(-1|0|)')).*[{,]CATEGORY:true",
        "^0$|[{,]CATEGORY:false",
    ),
    Format.ONETRUST: (rf"{_ONETRUST}CATEGORY:1\b", rf"{_ONETRUST}CATEGORY:0\b"),
    Format.COOKIEYES: (
        r"^(?!.*\bconsent:no)(?=.*action:yes).*\bCATEGORY:yes",
        r"^(?=.*action:yes).*\bCATEGORY:no",
    ),
    Format.COOKIECONSENT: (
        r'"(categories|level)":\[[^\]]*"CATEGORY"',
        r'"(categories|level)":\[(?![^\]]*"CATEGORY")',
    ),
    Format.KLARO: ('"CATEGORY":true', '"CATEGORY":false'),
    Format.COMPLIANZ: ("^allow$", "^deny$"),
    Format.WP_CONSENT_API: ("^allow$", "^deny$"),
}
_CONSENT_TEXTS = (
    "title question accept refuse policy settings granted refused removed off failed close"
)


@dataclass(frozen=True, slots=True)
class Look:
    """Who asks, as banner and pages show it: the controller's name, and where its policy stands."""

    controller: str = ""
    policy_url: str = ""


NOBODY = Look()


@dataclass(frozen=True, slots=True)
class Script:
    """A script as served: plain and gzip-compressed bytes, and a tag of its contents."""

    plain: bytes
    compressed: bytes
    etag: bytes

    def answer(
        self, headers: Iterable[tuple[bytes, bytes]]
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Return status, headers and body for a request with these headers."""
        asked = dict(headers)
        answer = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", b"public, max-age=%d" % CACHE_SECONDS),
            # So that a page with Cross-Origin-Embedder-Policy may load it.
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
            (b"vary", b"accept-encoding"),
            (b"etag", self.etag),
        ]
        if asked.get(b"if-none-match") == self.etag:
            return 304, answer, b""
        body = self.plain
        if re.search(rb"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", asked.get(b"accept-encoding", b"")):
            body = self.compressed
            answer.append((b"content-encoding", b"gzip"))
        answer.append((b"content-length", b"%d" % len(body)))
        return 200, answer, body


def beacon_script(format: str, cookie: str | None = None, category: str | None = None) -> Script:
    """Return `beacon.js` for one consent manager; at most 1,500 bytes compressed.

    Errors  ValueError with one sentence when the settings can't work.
    """
    names = cookie_names(format, cookie, category)
    kind = Format(format)
    if kind is Format.WP_CONSENT_API and not cookie and not category:
        names += ("wp_consent_statistics",)
    group = category or CATEGORIES[kind]
    granted, refused = _looks(kind, group)
    any_case = "i" if kind is Format.PLAIN and "|" not in group else ""
    return _script(
        "beacon.js",
        {
            "names": json.dumps(names),
            "granted": f"/{granted}/",
            "refused": f"/{refused}/{any_case}",
        },
    )


def consent_script(
    cookie: str | None = None,
    domain: str = "",
    *,
    honour_gpc: bool = True,
    honour_dnt: bool = True,
    look: Look = NOBODY,
) -> Script:
    """Return `consent.js`, the banner that writes our own consent cookie, in six languages.

    look  what the banner shows where the script's tag names no controller and no policy itself
    """
    wanted = _CONSENT_TEXTS.split()
    texts = {
        language: {name: words[name] for name in wanted} for language, words in texts_of().items()
    }
    return _script(
        "consent.js",
        {
            "cookie": json.dumps(cookie or "statistics_consent"),
            "domain": json.dumps(domain.lstrip(".")),
            "version": json.dumps(OWN_TEXT_VERSION),
            "known": json.dumps({"controller": look.controller, "policy": look.policy_url}),
            "honour": json.dumps({"gpc": honour_gpc, "dnt": honour_dnt}),
            "texts": json.dumps(texts, ensure_ascii=False),
        },
    )


@cache
def texts_of() -> Mapping[str, Mapping[str, str]]:
    """Return the texts of banner and pages: language, then name, then text."""
    texts: Mapping[str, Mapping[str, str]] = json.loads(
        (STATIC / "consent_texts.json").read_text("utf-8")
    )
    return texts


def _looks(kind: Format, category: str) -> tuple[str, str]:
    if kind is Format.PLAIN:
        granting, _, refusing = unquoted_plain(category)
        words = [refusing] if refusing else sorted(REFUSING_WORDS)
        return f"^{_literal(granting)}$", f"^({'|'.join(_literal(word) for word in words)})$"
    granted, refused = _LOOKS[kind]
    return (
        granted.replace("CATEGORY", _literal(category)),
        refused.replace("CATEGORY", _literal(category)),
    )


def _literal(text: str) -> str:
    """Return a pattern that matches just this text in a script's regular expression."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: rf"\u{ord(match[0]):04x}", text)


def _script(file: str, values: Mapping[str, str]) -> Script:
    source = (STATIC / file).read_text("utf-8")
    for name, value in values.items():
        head = f"const {name} = "
        before, found, rest = source.partition(head)
        assert found, f"{file}: {name} is not there to be filled in"
        source = before + found + value + rest[rest.index(";\n") :]
    plain = shrink(source).encode()
    tag = hashlib.blake2b(plain, digest_size=12).hexdigest()
    return Script(plain, gzip.compress(plain, 9, mtime=0), f'"{tag}"'.encode())
