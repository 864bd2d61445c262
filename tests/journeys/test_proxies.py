"""Behind a proxy: who the visitor is, whom we believe, and what an operator learns otherwise.

Loopback has sixteen million addresses. The proxy has 127.0.0.1; visitors come from 127.0.1.x, which
the Collectors here trust as little as any address of the internet.
"""

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.journeys.asking import Answer, ask, eventually
from tests.journeys.nginx import nginx
from tests.journeys.running import FIREFOX, SAFARI, Collector, running

pytestmark = pytest.mark.slow

SETTINGS = {"TRUSTED_PROXIES": "127.0.0.1/32"}
ONE, OTHER = "127.0.1.2", "127.0.1.3"
STRANGER = "203.0.113.7"


@pytest.fixture(scope="module")
def proxy(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real nginx before the module's Collector; the port to come in by."""
    with nginx(tmp_path_factory.mktemp("proxy") / "nginx", collector.beacons) as port:
        yield port


def forwarded(value: str) -> dict[str, str]:
    """Return the header that a proxy adds, or that somebody forges."""
    return {"X-Forwarded-For": value}


def test_two_addresses_with_one_browser_are_two_visitors(
    collector: Collector, proxy: int, seller: str
) -> None:
    """Two people with the same browser look at the same product through nginx, one of them twice:
    three views, two visitors. A second browser at the first address is a third one."""
    for source in (ONE, OTHER, ONE):
        assert collector.pixel(seller, source=source, port=proxy).counted == "yes"
    assert collector.summary(seller) == (3, 2)
    assert collector.pixel(seller, source=ONE, port=proxy, agent=SAFARI).counted == "yes"
    assert collector.summary(seller) == (4, 3)


def test_a_forged_address_makes_no_visitor(collector: Collector, proxy: int, seller: str) -> None:
    """One browser invents a hundred addresses and writes them into the header itself. nginx
    appends the one that it saw, and that is the one that counts."""
    for number in range(100):
        header = forwarded(f"198.51.100.{number}")
        answer = collector.pixel(seller, source=ONE, port=proxy, headers=header)
        assert answer.counted == "yes"
    assert collector.pixel(seller, source=ONE, port=proxy).counted == "yes"
    assert collector.summary(seller) == (101, 1)


@pytest.mark.parametrize(
    "forged",
    ["127.0.0.1", "127.0.0.1, 127.0.0.1", "not an address", ",,,", "a" * 4000, "[::1]:80, x"],
)
def test_garbage_before_the_proxys_word_changes_nothing(
    collector: Collector, proxy: int, seller: str, forged: str
) -> None:
    """Whatever the client wrote, also the proxy's own address: what nginx appended decides."""
    for header in ({}, forwarded(forged)):
        answer = collector.pixel(seller, source=ONE, port=proxy, headers=header)
        assert answer.counted == "yes"
    assert collector.pixel(seller, source=OTHER, port=proxy).counted == "yes"
    assert collector.summary(seller) == (3, 2)


IPV4 = f"""
    {STRANGER} | {STRANGER}:4711 | ::ffff:{STRANGER} | [::ffff:{STRANGER}]:443 | ::ffff:cb00:7107
    | 198.51.100.1, {STRANGER} | {STRANGER}, 127.0.0.1 | x, {STRANGER}:1, 127.0.0.1:80
"""
IPV6 = """
    2001:db8:1:2::1 | [2001:db8:1:2::1] | [2001:db8:1:2::1]:443 | 2001:DB8:1:2::1
    | 2001:0db8:0001:0002:0000:0000:0000:0001 | 2001:db8:1:2:ffff:ffff:ffff:ffff
    | 2001:db8:1:2::1, 127.0.0.1 | 198.51.100.1, [2001:db8:1:2::9]:1 | 2001:db8:1:2::%eth0
"""


@pytest.mark.parametrize("spellings", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_one_address_is_one_visitor_however_it_is_spelled(
    collector: Collector, seller: str, spellings: str
) -> None:
    """Proxies write ports, brackets, capitals, zeros and mapped addresses; an IPv6 visitor whose
    privacy extension takes another address of the same /64 is still one."""
    values = " ".join(spellings.split()).split(" | ")
    for value in values:
        assert collector.pixel(seller, headers=forwarded(value)).counted == "yes", value
    assert collector.summary(seller) == (len(values), 1)


def test_other_addresses_are_other_visitors(collector: Collector, seller: str) -> None:
    """The neighbour in IPv4, the neighbouring /64 in IPv6, and an address of the other family
    whose bytes begin alike."""
    values = [STRANGER, "203.0.113.8", "2001:db8:1:2::1", "2001:db8:1:3::1", "cb00:7107::1"]
    for value in values:
        assert collector.pixel(seller, headers=forwarded(value)).counted == "yes"
    assert collector.summary(seller) == (len(values), len(values))


@pytest.mark.parametrize(
    "value",
    ["unknown", "_hidden", "203.0.113", "203.0.113.256", "2001:db8::g", "1", f"{STRANGER},"],
)
def test_a_trusted_proxy_that_forwards_no_address_is_told_so(
    collector: Collector, seller: str, value: str
) -> None:
    """Counting everybody behind it as one would be wrong, so nobody is counted; the reason names
    the header and repeats nothing of it."""
    pixel = collector.pixel(seller, headers=forwarded(value))
    assert (pixel.status, pixel.counted) == (400, "malformed")
    sentence = "X-Forwarded-For: the trusted proxy sent something that is not an address"
    assert pixel.headers["x-counted-why"] == sentence
    beacon = collector.post(seller, headers=forwarded(value))
    assert (beacon.status, beacon.message) == (400, sentence)
    assert beacon.json["error"]["field"] == "X-Forwarded-For"


def test_several_headers_are_read_as_one(collector: Collector, seller: str) -> None:
    """A proxy may append a header of its own instead of a word: the last word of the last one
    counts."""
    signature = collector.signature(seller, "p")
    for first in ("198.51.100.1", "198.51.100.2"):
        connection = HTTPConnection("127.0.0.1", collector.beacons, timeout=30)
        connection.putrequest("GET", f"/pixel.gif?seller={seller}&product=p&sig={signature}")
        connection.putheader("Cookie", "statistics_consent=granted")
        connection.putheader("User-Agent", FIREFOX)
        connection.putheader("X-Forwarded-For", first)
        connection.putheader("x-forwarded-for", STRANGER)
        connection.endheaders()
        assert connection.getresponse().headers["x-counted"] == "yes"
        connection.close()
    assert collector.summary(seller) == (2, 1)


def warnings(answer: Answer) -> list[str]:
    """Return the warnings of /readyz that speak of proxies."""
    assert answer.status == 200
    return [sentence for sentence in answer.json["warnings"] if "TRUSTED_PROXIES" in sentence]


def test_a_trusted_proxy_raises_no_warning(collector: Collector, proxy: int, seller: str) -> None:
    """All is set up as it should be, so nobody is called."""
    collector.pixel(seller, source=ONE, port=proxy)
    assert warnings(ask(collector.beacons, "GET", "/readyz")) == []
    assert warnings(ask(collector.reports, "GET", "/readyz")) == []


@pytest.mark.slow
def test_an_untrusted_forwarder_is_named_with_the_cure(directory: Path, seller: str) -> None:
    """The operator forgot to name the proxy, so all visitors are one. Both ports, status and log
    say so, with the very setting which cures it; with that setting the visitors are two, nobody
    warns any more, and no visitor's address was written anywhere on the way."""
    with running(directory, TRUSTED_PROXIES="none") as collector:
        with nginx(directory / "nginx", collector.beacons) as proxy:
            for source in (ONE, OTHER):
                assert collector.pixel(seller, source=source, port=proxy).counted == "yes"
            assert collector.summary(seller) == (2, 1)
            (sentence,) = warnings(ask(collector.beacons, "GET", "/readyz"))
            told = re.search(r"COLLECTOR_TRUSTED_PROXIES=(\S+)$", sentence)
            assert told is not None
            assert sentence.startswith("A proxy in 127.0.0.0/24 forwards visitors' addresses")
            assert warnings(ask(collector.reports, "GET", "/readyz")) == [sentence]
            assert f"WARNING  {sentence}" in collector.cli("status").splitlines()
            assert collector.output.count(sentence) == 1
            collector.stop()
            collector.settings["TRUSTED_PROXIES"] = told[1]
            collector.start()
            for source in (ONE, OTHER):
                collector.pixel(f"{seller}-cured", source=source, port=proxy)
            assert collector.summary(f"{seller}-cured") == (2, 2)
            for port in (collector.beacons, collector.reports):
                assert warnings(ask(port, "GET", "/readyz")) == []
            assert "TRUSTED_PROXIES" not in collector.cli("status")
        assert ONE not in collector.output


@pytest.mark.slow
def test_a_visitor_cannot_hide_a_forgotten_proxy(directory: Path, seller: str) -> None:
    """Some visitors' own software adds the header. However many of them came first, a forgotten
    proxy in another network is still named."""
    with running(directory, "beacons", TRUSTED_PROXIES="none") as collector:
        for source in ("127.7.7.7", "127.8.8.8", "127.0.0.1"):
            collector.pixel(seller, source=source, headers=forwarded(STRANGER))

        def told() -> list[str]:
            return warnings(ask(collector.beacons, "GET", "/readyz"))

        eventually(lambda: len(told()) == 3, "three warnings")
        assert [sentence.split()[3] for sentence in told()] == [
            "127.7.7.0/24",
            "127.8.8.0/24",
            "127.0.0.0/24",
        ]
        assert STRANGER not in "".join(told()) + collector.output
