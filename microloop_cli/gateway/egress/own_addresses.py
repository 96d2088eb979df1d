"""Whether an address is this host's own: public as it may be, behind it are servers meant for the host."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address

from microloop_cli.gateway.egress.hosts import Address

_DISCARD_PORT = 9


def is_own(address: Address) -> bool:
    """Asks the kernel which address it would speak from: the same only to itself. Nothing is sent."""
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), _DISCARD_PORT))
            return str(sock.getsockname()[0]) == str(address)
    except OSError:
        return False  # no way there at all
