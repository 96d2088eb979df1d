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

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Asked, CallRecord, Provider
from microloop_cli.gateway.own_prices import OwnPrice
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.gateway.spending import NearLimit, Refused, RunLimits
from microloop_cli.gateway.upstream import Upstream
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult

Answer = Callable[[web.Request, bytes], Any]
PROVIDERS: tuple[Provider, ...] = ("openai", "anthropic", "google")
PRICE = OwnPrice(input_usd_per_mtok=Decimal(10), output_usd_per_mtok=Decimal(100))


@dataclass
class Seen:
    """What one request to the provider was."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Told:
    """A listener that remembers: `order` has all it heard; `notes` is what it says about tool results."""

    order: list[tuple[str, int | str]] = field(default_factory=list)
    begun: list[Asked] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    warnings: list[NearLimit] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_results: list[ToolResult] = field(default_factory=list)
    notes: dict[str, Note] = field(default_factory=dict)

    def asked(self, number: int, asked: Asked) -> None:
        self.order.append(("asked", number))
        self.begun.append(asked)

    def answered(self, record: CallRecord) -> None:
        self.order.append(("answered", record.number))
        self.calls.append(record)

    def refused(self, refused: Refused) -> None:
        self.order.append(("refused", refused.limit))
        self.refusals.append(refused)

    def near(self, near: NearLimit) -> None:
        self.order.append(("near", near.limit))
        self.warnings.append(near)

    def tool_called(self, number: int, call: ToolCall) -> None:
        self.order.append(("tool_called", call.id))
        self.tool_calls.append(call)

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        self.order.append(("tool_answered", result.id))
        self.tool_results.append(result)
        return self.notes.get(result.id)


@dataclass
class Place:
    """A gateway before a provider; `seen` is what reached the provider, `told` what the gateway told."""

    port: int
    gateway: Gateway
    told: Told
    seen: list[Seen] = field(default_factory=list)

    @property
    def calls(self) -> list[CallRecord]:
        """The calls that were answered well."""
        return [call for call in self.told.calls if 200 <= call.status < 300]

    @property
    def refused(self) -> list[Refused]:
        return self.told.refusals

    @property
    def near(self) -> list[NearLimit]:
        return self.told.warnings

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
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at)
        if end < 0:
            raise EOFError("the body broke off")
        length = int(body[at:end], 16)
        if not length:
            return b"".join(parts)
        if len(body) < end + 4 + length:
            raise EOFError("the body broke off")
        parts.append(body[end + 2 : end + 2 + length])
        at = end + 4 + length


@asynccontextmanager
async def provider(
    answer: Answer,
    limits: RunLimits | None = None,
    key: str = "sk-real",
    prices: Prices | None = None,
    **options: Any,
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
    async with gateway_before(
        f"http://127.0.0.1:{runner.addresses[0][1]}", limits, key, prices, **options
    ) as place:
        place.seen = seen
        yield place
    await runner.cleanup()


@asynccontextmanager
async def gateway_before(
    url: str,
    limits: RunLimits | None = None,
    key: str = "sk-real",
    prices: Prices | None = None,
    **options: Any,
) -> AsyncIterator[Place]:
    """A gateway alone, with every provider at `url`."""
    told = Told()
    gateway = Gateway(
        {name: Upstream(url, key) for name in PROVIDERS},
        prices or Prices(datetime(2026, 1, 1, tzinfo=timezone.utc), own={"*": PRICE}),
        limits or RunLimits(),
        asyncio.get_running_loop().time,
        listener=told,
        **options,
    )
    sock = listen_tcp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    await gateway.start(sock)
    try:
        yield Place(port, gateway, told)
    finally:
        await gateway.close()
