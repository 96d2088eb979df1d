"""Another proxy on the way out, where the host's network has no other: it looks the names up itself."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import msgspec

from microloop_cli.errors import UsageError
from microloop_cli.gateway.egress.dial import DIAL_SECONDS, dial
from microloop_cli.gateway.egress.gate import Unreachable
from microloop_cli.gateway.egress.head import MAX_HEAD
from microloop_cli.gateway.egress.hosts import host_and_port
from microloop_cli.gateway.egress.lookup import Resolve
from microloop_cli.gateway.egress.stream import Stream
from microloop_cli.gateway.egress.target import Target

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b[^\r\n]*\r\n")


class Parent(msgspec.Struct, frozen=True):
    """authorization: the value of Proxy-Authorization, "" for none."""

    host: str
    port: int
    authorization: str = ""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"Proxy-Authorization", self.authorization.encode("ascii"))] if self.authorization else []


def read_parent(url: str) -> Parent:
    """Of a URL as in HTTPS_PROXY, with or without user and password. Raises UsageError, without them."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port, parts = None, 0, urlsplit("")
    if parts.scheme != "http" or not host:
        raise UsageError(
            "the proxy on the way out is no http:// URL",
            hint="such as http://proxy.example:3128; of others microloop knows no protocol",
        )
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return Parent(host, port, f"Basic {b64encode(user.encode()).decode()}" if parts.username else "")


async def dial_parent(parent: Parent, resolve: Resolve, connected: Callable[[Stream], None]) -> Stream:
    """A connection to the parent, wherever it is: the user named it. Raises Unreachable."""
    try:
        addresses = await asyncio.wait_for(resolve(parent.host, parent.port), DIAL_SECONDS)
    except (OSError, asyncio.TimeoutError):
        raise Unreachable("the proxy on the way out is not known by name") from None
    return await dial(addresses, parent.port, connected)


async def tunnel_through(parent: Parent, stream: Stream, target: Target) -> None:
    """Asks the parent for a tunnel on a connection to it, which is closed when it gives none: Unreachable."""
    where = host_and_port(target.host, target.port).encode("ascii")
    headers = b"".join(b"%s: %s\r\n" % header for header in parent.headers)
    granted = False
    try:
        await stream.write(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (where, where, headers))
        status = await _status(stream)
        granted = 200 <= status <= 299
    except ConnectionError:
        raise Unreachable("the proxy on the way out broke the connection off") from None
    except asyncio.TimeoutError:
        raise Unreachable("the proxy on the way out did not answer", 504) from None
    finally:
        if not granted:
            stream.abort()
    if not granted:
        raise Unreachable(f"the proxy on the way out answered with {status}")


async def _status(stream: Stream) -> int:
    data = b""
    while b"\r\n\r\n" not in data and len(data) <= MAX_HEAD:
        chunk = await stream.read(DIAL_SECONDS)
        if not chunk:
            raise ConnectionError("it ended within the head of its answer")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    stream.unread(rest)
    match = _STATUS.match(head + b"\r\n")
    return int(match[1]) if match else 0
