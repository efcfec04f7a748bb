"""Finds the client's address of a request that trusted proxies forward."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Proxies:
    """Trusted proxies; `X-Forwarded-For` of any other address is ignored, since anyone can write one."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """Return the last address on the request's path that is not a trusted proxy.

        Args:
            peer: the address of the connection.
            forwarded: the `X-Forwarded-For` headers, in their order.

        >>> from ipaddress import ip_network
        >>> proxies = Proxies([ip_network("10.0.0.0/24")])
        >>> proxies.client("10.0.0.1", ["203.0.113.9, 198.51.100.7", "10.0.0.2"])
        '198.51.100.7'
        >>> proxies.client("198.51.100.8", ["203.0.113.9"])
        '198.51.100.8'
        """
        way = [part.strip() for header in forwarded for part in header.split(",")]
        while way and self._trusts(peer):
            before = _address(way.pop())
            if before is None:
                break
            peer = str(before)
        return peer

    def _trusts(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self._trusted)


def place_of(client: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or the /64 that an IPv6 subscriber has whole.

    >>> place_of("::ffff:192.0.2.7"), place_of("2001:db8:0:1:2::3")
    ('192.0.2.7', '2001:db8:0:1::/64')
    """
    address = _address(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return client if address is None else str(address)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
