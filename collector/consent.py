"""Consent: may this beacon be counted? One ordered list of checks with a closed set of outcomes.

Doubt means no. The checks read as little as they can: no address at all, and the user agent only
after the visitor's yes. Pure: keys, cookie reader and tables are arguments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from collector.beacon import PREFETCH_HEADERS, SIGNAL_HEADERS, Beacon
from collector.consent_cookies import Reader, cookie_values
from collector.consent_managers import Choice
from collector.hit import Device

OWN_COOKIE = "collector_own"


class Outcome(StrEnum):
    """What became of a beacon; every beacon has exactly one. Told in X-Counted."""

    YES = "yes"
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad-signature"
    GPC = "gpc"
    DNT = "dnt"
    REFUSED = "refused"
    NO_CONSENT = "no-consent"
    OWN = "own"
    PREFETCH = "prefetch"
    BOT = "bot"
    OVER_LIMIT = "over-limit"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the checks go by.

    is_signed    tells whether seller, product and signature are a page of the shop
    read_choice  reads the visitor's choice from the raw Cookie header
    read_device  reads a user agent
    """

    is_signed: Callable[[str, str, str], bool]
    read_choice: Reader
    read_device: Callable[[bytes], Device]
    honour_gpc: bool = True
    honour_dnt: bool = True


def is_malformed(beacon: Beacon, rules: Rules) -> bool:
    return bool(beacon.fault)


def has_bad_signature(beacon: Beacon, rules: Rules) -> bool:
    return not rules.is_signed(beacon.seller, beacon.product, beacon.signature)


def browser_refuses_by_gpc(beacon: Beacon, rules: Rules) -> bool:
    return rules.honour_gpc and b"1" in beacon.headers.get(b"sec-gpc", b"")


def browser_refuses_by_dnt(beacon: Beacon, rules: Rules) -> bool:
    return rules.honour_dnt and b"1" in beacon.headers.get(b"dnt", b"")


def visitor_refused(beacon: Beacon, rules: Rules) -> bool:
    beacon.choice = rules.read_choice(beacon.cookies)
    return beacon.choice is _REFUSED


def visitor_has_not_chosen(beacon: Beacon, rules: Rules) -> bool:
    return beacon.choice is not _GRANTED


def seller_left_this_browser_out(beacon: Beacon, rules: Rules) -> bool:
    return OWN_COOKIE_BYTES in beacon.cookies and bool(
        cookie_values(beacon.cookies, OWN_COOKIE_BYTES)
    )


def nobody_is_looking(beacon: Beacon, rules: Rules) -> bool:
    headers = beacon.headers
    told = [headers.get(name, b"").lower() for name in PREFETCH_HEADERS]
    return any(word in value for value in told for word in _NOT_LOOKING)


def is_a_bot(beacon: Beacon, rules: Rules) -> bool:
    device = beacon.device = rules.read_device(beacon.user_agent)
    return device.is_bot


OWN_COOKIE_BYTES = OWN_COOKIE.encode()
_GRANTED, _REFUSED = Choice.GRANTED, Choice.REFUSED  # looking an enum's member up costs ten times
_YES = Outcome.YES
_NOT_LOOKING = (b"prefetch", b"prerender", b"preview")


def decide(beacon: Beacon, rules: Rules) -> Outcome:
    """Return the first reason not to count the beacon, or YES.

    OVER_LIMIT and UNAVAILABLE are not among them: the door finds those out after it has the day's
    pseudonym, by which views are limited, and after the spool has answered.
    """
    # The list of checks, in order. As calls, because looping over a table takes twice the time.
    # Most browsers send none of the headers that three of the checks read: one look finds that.
    has_signals = not SIGNAL_HEADERS.isdisjoint(beacon.headers)
    if is_malformed(beacon, rules):  # read as bytes; no address, no user agent yet
        return Outcome.MALFORMED
    if has_bad_signature(beacon, rules):  # an unsigned pair is not a page
        return Outcome.BAD_SIGNATURE
    if has_signals and browser_refuses_by_gpc(beacon, rules):  # a refusal signal beats a cookie
        return Outcome.GPC
    if has_signals and browser_refuses_by_dnt(beacon, rules):
        return Outcome.DNT
    if visitor_refused(beacon, rules):
        return Outcome.REFUSED
    if visitor_has_not_chosen(beacon, rules):
        return Outcome.NO_CONSENT
    if seller_left_this_browser_out(beacon, rules):
        return Outcome.OWN
    if has_signals and nobody_is_looking(beacon, rules):
        return Outcome.PREFETCH
    if is_a_bot(beacon, rules):  # from here on the user agent is read
        return Outcome.BOT
    return _YES
