"""Which headers pass a proxy, in both directions. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from microloop_cli.gateway.egress.hosts import host_and_port
from microloop_cli.gateway.egress.target import Target

Headers = Iterable[tuple[bytes, bytes]]  # names as they were spelled

# For one connection only (RFC 9110, 7.6.1), or for the proxy itself.
_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authentication-info",
        b"proxy-authorization", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
# Connection may name any header as its own; these say what the message is, and stay.
_NEVER_NAMED = frozenset({b"content-length", b"host", b"expect"})


def for_upstream(headers: Headers, target: Target) -> list[tuple[bytes, bytes]]:
    """A request's headers: Host as the URL has it, the body framed anew, one request a connection."""
    given = list(headers)
    host = host_and_port(target.host, target.port)
    host = host.removesuffix(":80") if target.port == 80 else host
    kept = [(name, value) for name, value in _end_to_end(given) if name.lower() != b"host"]
    if _values(given, b"transfer-encoding"):
        kept.append((b"Transfer-Encoding", b"chunked"))
    return [(b"Host", host.encode("ascii")), *kept, (b"Connection", b"close")]


def for_client(headers: Headers) -> list[tuple[bytes, bytes]]:
    """An answer's headers; a length that a coding overrode is not passed on."""
    given = list(headers)
    overridden = {b"content-length"} if _values(given, b"transfer-encoding") else set()
    return [(name, value) for name, value in _end_to_end(given) if name.lower() not in overridden]


def _end_to_end(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    named = {word.strip().lower() for value in _values(headers, b"connection") for word in value.split(b",")}
    dropped = _HOP | (named - _NEVER_NAMED)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _values(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]
