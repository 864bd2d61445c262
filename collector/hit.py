"""The hit: what remains of a counted beacon, and all that may be written.

No address, no user agent, no URL: a pseudonym that is worthless without the day's salt, and a few
words from closed or bounded vocabularies.
"""

from typing import NamedTuple

NAME_CODE_POINTS_MAX = 128
OTHER = "(other)"
DIRECT = "direct"


class Hit(NamedTuple):
    """One counted view or time report; the day is the spool's.

    hour      0–23, local
    visitor   unsigned 64-bit pseudonym for one seller and one day
    view      1 for a view, 0 for a time report
    source    registrable domain, utm_source, `direct` or `(other)`
    seconds   0–1800; 0 for a view
    """

    hour: int
    seller: str
    product: str
    visitor: int
    view: int
    source: str
    campaign: str
    device: str
    browser: str
    os: str
    seconds: int


class Device(NamedTuple):
    """What a user agent says, in words of closed lists (see `device`).

    kind     desktop, mobile, tablet or other
    browser  a browser's family or `(other)`
    os       an operating system's family or `(other)`
    """

    kind: str
    browser: str
    os: str
    is_bot: bool


def is_name(text: str) -> bool:
    """Return whether a text may name a seller or a product: 1–128 code points, no controls.

    Surrogates are refused too: they can't be written as UTF-8.
    """
    if not 1 <= len(text) <= NAME_CODE_POINTS_MAX:
        return False
    if text.isprintable():
        return True
    return not any(
        code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 for code in map(ord, text)
    )
