"""Which network addresses a receiver may be at (pure): public ones, and of all others only those its settings name.

A name can be pointed anywhere by whoever answers for it. So every address it resolves to is checked, by its value and
not by its spelling, and the connection is made to an address that was checked (`ingest.delivery.connecting`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Final, TypeAlias

from pydantic import PlainSerializer, PlainValidator

from ingest.delivery.errors import Unreachable
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

HERE: Final = ("127.0.0.1", "::1")
"""What the name `localhost` stands for, whatever a resolver says (RFC 6761, 6.3)."""

METADATA: Final[frozenset[Address]] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Huawei, OpenStack
        "169.254.170.2",  # AWS, of containers
        "169.254.0.23",  # Tencent
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure, of the virtual machine's agent
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
        "fe80::a9fe:a9fe",  # OpenStack
    )
)
"""Addresses at which a cloud hands out a machine's credentials: only where the settings list exactly them."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A special use of addresses; `literal`: whether a URL that bears such an address is permission to use it."""

    text: Text
    literal: bool = True


_PRIVATE: Final = _Use(Text("专用网络", "private"))
_LOOPBACK: Final = _Use(Text("本机", "this machine"))
_LINK_LOCAL: Final = _Use(Text("链路本地", "link-local"))
_SHARED: Final = _Use(Text("运营商级 NAT", "carrier-grade NAT"))
_TEST: Final = _Use(Text("文档或测试专用", "for documentation or tests"))
_TUNNEL: Final = _Use(Text("过渡隧道", "a transition tunnel"))
_RESERVED: Final = _Use(Text("保留", "reserved"), literal=False)
_UNSPECIFIED: Final = _Use(Text("未指定", "unspecified"), literal=False)
_MULTICAST: Final = _Use(Text("组播或广播", "multicast or broadcast"), literal=False)
_METADATA: Final = _Use(Text("云主机元数据", "cloud metadata"), literal=False)

_SPECIAL: Final[Sequence[tuple[Network, _Use]]] = [  # IANA special-purpose registries, RFC 6890; the narrow ones first
    (ip_network(text), use)
    for text, use in (
        ("0.0.0.0/8", _UNSPECIFIED),
        ("10.0.0.0/8", _PRIVATE),
        ("100.64.0.0/10", _SHARED),
        ("127.0.0.0/8", _LOOPBACK),
        ("169.254.0.0/16", _LINK_LOCAL),
        ("172.16.0.0/12", _PRIVATE),
        ("192.0.0.0/24", _RESERVED),
        ("192.0.2.0/24", _TEST),
        ("192.88.99.0/24", _TUNNEL),
        ("192.168.0.0/16", _PRIVATE),
        ("198.18.0.0/15", _TEST),
        ("198.51.100.0/24", _TEST),
        ("203.0.113.0/24", _TEST),
        ("224.0.0.0/4", _MULTICAST),
        ("255.255.255.255/32", _MULTICAST),
        ("240.0.0.0/4", _RESERVED),
        ("::/128", _UNSPECIFIED),
        ("::1/128", _LOOPBACK),
        ("64:ff9b:1::/48", _TUNNEL),
        ("2001::/32", _TUNNEL),
        ("2001:2::/48", _TEST),
        ("2001::/23", _RESERVED),
        ("2001:db8::/32", _TEST),
        ("3fff::/20", _TEST),
        ("fc00::/7", _PRIVATE),
        ("fe80::/10", _LINK_LOCAL),
        ("fec0::/10", _PRIVATE),
        ("ff00::/8", _MULTICAST),
    )
]
_GLOBAL: Final = IPv6Network("2000::/3")  # all of IPv6 that was ever given out
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE: Final = IPv6Network("::/96")

_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)
_SHORTEST: Final = {4: 8, 6: 7}  # prefix lengths: a whole private network, not the whole Internet

_NETWORK: Final = Text(
    "网段或地址，如 10.20.0.0/16、10.20.3.4（IPv4 至少 /8，IPv6 至少 /7）",
    "a network or an address, such as 10.20.0.0/16 or 10.20.3.4 (/8 or longer, IPv6: /7 or longer)",
)
_PLAIN: Final = Text(
    "域名，或写全的地址，如 10.1.2.3、[fd12::3]（不用十六进制、八进制、缩写、末尾的点或 %）",
    "a name, or an address in full such as 10.1.2.3 or [fd12::3] (no hex, octal, short form, dot at the end or %)",
)


def _network(value: Any) -> Network:
    try:
        network = ip_network(value) if isinstance(value, str) else None
    except ValueError:
        network = None
    if network is None or network.prefixlen < _SHORTEST[network.version]:
        raise InvalidValue(_NETWORK)
    return network


AllowedNetwork = Annotated[Network, PlainValidator(_network), PlainSerializer(str)]
"""A network of special use in which a receiver may be, as a setting."""


class AddressRefused(Unreachable):
    """A host is at an address that its receiver may not be at; the text says what to write if it may."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.zh} {text.en}")
        self.text = text


def literal_address(host: str) -> Address | None:
    """Return the address that a host is, in its usual spelling; None: it is a name, or spelled otherwise."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def written_fault(host: str, allowed: Sequence[Network]) -> Text | None:
    """Return what is expected instead of a host as settings write it; None: nothing is wrong with it.

    Args:
        host: of a URL, without brackets, in ASCII.
        allowed: the networks its receiver may be in.
    """
    address = literal_address(host)
    if address is not None:
        return _refusal(host, [address] if _forbidden(address, allowed, literal=True) else [])
    unusual = (
        _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) or "%" in host or ":" in host or not host.strip(".")
    )
    return _PLAIN if unusual else None


def require_allowed(host: str, addresses: Sequence[Address], allowed: Sequence[Network]) -> None:
    """Check every address that a host resolves to, or that it is.

    Raises:
        AddressRefused: a receiver may not be at one of them.
    """
    literal = literal_address(host) is not None
    text = _refusal(host, [address for address in addresses if _forbidden(address, allowed, literal=literal)])
    if text is not None:
        raise AddressRefused(text)


def _forbidden(address: Address, allowed: Sequence[Network], *, literal: bool) -> bool:
    address = _unmapped(address)
    if not METADATA.isdisjoint((address, *_embedded(address))):
        return ip_network(address) not in allowed
    use = _use(address)
    return use is not None and not (literal and use.literal) and not any(address in network for network in allowed)


def _use(address: Address) -> _Use | None:
    """The special use of an address, also of one that it carries within it; None: it is a public one."""
    address = _unmapped(address)
    if address in METADATA:
        return _METADATA
    found = next((use for network, use in _SPECIAL if address in network), None)
    if found is not None or isinstance(address, IPv4Address):
        return found
    if address in _GLOBAL or address in _NAT64:
        return next((use for inner in _embedded(address) if (use := _use(inner)) is not None), None)
    return _RESERVED


def _unmapped(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses to which packets for an IPv6 address may be passed on."""
    if not isinstance(address, IPv6Address):
        return
    number = int(address)
    if address in _NAT64 or address in _COMPATIBLE or address in _NAT64_LOCAL:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:  # RFC 6052, 2.2: split around the bits 64 to 71
        yield IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()


def _refusal(host: str, wrong: Sequence[Address]) -> Text | None:
    if not wrong:
        return None
    found = [(address, use.text) for address in map(_unmapped, wrong) if (use := _use(address) or _METADATA)]
    zh = "、".join(f"{address}（{use.zh}）" for address, use in found)
    en = ", ".join(f"{address} ({use.en})" for address, use in found)
    if literal_address(host) is None:
        zh, en = f"{host} 的地址是 {zh}", f"{host} is at {en}"
    listed = ", ".join(f'"{ip_network(address)}"' for address, _ in found)
    return Text(
        f"{zh}，不向它发送；若确是接收方，在其设置中写 allow_networks = [{listed}]。",
        f"{en}: nothing is sent there; if that is the receiver, write allow_networks = [{listed}] in its settings.",
    )
