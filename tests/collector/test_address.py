"""The client's address: whose word is taken, and how far."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from collector.address import FORWARDED_HOPS_MAX, ClientAddress, parse

PROXY, INNER, VISITOR = "10.0.0.1", "10.0.0.2", "198.51.100.7"
FORGED = "203.0.113.9"


@pytest.fixture
def told() -> list[str]:
    """What an operator is told of forwarders."""
    return []


@pytest.fixture
def client(told: list[str]) -> ClientAddress:
    """Behind proxies in 10.0.0.0/8 and fd00::/8."""
    return ClientAddress([ip_network("10.0.0.0/8"), ip_network("fd00::/8")], told.append)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7\t", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::FFFF:c633:6407", "198.51.100.7"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(text: str, address: str) -> None:
    """With a port, in brackets, with a zone; a mapped one is the IPv4 address that it maps."""
    assert parse(text) == ip_address(address)


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "1.2.3.4 x", "::g", "\x00", "é" * 9]
)
def test_what_is_no_address_is_none(text: str) -> None:
    """RFC 7239 allows obfuscated names; nobody can be told from anybody by one."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (VISITOR, "", VISITOR),
        (PROXY, "", PROXY),
        (PROXY, VISITOR, VISITOR),
        (PROXY, f"{FORGED}, {VISITOR}", VISITOR),
        (PROXY, f"{FORGED},{VISITOR}, {INNER}", VISITOR),
        (PROXY, f"garbage, {VISITOR}", VISITOR),
        (PROXY, f"{INNER}, {PROXY}", INNER),
        (PROXY, "2001:db8::7, fd00::1", "2001:db8::7"),
        (VISITOR, FORGED, VISITOR),
        ("fd00::1", VISITOR, VISITOR),
    ],
)
def test_the_first_hop_from_the_right_that_is_no_proxy_of_ours(
    client: ClientAddress, peer: str, forwarded: str, address: str
) -> None:
    """What lies left of it was written by the client, and may be forged."""
    assert client.read(peer, forwarded.encode()) == ip_address(address)


@pytest.mark.parametrize("forwarded", ["garbage", f"{VISITOR}, garbage", f"{VISITOR},", "\xff"])
def test_a_trusted_proxys_garbage_is_nobody(client: ClientAddress, forwarded: str) -> None:
    """Counting the proxy instead would make one visitor of all."""
    assert client.read(PROXY, forwarded.encode("latin-1")) is None


def test_a_chain_is_followed_so_far_and_no_farther(client: ClientAddress) -> None:
    """A client may write a header of 60 KB; ours have a handful of hops."""
    chain = [VISITOR, *[INNER] * FORWARDED_HOPS_MAX]
    assert client.read(PROXY, ",".join(chain[1:]).encode()) == ip_address(INNER)
    assert client.read(PROXY, ",".join(chain).encode()) == ip_address(INNER)


def test_a_forwarder_is_told_of_once_by_its_network(client: ClientAddress, told: list[str]) -> None:
    """A private one is a proxy that somebody forgot; a public one may be a visitor, and stays
    without a name."""
    for peer in ("192.168.7.9", "192.168.7.10", VISITOR, FORGED):
        client.read(peer, b"198.51.100.1")
    assert len(told) == 2
    assert "192.168.7.0/24" in told[0]
    assert "COLLECTOR_TRUSTED_PROXIES=" in told[0]
    assert not any(secret in told[1] for secret in (VISITOR, FORGED, "198.51.100"))


@given(some.text(), some.text())
def test_no_header_breaks_it(peer: str, forwarded: str) -> None:
    """Nothing that anybody sends raises, and nothing is told with what was sent."""
    told: list[str] = []
    client = ClientAddress([ip_network("0.0.0.0/0")], told.append)
    client.read(peer, forwarded.encode("utf-8", "surrogatepass"))
    client.read(PROXY, forwarded.encode("utf-8", "surrogatepass"))
    assert told == []
