"""One spelling for each host: names in lower case and ASCII, addresses as `ipaddress` writes them. Pure."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAX_NAME = 253
# What the two IDNA standards read differently: better no guess at all (sharp s, final sigma, the joiners).
_UNSURE = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")


def normal_host(text: str) -> str:
    """The host as all comparisons see it: `EXAMPLE.com.` is `example.com`, `[::ffff:1.2.3.4]` is `1.2.3.4`.

    IPv6 addresses need their brackets and lose them. Raises ValueError with what is wrong: also for every
    other spelling of an address (0x7f.1, 2130706433, 127.1, 010.0.0.1, [fe80::1%lo]), which name servers'
    clients would understand.
    """
    if text.startswith("["):
        return _ipv6(text)
    name = text.lower()
    name = name[:-1] if name.endswith(".") else name
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name)
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"{shown(text)} is no host name")
    return name


def policy_host(text: str) -> str:
    """As normal_host, for what people write: names in any script become punycode. Raises ValueError."""
    if text.isascii():
        return normal_host(text)
    if _UNSURE & set(text):
        raise ValueError(f"{shown(text)} can be read in two ways; write it as punycode (xn--...)")
    try:
        return normal_host(text.encode("idna").decode("ascii"))
    except UnicodeError:
        raise ValueError(f"{shown(text)} is no host name") from None


def address_of(host: str) -> Address | None:
    """The address when a normal host is one, else None."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None


def host_and_port(host: str, port: int) -> str:
    """`example.com:443`, `[::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def shown(text: str) -> str:
    """Text of others, short and printable."""
    return ascii(text[:80])


def _ipv4(name: str) -> str:
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        raise ValueError(f"{shown(name)} is no address as it is usually written (127.0.0.1)") from None


def _ipv6(text: str) -> str:
    inner = text[1:-1]
    if not text.endswith("]") or "%" in inner:
        raise ValueError(f"{shown(text)} is no IPv6 address (a zone cannot be named)")
    try:
        address = IPv6Address(inner)
    except AddressValueError:
        raise ValueError(f"{shown(text)} is no IPv6 address") from None
    return str(address.ipv4_mapped or address)
