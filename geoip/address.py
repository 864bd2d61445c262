"""An address as people and programs write it, read into one that a database knows.

Nothing here remembers an address, and no error quotes one: not in its sentence, and not as the
cause that a traceback would print.
"""

import re
from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_pton

IPAddress = IPv4Address | IPv6Address

# The longest IPv6 text is 45 characters; brackets, a port and an interface's name fit too.
TEXT_CHARACTERS_MAX = 100

_WITH_PORT = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](?::(?P<port6>[0-9]{1,5}))?"
                        r"|(?P<dotted>[0-9.]+):(?P<port4>[0-9]{1,5})")  # fmt: skip
_PORT_MAX = 65535

_MAPPED_HIGH = 0xFFFF  # ::ffff:0:0/96 (RFC 4291, 2.5.5.2)
_NAT64_HIGH = 0x0064FF9B << 64  # 64:ff9b::/96 (RFC 6052)
_LOW = 0xFFFFFFFF

# What IANA's special-purpose registries take out of the internet, in rising order.
_SPECIAL_4 = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
    "192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3"
)
# Only 2000::/3 was ever given to networks; inside it these are protocols and documentation.
_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = "2001::/23 2001:db8::/32 3fff::/20"


def _ranges(networks: str) -> tuple[list[int], list[int]]:
    known = [ip_network(text) for text in networks.split()]
    return (
        [int(network.network_address) for network in known],
        [int(network.broadcast_address) for network in known],
    )


_RANGES_4, _RANGES_6 = _ranges(_SPECIAL_4), _ranges(_SPECIAL_6)
_GLOBAL_6_FIRST, _GLOBAL_6_LAST = int(_GLOBAL_6[0]), int(_GLOBAL_6[-1])


def parse(text: str) -> IPAddress:
    """Return the address in `text`.

    Shape   IPv4 in four decimal parts, or IPv6 in any spelling of RFC 4291. A port may follow an
            IPv4 address or a bracketed IPv6 one, as in a Forwarded header (RFC 7239). A zone id
            (`%eth0`) names an interface of the machine that wrote it; it is left out.
    Errors  ValueError with a sentence that doesn't quote the text.
    """
    if not text or len(text) > TEXT_CHARACTERS_MAX:
        raise ValueError(f"must have 1 to {TEXT_CHARACTERS_MAX} characters")
    return _bare(text) or _dressed(text)


def _bare(text: str) -> IPAddress | None:
    """Read what most callers send, in a fifth of the time that `ip_address` takes."""
    try:
        if ":" in text:
            return IPv6Address(inet_pton(AF_INET6, text))
        return IPv4Address(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        return None


def _dressed(text: str) -> IPAddress:
    """Read an address with a port, brackets or a zone id, or say why it is none."""
    bare = text
    if found := _WITH_PORT.fullmatch(text):
        port = found["port6"] or found["port4"]
        if port is not None and int(port) > _PORT_MAX:
            raise ValueError(f"has a port above {_PORT_MAX}")
        bare = found["bracketed"] or found["dotted"]
        if found["bracketed"] and ":" not in bare:
            raise ValueError("has brackets around something that is not an IPv6 address")
    try:
        address = ip_address(bare)
    except ValueError:
        # `from None`, because Python's own message quotes the text.
        raise ValueError("must be an IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return IPv6Address(int(address))
    return address


def plain(address: IPAddress) -> IPAddress:
    """Return the IPv4 address inside an IPv4-mapped or NAT64 one; any other comes back as it is.

    Why     Both spell an IPv4 host: a socket that listens for both families shows the first
            (RFC 4291, 2.5.5.2), a mobile network without IPv4 the second (RFC 6052).
    """
    if address.version == 6:
        high = int(address) >> 32
        if high in (_MAPPED_HIGH, _NAT64_HIGH):
            return IPv4Address(int(address) & _LOW)
    return address


def is_public(address: IPAddress) -> bool:
    """Return whether the address belongs to somebody on the internet.

    Why     A database may hold documentation and private networks all the same (the bundled one
            says Japan for 2001:db8::/32), and ::8.8.8.8 would be read as the IPv4 address there.
            Python's own `is_global` is not asked: it remembers the last 128 addresses.
    Source  IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890, RFC 9637).
    """
    number = int(address)
    if address.version == 4:
        firsts, lasts = _RANGES_4
    elif _GLOBAL_6_FIRST <= number <= _GLOBAL_6_LAST:
        firsts, lasts = _RANGES_6
    else:
        return False
    place = bisect_right(firsts, number) - 1
    return place < 0 or number > lasts[place]
