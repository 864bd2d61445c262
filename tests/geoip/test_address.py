"""How an address may be written, and which addresses belong to somebody."""

import random
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest

from geoip.address import is_public, parse, plain


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("81.82.83.84", "81.82.83.84"),
        ("81.82.83.84:443", "81.82.83.84"),
        ("2a02:587::1", "2a02:587::1"),
        ("2A02:0587:0:0:0:0:0:1", "2a02:587::1"),
        ("[2a02:587::1]", "2a02:587::1"),
        ("[2a02:587::1]:443", "2a02:587::1"),
        ("2a02:587::1:443", "2a02:587::1:443"),  # without brackets there is no port
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:81.82.83.84", "81.82.83.84"),
        ("::FFFF:5152:5354", "81.82.83.84"),
        ("[::ffff:81.82.83.84]:8080", "81.82.83.84"),
        ("64:ff9b::81.82.83.84", "81.82.83.84"),
        ("64:ff9b::5152:5354", "81.82.83.84"),
        ("64:ff9b:1::5152:5354", "64:ff9b:1::5152:5354"),  # a network's own, not RFC 6052's
        ("::81.82.83.84", "::5152:5354"),  # deprecated since 2006: not an IPv4 address
    ],
)
def test_an_address_is_read_however_it_is_written(text: str, address: str) -> None:
    """Ports and brackets are dropped, zone ids too; mapped and NAT64 addresses are IPv4 hosts."""
    assert plain(parse(text)) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "81.82.83", "81.82.83.84.85", "081.082.083.084", "81.82.83.84:", "81.82.83.84:x",
        "81.82.83.84:65536", "81.82.83.84%eth0", "81.82.83.84/24", " 81.82.83.84", "81.82.83.84\n",
        "[81.82.83.84]", "[81.82.83.84]:80", "[2a02:587::1", "2a02:587::1]", "[2a02:587::1]443",
        "[2a02:587::1]:123456", "[[2a02:587::1]]", "2a02::587::1", "2a02:587::g", "1361203028",
        "0x51525354", "81.82.83.84, 10.0.0.1", "٨١.82.83.84", "2a02:587::1%", "fe80::1%" + "e" * 99,
    ],
)  # fmt: skip
def test_anything_else_is_refused_without_a_word_of_it(text: str) -> None:
    """Neither the sentence nor the chain of causes holds the text: both could reach a log."""
    with pytest.raises(ValueError, match=r"^(must|has) ") as caught:
        parse(text)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(text) < 3 or text not in str(caught.value)


# Where our table leaves Python's, and why.
DIFFERENCES_4 = [
    IPv4Network("192.0.0.0/24"),  # protocol assignments: two anycast addresses in it are global
    IPv4Network("224.0.0.0/4"),  # multicast: Python calls it global
]
DIFFERENCES_6 = [
    IPv6Network("2001::/23"),  # protocol assignments: some of them are global
    IPv6Network("2002::/16"),  # 6to4: Python changed its mind within 3.11
    IPv6Network("3fff::/20"),  # documentation since 2024
]


def test_public_is_what_the_registries_say() -> None:
    """Compared with Python's copy of IANA's registries: at every edge of every network there, and
    at ten thousand random addresses; inside 2000::/3 only, because nothing else is in use."""
    chance = random.Random(1)
    edges = [chance.getrandbits(32) for _ in range(10_000)]
    for network in IPv4Address._constants._private_networks:  # type: ignore[attr-defined]  # no public list
        for edge in (int(network[0]), int(network[-1])):
            edges += [max(0, edge - 1), edge, min(2**32 - 1, edge + 1)]
    compared = 0
    for number in edges:
        address = IPv4Address(number)
        if not any(address in known for known in DIFFERENCES_4):
            assert is_public(address) == address.is_global, address
            compared += 1
    for number in [*_edges_6(), *(chance.getrandbits(125) + (1 << 125) for _ in range(10_000))]:
        address6 = IPv6Address(number)
        if not any(address6 in known for known in DIFFERENCES_6):
            assert is_public(address6) == address6.is_global, address6
            compared += 1
    assert compared > 19_000


def _edges_6() -> list[int]:
    edges = []
    for text in ("2001:db8::/32", "2000::/4"):
        network = IPv6Network(text)
        edges += [int(network[0]), int(network[-1]), int(network[-1]) + 1]
    return edges


@pytest.mark.parametrize("text", ["::8.8.8.8", "4000::1", "64:ff9b:1::1", "3fff::1", "2001::1",
                                  "fec0::1", "224.0.0.1", "192.0.0.9"])  # fmt: skip
def test_what_python_calls_global_and_nobody_uses_is_not_public(text: str) -> None:
    """A database's tree holds IPv4 under ::/96, so ::8.8.8.8 would be somebody's."""
    assert not is_public(ip_address(text))


def test_nothing_remembers_an_address() -> None:
    """Python's own `is_global` keeps the last 128 addresses in memory; ours asks nothing that
    keeps any, which the cache's counters show."""
    counters = type.__getattribute__(IPv4Address, "is_private").fget.cache_info
    before = counters()
    for text in ("81.82.83.84", "10.0.0.1", "2a02:587::1"):
        is_public(plain(parse(text)))
    assert counters() == before
    assert IPv4Address("81.82.83.84").is_private is False
    assert counters() != before, "the counters would not have shown it"
