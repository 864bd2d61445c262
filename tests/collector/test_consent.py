"""Consent: the checks' order. What a single check does is seen over sockets, in journeys."""

from collections.abc import Iterator

import pytest

from collector.beacon import HEADERS_READ, Beacon, merged
from collector.consent import Outcome, Rules, decide
from collector.consent_cookies import consent_reader
from collector.hit import Device

GRANTED, REFUSED = b"statistics_consent=granted", b"statistics_consent=refused"
PERSON = Device("desktop", "Firefox", "Linux", is_bot=False)
ROBOT = PERSON._replace(is_bot=True)


class World:
    """A beacon with everything against it, and rules that say what they were asked."""

    def __init__(self) -> None:
        self.signed = False
        self.robot = True
        self.asked: list[str] = []
        self.beacon = Beacon(
            {b"sec-gpc": b"1", b"dnt": b"1", b"purpose": b"prefetch", b"user-agent": b"robot"}
        )
        self.beacon.cookies = REFUSED
        self.beacon.fault = "seller: missing"

    @property
    def outcome(self) -> Outcome:
        """What becomes of the beacon."""
        return decide(self.beacon, self._rules)

    @property
    def _rules(self) -> Rules:
        def is_signed(seller: str, product: str, signature: str) -> bool:
            self.asked.append("signature")
            return self.signed

        def read_device(user_agent: bytes) -> Device:
            self.asked.append("user agent")
            return ROBOT if self.robot else PERSON

        return Rules(is_signed, consent_reader("own"), read_device)

    def cured(self) -> Iterator[Outcome]:
        """Yield the outcome, then take the first reason away, until there is none."""
        headers = dict(self.beacon.headers)
        yield self.outcome
        self.beacon.fault = ""
        yield self.outcome
        self.signed = True
        for name in (b"sec-gpc", b"dnt"):
            yield self.outcome
            del headers[name]
            self.beacon.headers = headers
        for cookies in (b"", GRANTED + b"; collector_own=1", GRANTED):
            yield self.outcome
            self.beacon.cookies = cookies
        yield self.outcome
        del headers[b"purpose"]
        yield self.outcome
        self.robot = False
        yield self.outcome


def test_the_first_reason_decides() -> None:
    """What the page's maker has to mend first, then the browser's signals, then the visitor's
    word; a robot's is asked last. The rest is found out behind these checks."""
    seen = list(World().cured())
    later = {Outcome.OVER_LIMIT, Outcome.UNAVAILABLE}
    assert seen == [each for each in (*list(Outcome)[1:], Outcome.YES) if each not in later]


def test_nobody_without_consent_is_looked_at() -> None:
    """Neither the user agent nor, before that, the cookie of an unsigned page."""
    world = World()
    for outcome in world.cured():
        if outcome in (Outcome.PREFETCH, Outcome.BOT, Outcome.YES):
            break
        assert "user agent" not in world.asked
    assert world.outcome is Outcome.PREFETCH
    assert "user agent" not in world.asked


@pytest.mark.parametrize(("signal", "rule"), [(b"sec-gpc", "honour_gpc"), (b"dnt", "honour_dnt")])
def test_a_signal_that_is_not_honoured_is_not_heard(signal: bytes, rule: str) -> None:
    """An operator may have agreed with a supervisory authority on what DNT means."""
    beacon = Beacon({signal: b"1"})
    beacon.cookies = GRANTED
    found = {
        honoured: decide(
            beacon,
            Rules(
                lambda *_: True, consent_reader("own"), lambda _: PERSON,
                honour_gpc=honoured or rule != "honour_gpc",
                honour_dnt=honoured or rule != "honour_dnt",
            ),
        )
        for honoured in (True, False)
    }  # fmt: skip
    assert found[True] in (Outcome.GPC, Outcome.DNT)
    assert found[False] is Outcome.YES


def test_only_named_headers_are_kept() -> None:
    """What is not read can't be kept by accident; a repeated header keeps all its values, so that
    no refusal hides behind a consent."""
    headers = [
        (b"cookie", GRANTED),
        (b"x-real-ip", b"198.51.100.7"),
        (b"cookie", REFUSED),
        (b"x-forwarded-for", b"198.51.100.7"),
        (b"x-forwarded-for", b"198.51.100.8"),
    ]
    assert merged(headers) == {
        b"cookie": GRANTED + b"; " + REFUSED,
        b"x-forwarded-for": b"198.51.100.7,198.51.100.8",
    }
    assert b"x-real-ip" not in HEADERS_READ
