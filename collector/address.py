"""The client's address: from the peer, or from a proxy that we were told to believe.

The address lives for one request. Nothing here writes, and a warning about a forwarder names its
network only where that network is private: a public peer may be a visitor.
"""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PROXIES_KNOWN_MAX = 256
FORWARDED_HOPS_MAX = 16  # Longer chains are not proxies of ours.
_SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598; `is_private` leaves it out.


def parse(text: str) -> IPAddress | None:
    """Return the address in `text`, with or without a port and brackets; None if it is none.

    An IPv4-mapped IPv6 address is the IPv4 address that it maps.
    """
    try:
        return IPv4Address(inet_pton(AF_INET, text))  # nearly always; the rest takes its time
    except (OSError, ValueError):
        pass
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        if ":" not in text:
            return IPv4Address(inet_pton(AF_INET, text))
        address = IPv6Address(inet_pton(AF_INET6, text.partition("%")[0]))
    except (OSError, ValueError):
        return None
    return address.ipv4_mapped or address


class ClientAddress:
    """Reads the client's address from an ASGI scope; believes only trusted proxies.

    Called with a scope it returns the address, or None where a trusted proxy forwarded something
    that is not an address: then nobody can be told from anybody, and the caller must not count.
    """

    def __init__(self, trusted: Sequence[Network], report: Callable[[str], None]) -> None:
        """`report` is told one sentence for every kind of untrusted forwarder, once."""
        # Numbers, because `in` makes two objects for every look and this is every beacon's path.
        self._trusted = tuple(
            (network.version, int(network.network_address), int(network.netmask))
            for network in trusted
        )
        self._proxies: dict[str, IPAddress] = {}
        self._report = report
        self._reported: set[str] = set()

    def __call__(self, scope: Mapping[str, Any]) -> IPAddress | None:
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        client = scope.get("client")
        return self.read(client[0] if client else "", b",".join(forwarded))

    def read(self, peer_text: str, forwarded: bytes) -> IPAddress | None:
        """Return the address of whoever sent the request (see the class).

        peer_text   the connection's other end
        forwarded   the values of every X-Forwarded-For header, in order, joined with commas
        """
        if not forwarded:
            return parse(peer_text)
        peer = self._proxies.get(peer_text)
        if peer is None:
            peer = parse(peer_text)
            if peer is None:
                return None
            if not self.is_trusted(peer):
                self._warn(peer)
                return peer
            # Few proxies carry all visitors, and a proxy's address is no visitor's.
            if len(self._proxies) < PROXIES_KNOWN_MAX:
                self._proxies[peer_text] = peer
        # From the right: every proxy appends the address that it saw, so what lies left of the
        # first untrusted hop was written by the client and may be forged.
        hops = forwarded.decode("latin-1").split(",")
        address: IPAddress | None = peer
        for hop in reversed(hops[-FORWARDED_HOPS_MAX:]):
            address = parse(hop)
            if address is None or not self.is_trusted(address):
                return address
        return address

    def is_trusted(self, address: IPAddress) -> bool:
        """Return whether the address is a proxy's whose word we take."""
        number, version = int(address), address.version
        for trusted_version, network, mask in self._trusted:
            if version == trusted_version and number & mask == network:
                return True
        return False

    def _warn(self, peer: IPAddress) -> None:
        network = _private_network(peer)
        if network in self._reported:
            return
        self._reported.add(network)
        self._report(
            f"A proxy {network} forwards visitors' addresses, and nobody said to trust it: "
            "everyone behind it is counted as one. "
            "List its network in COLLECTOR_TRUSTED_PROXIES, for example "
            f"COLLECTOR_TRUSTED_PROXIES={_example(peer)}"
        )


def _is_ours(peer: IPAddress) -> bool:
    return peer.is_private or peer.is_loopback or (peer.version == 4 and peer in _SHARED)


def _private_network(peer: IPAddress) -> str:
    """Name a private forwarder by its network; a public one may be a visitor and has no name."""
    if not _is_ours(peer):
        return "with a public address"
    return f"in {_network(peer)}"


def _example(peer: IPAddress) -> str:
    return str(_network(peer)) if _is_ours(peer) else "10.0.0.0/8"


def _network(peer: IPAddress) -> Network:
    if peer.version == 4:
        return IPv4Network((int(peer) & 0xFFFFFF00, 24))
    return IPv6Network((int(peer) >> 64 << 64, 64))
