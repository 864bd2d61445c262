"""Anonymise: the one crossing from what a visitor sent to what may be stored.

In goes a beacon with an address and a user agent; out comes a Hit, from which neither can be had
back. Pure: the day's key, the hour and the tables are arguments.
"""

import hashlib
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from collector.beacon import Beacon
from collector.hit import Hit

IPAddress = IPv4Address | IPv6Address

KEY_BYTES = 32
VISITOR_BYTES = 8


class SourceReader(Protocol):
    """Reads source and campaign from a referrer and a page's URL."""

    def __call__(self, referrer: str, url: str) -> tuple[str, str]: ...


def day_key(salt: bytes | bytearray | memoryview, visitor_key: bytes) -> bytearray:
    """Return the day's key for `visitor`: it needs both the salt and the secret.

    Shape   32 bytes in a bytearray, to be wiped with the salt.
    Why     a thief of the salt lacks the secret, a thief of the secret lacks the salt; without
            both nobody can try out addresses.
    Source  RFC 7693: keyed BLAKE2b as a key derivation.
    """
    assert len(visitor_key) == KEY_BYTES
    digest = hashlib.blake2b(salt, digest_size=KEY_BYTES, key=visitor_key, person=b"collector/day")
    return bytearray(digest.digest())


def visitor(address: IPAddress, user_agent: bytes, *, seller: str, key: bytes | bytearray) -> int:
    """Return the visitor's pseudonym for one seller and one day.

    Shape   unsigned 64-bit integer, uniform; equal inputs give equal outputs.
    Range   two of n visitors collide with probability about n^2 / 2^65: at a million visitors
            a day, about 3 in 100 million.
    Why     keyed, so nobody without the day's salt and the secret can test a guess; per seller,
            so two sellers can't join their visitors; every part is length-prefixed, so no two
            inputs run together into one. IPv6 is cut to its /64, because privacy extensions
            change the rest several times a day.
    Errors  AssertionError when the key is not 32 bytes long: a bug of ours.
    Source  RFC 7693: keyed BLAKE2b serves as a message authentication code; RFC 8981.
    """
    assert len(key) == KEY_BYTES
    packed = address.packed
    if len(packed) == 16:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        packed = mapped.packed if mapped is not None else packed[:8]
    name = seller.encode()
    message = b"%d:%b%d:%b%d:%b" % (
        len(name), name, len(packed), packed, len(user_agent), user_agent,
    )  # fmt: skip
    digest = hashlib.blake2b(message, digest_size=VISITOR_BYTES, key=key)
    return int.from_bytes(digest.digest(), "little")


def anonymise(
    beacon: Beacon,
    address: IPAddress,
    sources: SourceReader,
    *,
    hour: int,
    key: bytes | bytearray,
) -> Hit:
    """Return the hit of a beacon that may be counted. Nothing of the beacon survives in it.

    Errors  AssertionError when no check has read the user agent: a bug of ours.
    """
    device = beacon.device
    assert device is not None
    source, campaign = beacon.origin or sources(beacon.referrer, beacon.url)
    return Hit(
        hour,
        beacon.seller,
        beacon.product,
        visitor(address, beacon.user_agent, seller=beacon.seller, key=key),
        1 if beacon.seconds is None else 0,
        source,
        campaign,
        device.kind,
        device.browser,
        device.os,
        beacon.seconds or 0,
    )
