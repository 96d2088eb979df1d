"""A provider on loopback that answers as told, and remembers what reached it; a client that speaks raw HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from aiohttp import web

from microloop_cli.gateway.model import CallRecord, Provider
from microloop_cli.gateway.own_prices import OwnPrice
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.spending import NearLimit, Refused, RunLimits
from microloop_cli.gateway.upstream import Upstream

Answer = Callable[[web.Request, bytes], Any]
PRICE = OwnPrice(input_usd_per_mtok=Decimal(10), output_usd_per_mtok=Decimal(100))


@dataclass
class Seen:
    """What one request to the provider was."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Place:
    """A gateway before a provider; `calls`, `refused` and `near` are what it told."""

    port: int
    gateway: Gateway
    seen: list[Seen] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    near: list[NearLimit] = field(default_factory=list)

    async def send(
        self, path: str, document: Any, *headers: str, method: str = "POST"
    ) -> tuple[int, bytes, bytes]:
        """(status, head, body) of one request; `document` is sent as JSON, bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
        return await self.raw(head + body)

    async def raw(self, request: bytes) -> tuple[int, bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head else 0
        return status, head, _dechunked(body) if b"chunked" in head.lower() else body


def _dechunked(body: bytes) -> bytes:
    """The content; a chunked body without its end raises."""
    whole = b""
    while True:
        size, mark, body = body.partition(b"\r\n")
        if not mark:
            raise EOFError("the body broke off")
        length = int(size, 16)
        if not length:
            return whole
        if len(body) < length + 2:
            raise EOFError("the body broke off")
        whole, body = whole + body[:length], body[length + 2 :]


@asynccontextmanager
async def provider(
    answer: Answer, limits: RunLimits | None = None, key: str = "sk-real"
) -> AsyncIterator[Place]:
    """A gateway and the provider behind it, which is all three providers at once."""
    seen: list[Seen] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen.append(Seen(request.method, request.raw_path, dict(request.headers), body))
        given: web.StreamResponse = await answer(request, body)
        return given

    app = web.Application(client_max_size=1 << 28)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    providers: tuple[Provider, ...] = ("openai", "anthropic", "google")
    calls: list[CallRecord] = []
    refused: list[Refused] = []
    near: list[NearLimit] = []
    gateway = Gateway(
        {name: Upstream(url, key) for name in providers},
        Prices(datetime(2026, 1, 1, tzinfo=timezone.utc), own={"*": PRICE}),
        limits or RunLimits(),
        asyncio.get_running_loop().time,
        on_call=calls.append,
        on_refused=refused.append,
        on_near=near.append,
    )
    port = await gateway.start()
    place = Place(port, gateway, seen, calls, refused, near)
    try:
        yield place
    finally:
        await gateway.close()
        await runner.cleanup()
