"""Which addresses may be connected to: global unicast ones, and what network.private names. Pure.

Source: the IANA special-purpose address registries for IPv4 and IPv6.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.egress.hosts import Address, shown

Network = IPv4Network | IPv6Network

_METADATA = frozenset(
    {"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"}
)
_SPECIAL_V4 = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_SPECIAL_V6 = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
# Interface identifiers of ISATAP: 32 bits that say so, then an IPv4 address.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def refusal(address: Address, private: Iterable[Network] = ()) -> str:
    """What speaks against connecting to the address (`a private address`), "" when nothing does."""
    plain = _unmapped(address)
    if any(plain in network for network in private):
        return ""
    if str(plain) in _METADATA:
        return "a cloud's metadata address"
    return _special_v4(plain) if isinstance(plain, IPv4Address) else _special_v6(plain)


def read_private(entries: Iterable[str], path: str = "network.private") -> tuple[Network, ...]:
    """The networks of addresses and CIDRs. Raises PolicyError that names the key path and the entry."""
    return tuple(_network(entry, path) for entry in entries)


def _network(entry: str, path: str) -> Network:
    text = entry.strip()
    try:
        network = ip_network(text.strip("[]"), strict=False)
    except ValueError:
        raise PolicyError(
            f"{path}: {shown(entry)} is no address and no CIDR", hint="such as 10.0.0.5, 10.0.0.0/8, fd00::/8"
        ) from None
    if "%" in text or (isinstance(network, IPv6Network) and network.network_address.ipv4_mapped):
        raise PolicyError(f"{path}: {shown(entry)} can never match", hint="write the plain IPv4 or IPv6 form")
    if "/" in text and str(network.network_address) != text.strip("[]").partition("/")[0].lower():
        raise PolicyError(f"{path}: {shown(entry)} names no network", hint=f"did you mean {network}?")
    return network


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _special_v4(address: IPv4Address) -> str:
    return next((kind for network, kind in _SPECIAL_V4 if address in network), "")


def _special_v6(address: IPv6Address) -> str:
    """Only 2000::/3 is global unicast; an IPv4 address inside must be global, too."""
    special = next((kind for network, kind in _SPECIAL_V6 if address in network), "")
    if special:
        return special
    if address not in _GLOBAL_V6 and address not in _NAT64:
        return "a reserved address"
    inner = _embedded(address)
    kind = refusal(inner) if inner else ""
    return f"{kind} ({inner}) inside an IPv6 one" if kind else ""


def _embedded(address: IPv6Address) -> IPv4Address | None:
    number = int(address)
    if address in _NAT64:
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address((number >> 80) & 0xFFFFFFFF)
    if (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None
