"""Networks: those of the proxies whose word about a visitor's address is believed. Pure."""

import ipaddress
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network

NOBODY = "none"
MAPPED_BITS = 96  # of an IPv6 address before the IPv4 address that it maps


def listed(text: str) -> tuple[Network, ...]:
    """Return the networks that a text lists with commas; `none` lists none.

    Errors  ValueError with one sentence that says what would do.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts == [NOBODY]:
        return ()
    try:
        found = tuple(_network(part) for part in parts if part != "*")
    except ValueError:
        raise ValueError(
            "must list networks, for example 10.0.0.0/8,fd00::/8, or be none"
        ) from None
    if "*" in parts or any(network.prefixlen == 0 for network in found):
        raise ValueError(
            "everybody's network would believe an address that anyone can forge; "
            "name your proxies' networks, for example 10.0.0.0/8"
        )
    return found


def _network(text: str) -> Network:
    """Return the network; one that is mapped into IPv6 is the IPv4 network, as addresses are."""
    network = ipaddress.ip_network(text)
    if isinstance(network, IPv4Network):
        return network
    mapped = network.network_address.ipv4_mapped
    if mapped is None or network.prefixlen < MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - MAPPED_BITS))
