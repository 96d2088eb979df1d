"""Upstreams that speak HTTP badly, byte by byte, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.gateway.providers import Place, gateway_before

Speaks = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def head(*headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers, "", ""]).encode()


def says(*parts: bytes, pause_seconds: float = 0.01) -> Speaks:
    """Reads the request's head, writes these, and closes."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_seconds)
        writer.close()

    return speak


@asynccontextmanager
async def behind(speaks: Speaks, **options: Any) -> AsyncIterator[Place]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            await speaks(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with gateway_before(f"http://127.0.0.1:{port}", **options) as place:
            yield place
    finally:
        server.close()


def meets(test: Callable[[Place], Awaitable[None]], speaks: Speaks, **options: Any) -> None:
    async def run() -> None:
        async with behind(speaks, **options) as place:
            await test(place)

    asyncio.run(run())
