"""The device: three words about a user agent, and whether it is a robot.

The user agent itself is forgotten at once: the cache knows it only by a keyed digest, whose key
lives and dies with the process. Families come from closed lists, because ua-parser copies parts
of some user agents into the family, and what a visitor wrote must not be stored.
"""

import re
from collections import OrderedDict
from typing import Any

import crawleruseragents
import ua_parser
import ua_parser_rs
import user_agents.parsers
from ua_parser.loaders import load_builtins
from ua_parser.regex import Resolver

from collector.hit import OTHER, Device

CACHE_ENTRIES_MAX = 20_000  # About 3 MB; real traffic has a few thousand user agents a day.
USER_AGENT_BYTES_MAX = 512  # In-app browsers reach 400; what comes later says nothing.

# fmt: off
BROWSERS = frozenset({
    "Android", "Chrome", "Chrome Mobile", "Chrome Mobile WebView", "Chrome Mobile iOS",
    "DuckDuckGo Mobile", "Edge", "Edge Mobile", "Facebook", "Firefox", "Firefox Focus",
    "Firefox Mobile", "Firefox iOS", "Google", "Huawei Browser", "IE", "Instagram", "LinkedIn",
    "MIUI Browser", "Mobile Safari", "Mobile Safari UI/WKWebView", "Opera", "Opera Mini",
    "Opera Mobile", "Pinterest", "QQ Browser Mobile", "Safari", "Samsung Internet", "Snapchat",
    "TikTok", "UC Browser", "Vivaldi", "WeChat", "Whale", "WhatsApp", "Yandex Browser",
})
SYSTEMS = frozenset({
    "Android", "Chrome OS", "Fedora", "Fire OS", "HarmonyOS", "KaiOS", "Linux", "Mac OS X",
    "Tizen", "Ubuntu", "Windows", "iOS", "webOS",
})
# fmt: on


class _Parsed(user_agents.parsers.UserAgent):  # type: ignore[misc]  # the library has no types
    """user-agents' rules on ua-parser's fast answer; its own constructor parses the slow way."""

    def __init__(self, text: str, result: ua_parser.DefaultedResult) -> None:
        parsers: Any = user_agents.parsers
        self.ua_string = text
        browser, system, device = result.user_agent, result.os, result.device
        self.browser = parsers.parse_browser(browser.family, browser.major, browser.minor)
        self.os = parsers.parse_operating_system(system.family, system.major, system.minor)
        self.device = parsers.parse_device(device.family, device.brand, device.model)


class Devices:
    """Reads user agents; one per process, because its tables weigh some megabytes."""

    def __init__(self, crawler_patterns: list[str] | None = None) -> None:
        # The crawler list's own matcher takes a hundred times as long; the same patterns in the
        # engine under ua-parser find the same crawlers (a test compares every known one).
        patterns = crawler_patterns or [
            entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
        ]
        self._crawlers = ua_parser_rs.UserAgentExtractor(
            [(pattern, "crawler", None, None, None, None) for pattern in patterns]
        )
        # Not ua_parser.parse: its cache would keep whole user agents.
        self._parser = ua_parser.Parser(Resolver(load_builtins()))
        self._cache: OrderedDict[int, Device] = OrderedDict()

    def __call__(self, user_agent: bytes) -> Device:
        """Return what the user agent says; an empty one says that it is a robot."""
        # Python's own hash of bytes: 64 bits of SipHash under a key of this process.
        digest = hash(user_agent)
        device = self._cache.get(digest)
        if device is None:
            device = self._parse(user_agent[:USER_AGENT_BYTES_MAX].decode("utf-8", "replace"))
            if len(self._cache) >= CACHE_ENTRIES_MAX:
                self._cache.popitem(last=False)
            self._cache[digest] = device
        return device

    def _parse(self, user_agent: str) -> Device:
        parsed = _Parsed(user_agent, self._parser.parse(user_agent).with_defaults())
        return Device(
            kind=_kind(parsed),
            browser=parsed.browser.family if parsed.browser.family in BROWSERS else OTHER,
            os=parsed.os.family if parsed.os.family in SYSTEMS else OTHER,
            is_bot=(
                not _A_LETTER.search(user_agent)
                or parsed.is_bot
                or self._crawlers.extract(user_agent) is not None
            ),
        )


_A_LETTER = re.compile("[A-Za-z]")  # Every browser says at least its name.


def _kind(parsed: _Parsed) -> str:
    if parsed.is_tablet:  # First: Android tablets are mobile to the rules below.
        return "tablet"
    if parsed.is_mobile:
        return "mobile"
    return "desktop" if parsed.is_pc else "other"
