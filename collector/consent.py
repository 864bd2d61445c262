"""Consent: may this beacon be counted? One ordered list of checks with a closed set of outcomes.

Doubt means no. The checks read as little as they can: no address at all, and the user agent only
after the visitor's yes. Pure: keys, cookie reader and tables are arguments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from collector.beacon import PREFETCH_HEADERS, Beacon
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


Check = Callable[[Beacon, Rules], bool]


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
    return beacon.choice is Choice.REFUSED


def visitor_has_not_chosen(beacon: Beacon, rules: Rules) -> bool:
    return beacon.choice is not Choice.GRANTED


def seller_left_this_browser_out(beacon: Beacon, rules: Rules) -> bool:
    return OWN_COOKIE_BYTES in beacon.cookies and bool(
        cookie_values(beacon.cookies, OWN_COOKIE_BYTES)
    )


def nobody_is_looking(beacon: Beacon, rules: Rules) -> bool:
    headers = beacon.headers
    for name in PREFETCH_HEADERS:
        value = headers.get(name)
        if value is not None and any(word in value.lower() for word in _NOT_LOOKING):
            return True
    return False


def is_a_bot(beacon: Beacon, rules: Rules) -> bool:
    beacon.device = rules.read_device(beacon.user_agent)
    return beacon.device.is_bot


OWN_COOKIE_BYTES = OWN_COOKIE.encode()
_NOT_LOOKING = (b"prefetch", b"prerender", b"preview")

# OVER_LIMIT and UNAVAILABLE are not in the list: the door finds them out after it has the day's
# pseudonym, by which views are limited, and after the spool has answered.
CHECKS: tuple[tuple[Outcome, Check], ...] = (
    (Outcome.MALFORMED, is_malformed),  # read as bytes; no address, no user agent yet
    (Outcome.BAD_SIGNATURE, has_bad_signature),  # an unsigned pair is not a page
    (Outcome.GPC, browser_refuses_by_gpc),  # a refusal signal beats a cookie
    (Outcome.DNT, browser_refuses_by_dnt),
    (Outcome.REFUSED, visitor_refused),
    (Outcome.NO_CONSENT, visitor_has_not_chosen),
    (Outcome.OWN, seller_left_this_browser_out),
    (Outcome.PREFETCH, nobody_is_looking),
    (Outcome.BOT, is_a_bot),  # from here on the user agent is read
)


def decide(beacon: Beacon, rules: Rules) -> Outcome:
    """Return the first reason not to count the beacon, or YES."""
    for outcome, applies in CHECKS:
        if applies(beacon, rules):
            return outcome
    return Outcome.YES
