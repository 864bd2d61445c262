"""The device: three words from closed lists, and every crawler that is known."""

import crawleruseragents
import pytest

from collector.device import BROWSERS, SYSTEMS, Devices
from collector.hit import OTHER

KINDS = {"desktop", "mobile", "tablet", "other"}


@pytest.fixture(scope="module")
def devices() -> Devices:
    """The reader; its tables weigh some megabytes."""
    return Devices()


def test_every_known_crawler_is_a_robot(devices: Devices) -> None:
    """Every example that crawler-user-agents knows is found by our faster matcher as by its own."""
    examples = [
        agent
        for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
        for agent in entry["instances"]
        if crawleruseragents.is_crawler(agent)
    ]
    assert len(examples) > 1000
    assert [agent for agent in examples if not devices(agent.encode()).is_bot] == []


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ("desktop", "Firefox", "Linux", False),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            ("mobile", "Mobile Safari", "iOS", False),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            ("tablet", "Mobile Safari", "iOS", False),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            ("desktop", "Edge", "Windows", False),
        ),
    ],
)
def test_a_browser_is_three_words(
    devices: Devices, agent: str, said: tuple[str, str, str, bool]
) -> None:
    """Device, browser and system, and no robot."""
    assert tuple(devices(agent.encode())) == said


@pytest.mark.parametrize("agent", ["", " ", "12345", "\xff\x00", "203.0.113.7", "curl/8.14.1"])
def test_what_is_no_browser_is_a_robot(devices: Devices, agent: str) -> None:
    """Nothing, no letter, or a program."""
    assert devices(agent.encode("latin-1")).is_bot


@pytest.mark.parametrize("mark", ["Zyxmark/9", "203.0.113.7", "2001:db8::1", "ann@example.org"])
def test_nothing_that_a_visitor_wrote_comes_through(devices: Devices, mark: str) -> None:
    """Whatever stands in a user agent, only words of closed lists come out."""
    for text in (f"Mozilla/5.0 ({mark})", f"{mark}Browser/1.0", f"Mozilla/5.0 (X11; {mark} OS 7)"):
        kind, browser, system, _ = devices(text.encode())
        assert kind in KINDS
        assert browser in BROWSERS | {OTHER}
        assert system in SYSTEMS | {OTHER}
