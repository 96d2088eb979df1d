"""The next request's head from a client that may be slow, silent or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from microloop_cli.gateway.egress.head import Malformed, head_end
from microloop_cli.gateway.egress.stream import Stream


async def read_head(
    client: Stream, monotonic: Callable[[], float], idle_seconds: float, head_seconds: float
) -> bytes | None:
    """The head with its empty line; what follows it stays in the stream. None when no request comes.

    idle_seconds: until the first byte; head_seconds: from there to the last. Raises Malformed (also 408 and
    431), and ConnectionError when the connection is lost.
    """
    data = bytearray()
    looked_at = 0
    until: float | None = None
    while True:
        try:
            chunk = await client.read(idle_seconds if until is None else max(until - monotonic(), 0.001))
        except asyncio.TimeoutError:
            if until is None:
                return None
            raise Malformed("the head of the request did not come in time", 408) from None
        if not chunk:
            if not data:
                return None
            raise Malformed("the head of the request broke off")
        until = monotonic() + head_seconds if until is None else until
        data += chunk
        while data.startswith(b"\r\n"):  # some clients end a body with one too many
            del data[:2]
        size = head_end(data, looked_at)
        if size:
            client.unread(bytes(data[size:]))
            return bytes(data[:size])
        looked_at = len(data)
