"""Consent cookies: what the visitor told a consent manager, read from the raw Cookie header.

Pure: bytes in, a Choice out; nothing here keeps or repeats a cookie, and no error quotes one.
What a value means is its manager's business: see `consent_managers`.

The header is searched as bytes, because a raw-JSON cookie ends Python's own cookie parser and
hides every cookie behind it. Only ';' separates cookies; browsers never let it into a value.
"""

import re
from collections.abc import Callable
from functools import partial

from collector import consent_managers as managers
from collector.consent_managers import CATEGORIES, COOKIES, Choice, Format, together

HEADER_BYTES_MAX = 32 * 1024  # Browsers stop well below; a longer header holds no consent.
VALUE_BYTES_MAX = 4096  # The most that a browser keeps of one cookie.

Reader = Callable[[bytes], Choice]
_Parser = Callable[[str], Choice]

_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")  # RFC 6265: a token
_WP_STATISTICS = "wp_consent_statistics"  # asked where there is no cookie of the anonymous category
_PARSERS = {
    Format.COOKIEBOT: managers.read_cookiebot,
    Format.ONETRUST: managers.read_onetrust,
    Format.COOKIEYES: managers.read_cookieyes,
    Format.COOKIECONSENT: managers.read_cookieconsent,
    Format.KLARO: managers.read_klaro,
    Format.PLAIN: managers.read_plain,
}


def consent_reader(
    format: str,
    cookie: str | None = None,
    category: str | None = None,
) -> Reader:
    """Return the function that reads one consent manager's choice from a Cookie header.

    Shape   the reader takes the header's bytes (several headers joined with b"; ", none is b"")
            and returns a Choice; build it once from the settings.
    Why     two cookies of the name (one of the host, one of its domain) must agree: a refusal
            among them is a refusal, any other disagreement is no choice.
    Errors  ValueError with one sentence when a setting can't work. The reader raises nothing.
    """
    kind = _known_format(format)
    group = category or CATEGORIES[kind]
    names = cookie_names(format, cookie, category)
    parse: _Parser
    if kind is Format.OWN:
        parse = managers.read_own
    elif kind in (Format.COMPLIANZ, Format.WP_CONSENT_API):
        parse = managers.read_allow_or_deny
    else:
        parse = partial(_PARSERS[kind], category=group)
    if kind is Format.WP_CONSENT_API and not cookie and not category:
        return _reader(names, parse, absent=_reader((_WP_STATISTICS,), parse))
    return _reader(names, parse)


def cookie_names(
    format: str, cookie: str | None = None, category: str | None = None
) -> tuple[str, ...]:
    """Return the names of the cookies that a reader with these settings looks at.

    Errors  ValueError with one sentence when a setting can't work.
    """
    kind = _known_format(format)
    group = category or CATEGORIES[kind]
    if kind is Format.PLAIN and not (cookie and group):
        raise ValueError(
            "CONSENT_FORMAT: plain needs the cookie's name in CONSENT_COOKIE and the granting "
            "value in CONSENT_CATEGORY"
        )
    names = (cookie,) if cookie else tuple(n.format(category=group) for n in COOKIES[kind])
    if not all(_COOKIE_NAME.fullmatch(name) for name in names):
        raise ValueError("CONSENT_COOKIE: not a cookie's name; letters, digits and '_' would do")
    return names


def cookie_values(header: bytes, name: bytes) -> list[bytes]:
    """Return every value of one cookie in a raw header, in the order sent, without blanks around.

    Range   linear in the header's length; longer than HEADER_BYTES_MAX finds nothing.
    """
    if len(header) > HEADER_BYTES_MAX:
        return []
    needle = name + b"="
    before, found, after = header.partition(needle)
    values: list[bytes] = []
    while found:
        value, _, _ = after.partition(b";")
        # Ours only when nothing but blanks stands between the last ';' and the name; otherwise
        # it is the tail of a longer name or a part of another cookie's value.
        if not before.rpartition(b";")[2].strip(b" \t"):
            values.append(value.strip(b" \t"))
        if needle not in after:
            break
        before, found, after = after[len(value) :].partition(needle)
    return values


def _known_format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError:
        known = ", ".join(Format)
        raise ValueError(f"CONSENT_FORMAT: not one of {known}") from None


def _reader(names: tuple[str, ...], parse: _Parser, *, absent: Reader | None = None) -> Reader:
    encoded = tuple(name.encode("ascii") for name in names)

    def read(header: bytes) -> Choice:
        if len(encoded) == 1:
            found = cookie_values(header, encoded[0])
        else:
            found = [value for name in encoded for value in cookie_values(header, name)]
        if len(found) == 1:  # nearly always, and this is every beacon's path
            return _parsed(found[0], parse)
        if found:
            return together(_parsed(value, parse) for value in found)
        return absent(header) if absent else Choice.NONE

    return read


def _parsed(value: bytes, parse: _Parser) -> Choice:
    if len(value) > VALUE_BYTES_MAX:
        return Choice.NONE
    try:
        return parse(value.decode("utf-8"))
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested to exhaust us
        return Choice.NONE
