"""Anonymise: who is one visitor and who is another, and that nothing comes back out."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.anonymise import day_key, visitor

KEY = bytes(range(32))
AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ONE = IPv4Address("203.0.113.7")
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
SELLERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)


def number(address: str, agent: bytes = AGENT, seller: str = "anna", key: bytes = KEY) -> int:
    """Return a visitor's pseudonym."""
    parsed = IPv6Address(address) if ":" in address else IPv4Address(address)
    return visitor(parsed, agent, seller=seller, key=key)


@given(ADDRESSES, st.binary(max_size=50), SELLERS)
def test_a_pseudonym_is_64_bits_and_always_the_same(
    address: IPv4Address | IPv6Address, agent: bytes, seller: str
) -> None:
    """Equal inputs, equal outputs, in SQLite's and ClickHouse's range."""
    found = visitor(address, agent, seller=seller, key=KEY)
    assert 0 <= found < 2**64
    assert visitor(address, agent, seller=seller, key=bytearray(KEY)) == found


def test_every_part_makes_another_visitor() -> None:
    """Another address, browser, seller or day: four numbers that nobody can join."""
    found = {
        number("203.0.113.7"),
        number("203.0.113.8"),
        number("203.0.113.7", agent=AGENT + b"x"),
        number("203.0.113.7", seller="bert"),
        number("203.0.113.7", key=bytes(32)),
    }
    assert len(found) == 5


def test_ipv6_is_cut_to_its_network() -> None:
    """Privacy extensions change the last 64 bits several times a day; the first 64 tell two
    households apart."""
    same = {number(f"2001:db8:1:2:{end}") for end in (":1", ":", "ffff:ffff:ffff:ffff", "1:2:3:4")}
    assert len(same) == 1
    assert number("2001:db8:1:3::1") not in same


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_the_ipv4_address(address: IPv4Address) -> None:
    """A dual-stack socket and an IPv4 socket see the same visitor."""
    mapped = IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)
    of = {visitor(each, AGENT, seller="a", key=KEY) for each in (address, mapped)}
    assert len(of) == 1


def confusable() -> Iterator[tuple[str, bytes]]:
    """Yield pairs of seller and user agent whose plain joining would be the same bytes."""
    text = "1:a4:bbbb2:"
    for cut in range(1, len(text)):
        yield text[:cut], text[cut:].encode()


def test_parts_do_not_run_together() -> None:
    """Every part carries its length, so no seller's name and user agent can pass for another's."""
    pairs = list(confusable())
    assert len({visitor(ONE, agent, seller=seller, key=KEY) for seller, agent in pairs}) == len(
        pairs
    )
    assert number("97.58.49.58") != number("6158:3a31::")


def test_no_two_of_many_visitors_are_one() -> None:
    """A hundred thousand addresses give as many numbers; each of the 64 bits is used."""
    found = [visitor(IPv4Address(n), AGENT, seller="a", key=KEY) for n in range(100_000)]
    assert len(set(found)) == len(found)
    for bit in range(64):
        assert 0.48 < sum(each >> bit & 1 for each in found) / len(found) < 0.52


@pytest.mark.parametrize("key", [b"", KEY[:31], KEY + b"x"])
def test_a_key_of_another_length_is_a_bug(key: bytes) -> None:
    """Nothing is ever counted without the whole key."""
    with pytest.raises(AssertionError):
        visitor(ONE, AGENT, seller="a", key=key)


def test_the_days_key_needs_salt_and_secret() -> None:
    """Either of them changes all of it, and it is wiped like the salt: in place."""
    keys = [day_key(salt, secret) for salt in (KEY, bytes(32)) for secret in (KEY, bytes(32))]
    assert len({bytes(key) for key in keys}) == 4
    assert {type(key) for key in keys} == {bytearray}
    assert {len(key) for key in keys} == {32}
