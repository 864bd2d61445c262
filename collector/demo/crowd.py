"""The crowd: who the generated visits come from. Pure; the generator of chance is an argument.

Addresses are from the ranges that are reserved for documentation (RFC 5737, RFC 3849), referrers
from the domains reserved for examples (RFC 2606): nobody real is in the history.
"""

from dataclasses import dataclass
from datetime import date
from random import Random

from collector.consent_managers import Choice
from collector.page.consent_pages import own_consent_value

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"
_IPAD = "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X)"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version"

# What a browser calls itself, the versions it comes in, and how many of a hundred have it.
BROWSERS = (
    (_WINDOWS + " " + _BLINK + "/{}.0.0.0 Safari/537.36", (136, 137, 138), 21),
    (_WINDOWS + " " + _BLINK + "/{0}.0.0.0 Safari/537.36 Edg/{0}.0.0.0", (137, 138), 8),
    (_WINDOWS[:-1] + "; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", (128, 139, 140), 6),
    (_MAC + " " + _BLINK + "/{}.0.0.0 Safari/537.36", (137, 138), 6),
    (_MAC + " " + _WEBKIT + "/{} Safari/605.1.15", ("17.6", "18.4", "18.5"), 9),
    (_LINUX[:-1] + "; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", (128, 140), 3),
    (_ANDROID + " " + _BLINK + "/{}.0.0.0 Mobile Safari/537.36", (136, 137, 138), 21),
    (_IPHONE + " " + _WEBKIT + "/{} Mobile/15E148 Safari/604.1", ("17.6", "18.4", "18.5"), 20),
    (_IPAD + " " + _WEBKIT + "/{} Mobile/15E148 Safari/604.1", ("17.6",), 6),
)
ROBOT = "Mozilla/5.0 (compatible; DemoBot/1.0; +https://example.com/bot)"
NETWORKS = ("192.0.2.{}", "198.51.100.{}", "203.0.113.{}")

# Of a hundred visitors; a choice is a cookie, a signal is a header.
CHOICES = (Choice.GRANTED, Choice.NONE, Choice.REFUSED)
CHOICES_OF_100 = (64, 21, 15)
SIGNALS = ((), ((b"sec-gpc", b"1"),), ((b"dnt", b"1"),))
SIGNALS_OF_100 = (93, 5, 2)
ROBOTS_OF_100 = 6

# Where a visit begins: the referrer, the words in the page's address, and its share.
ARRIVALS = (
    ("", "", 30),
    ("https://www.example.com/search", "", 27),
    ("https://crafts.example.org/a-quiet-table", "", 14),
    ("https://forum.example.net/t/gifts", "", 9),
    ("", "?utm_source=newsletter&utm_campaign=spring-market", 13),
    ("https://www.example.org/", "?utm_source=makers-guide&utm_campaign=workshop-tour", 7),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who visits on one day: an address, and the headers of every request."""

    address: str
    headers: tuple[tuple[bytes, bytes], ...]
    choice: Choice
    referrer: str
    query: str


def person(chance: Random, day: date) -> Person:
    """Return somebody who comes by on that day."""
    if chance.randrange(100) < ROBOTS_OF_100:
        agent, choice = ROBOT, Choice.GRANTED
    else:
        agent, choice = _browser(chance), chance.choices(CHOICES, CHOICES_OF_100)[0]
    headers = [(b"user-agent", agent.encode())]
    headers += chance.choices(SIGNALS, SIGNALS_OF_100)[0]
    if choice is not Choice.NONE:
        cookie = f"statistics_consent={own_consent_value(choice, day)}"
        headers.append((b"cookie", cookie.encode()))
    referrer, query, _ = chance.choices(ARRIVALS, [share for _, _, share in ARRIVALS])[0]
    return Person(_address(chance), tuple(headers), choice, referrer, query)


def _browser(chance: Random) -> str:
    text, versions, _ = chance.choices(BROWSERS, [share for _, _, share in BROWSERS])[0]
    return text.format(chance.choice(versions))


def _address(chance: Random) -> str:
    if chance.random() < 0.45:
        return f"2001:db8:{chance.randrange(1 << 16):x}:{chance.randrange(1 << 16):x}::1"
    return chance.choice(NETWORKS).format(chance.randrange(1, 255))
