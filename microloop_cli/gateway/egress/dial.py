"""Connections to upstreams, only ever to addresses that were checked; nothing is looked up here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from microloop_cli.gateway.egress.gate import Unreachable
from microloop_cli.gateway.egress.hosts import host_and_port
from microloop_cli.gateway.egress.stream import Stream

DIAL_SECONDS = 20.0
_NEXT_SECONDS = 4.0  # an address that is silent for so long is left for the next one


async def dial(
    addresses: Sequence[str], port: int, connected: Callable[[Stream], None], seconds: float = DIAL_SECONDS
) -> Stream:
    """A connection to the first address that takes one. Raises Unreachable (502 refused, 504 silent)."""
    failure = Unreachable("there is no address to connect to")
    for index, address in enumerate(addresses):
        last = index == len(addresses) - 1
        limit = seconds if last else min(seconds, _NEXT_SECONDS)
        try:
            return await _connect(address, port, connected, limit)
        except Unreachable as error:
            failure = error
            seconds -= limit if error.status == 504 else 0
        if seconds <= 0:
            break
    raise failure


async def dial_door(path: str, connected: Callable[[Stream], None]) -> Stream:
    """A connection to a socket of microloop's own. Raises ConnectionError: then the client's ends too."""
    try:
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_unix_connection(lambda: Stream(connected), path)
    except OSError as error:
        raise ConnectionResetError(f"{path}: {error.strerror or error}") from None
    return stream


async def _connect(address: str, port: int, connected: Callable[[Stream], None], seconds: float) -> Stream:
    loop = asyncio.get_running_loop()
    where = f"{host_and_port(address, port)}"
    connecting = loop.create_connection(lambda: Stream(connected), address, port)
    try:
        transport, stream = await asyncio.wait_for(connecting, seconds)
    except asyncio.TimeoutError:
        raise Unreachable(f"{where} did not answer within {seconds:.3g} s", 504) from None
    except OSError as error:
        raise Unreachable(f"{where}: {error.strerror or error}") from None
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return stream
