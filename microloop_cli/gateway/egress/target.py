"""What a request asks for: HOST:PORT of a tunnel, or an absolute http:// URL. Pure."""

from __future__ import annotations

import re

import msgspec

from microloop_cli.gateway.egress.head import Malformed
from microloop_cli.gateway.egress.hosts import normal_host, shown

_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)")


class Target(msgspec.Struct, frozen=True):
    """host: normal (see hosts). path: what is asked of the server, "" for a tunnel."""

    host: str
    port: int
    path: str = ""


def tunnel_target(text: str) -> Target:
    """Of `CONNECT HOST:PORT`. Raises Malformed."""
    host, port = _authority(text)
    if port is None:
        raise Malformed(f"CONNECT needs HOST:PORT, not {shown(text)}")
    return Target(host, port)


def absolute_target(text: str, method: str) -> Target:
    """Of a request for a URL. Raises Malformed, which explains what a proxy is asked instead."""
    match = _URL.fullmatch(text)
    if match is None:
        raise Malformed(
            "this is microloop's egress proxy, not a web server; it takes CONNECT and http:// URLs, from "
            "programs that have it in HTTP_PROXY and HTTPS_PROXY"
        )
    scheme = match[1].lower()
    if scheme == "https":
        raise Malformed("an https:// URL cannot be asked of a proxy; use a tunnel: CONNECT HOST:443")
    if scheme != "http":
        raise Malformed(f"the proxy knows http:// URLs and tunnels, not {shown(scheme)}")
    if "#" in match[3]:
        raise Malformed("a URL that is asked for has no fragment (#)")
    host, port = _authority(match[2])
    return Target(host, 80 if port is None else port, _path(match[3], method))


def _authority(text: str) -> tuple[str, int | None]:
    if "@" in text:
        raise Malformed("a host with a user name before it is not taken")
    match = _AUTHORITY.fullmatch(text)
    if match is None or not match[1]:
        raise Malformed(f"{shown(text)} is no HOST:PORT")
    port = int(match[2]) if match[2] else None
    if port is not None and not 1 <= port <= 65_535:
        raise Malformed(f"{port} is no port")
    try:
        return normal_host(match[1]), port
    except ValueError as error:
        raise Malformed(str(error)) from None


def _path(rest: str, method: str) -> str:
    if rest.startswith("/"):
        return rest
    return "*" if method == "OPTIONS" and not rest else "/" + rest
