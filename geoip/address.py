"""An address as people and programs write it, read into one that a database knows.

Nothing here remembers an address, and no error quotes one: not in its sentence, and not as the
cause that a traceback would print.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address

# The longest IPv6 text is 45 characters; brackets, a port and an interface's name fit too.
TEXT_CHARACTERS_MAX = 100

_WITH_PORT = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](?::(?P<port6>[0-9]{1,5}))?"
                        r"|(?P<dotted>[0-9.]+):(?P<port4>[0-9]{1,5})")  # fmt: skip
_PORT_MAX = 65535

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out to networks so far
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637; Python 3.11 doesn't know it yet


def parse(text: str) -> IPAddress:
    """Return the address in `text`.

    Shape   IPv4 in four decimal parts, or IPv6 in any spelling of RFC 4291. A port may follow an
            IPv4 address or a bracketed IPv6 one, as in a Forwarded header (RFC 7239). A zone id
            (`%eth0`) names an interface of the machine that wrote it; it is left out.
    Errors  ValueError with a sentence that doesn't quote the text.
    """
    if not text or len(text) > TEXT_CHARACTERS_MAX:
        raise ValueError(f"must have 1 to {TEXT_CHARACTERS_MAX} characters")
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
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: IPAddress) -> bool:
    """Return whether the address belongs to somebody on the internet.

    Why     A database may hold documentation and private networks all the same (the bundled one
            says Japan for 2001:db8::/32), and ::8.8.8.8 would be read as the IPv4 address there.
    Source  IANA's special-purpose address registries, as Python's `ipaddress` has them.
    """
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address not in _DOCUMENTATION
    return True
