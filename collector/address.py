"""The client's address: from the peer, or from a proxy that we were told to believe.

The address lives for one request. Nothing here writes, and a warning about a forwarder names its
network only where that network is private: a public peer may be a visitor.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Numbers = tuple[tuple[int, int, int], ...]  # version, network, mask

PROXIES_KNOWN_MAX = 256
FORWARDED_HOPS_MAX = 16  # Longer chains are not proxies of ours.
# Networks that nobody's visitor has: RFC 1918, 1122, 3927, 6598, 4193, 4291. Spelled out, because
# the standard library's `is_private` remembers the last 128 addresses that it was asked about.
_OURS = (
    "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 100.64.0.0/10"
    " ::1/128 fc00::/7 fe80::/10"
)


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
        self._trusted = _numbers(trusted)
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
        text = forwarded.decode("latin-1")
        if "," not in text:
            return parse(text)
        address: IPAddress | None = peer
        for hop in text.split(",")[: -FORWARDED_HOPS_MAX - 1 : -1]:
            address = parse(hop)
            if address is None or not self.is_trusted(address):
                return address
        return address

    def is_trusted(self, address: IPAddress) -> bool:
        """Return whether the address is a proxy's whose word we take."""
        return _is_in(address, self._trusted)

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


def _numbers(networks: Iterable[Network]) -> Numbers:
    """Return networks as numbers: `in` makes two objects a look, on every beacon's path."""
    return tuple(
        (network.version, int(network.network_address), int(network.netmask))
        for network in networks
    )


def _is_in(address: IPAddress, networks: Numbers) -> bool:
    number, version = int(address), address.version
    for network_version, network, mask in networks:
        if version == network_version and number & mask == network:
            return True
    return False


_OUR_NUMBERS = _numbers(ip_network(each) for each in _OURS.split())


def _is_ours(peer: IPAddress) -> bool:
    return _is_in(peer, _OUR_NUMBERS)


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
