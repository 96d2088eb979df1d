"""A proxy on loopback before an upstream that answers as told; clients that speak raw bytes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from microloop_cli.core.traffic import NetworkAsked, NetworkEnded
from microloop_cli.gateway.egress.connection import Times
from microloop_cli.gateway.egress.presets import load_rules
from microloop_cli.gateway.egress.proxy import EgressProxy
from microloop_cli.policy.model import Network

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TIMES = Times(idle=2.0, head=0.3, quiet=0.5)


@dataclass
class Place:
    """events: all that the proxy told."""

    port: int
    upstream_port: int
    proxy: EgressProxy
    events: list[NetworkAsked | NetworkEnded] = field(default_factory=list)

    @property
    def asked(self) -> list[NetworkAsked]:
        return [event for event in self.events if isinstance(event, NetworkAsked)]

    @property
    def ended(self) -> list[NetworkEnded]:
        return [event for event in self.events if isinstance(event, NetworkEnded)]

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def raw(self, request: bytes) -> bytes:
        """All that is answered to bytes, until the proxy ends the connection."""
        reader, writer = await self.open()
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def get(self, path: str = "/", *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
        """The answer to one request for the upstream, by the name `up.test`."""
        url = f"http://up.test:{self.upstream_port}{path}"
        lines = [f"{method} {url} HTTP/1.1", "Host: other.test", "Connection: close", *headers]
        return await self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    async def tunnel(self, host: str = "up.test") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """An open tunnel to the upstream."""
        reader, writer = await self.open()
        writer.write(f"CONNECT {host}:{self.upstream_port} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 200 Connection Established"), head
        return reader, writer


@asynccontextmanager
async def place(
    answer: Answer,
    *,
    allow: tuple[str, ...] = ("*.test", "up.test:{port}"),
    deny: tuple[str, ...] = (),
    private: tuple[str, ...] = ("127.0.0.1",),
    resolve: Callable[[str, int], Awaitable[list[str]]] | None = None,
    on_event: Callable[[NetworkAsked | NetworkEnded], None] | None = None,
    **options: Any,
) -> AsyncIterator[Place]:
    """`{port}` in rules is the upstream's. After it no task of the proxy is left."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    upstream = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    upstream_port = upstream.sockets[0].getsockname()[1]
    filled = [tuple(rule.format(port=upstream_port) for rule in rules) for rules in (allow, deny)]
    rules = load_rules(Network(allow=filled[0], deny=filled[1], private=private))
    events: list[NetworkAsked | NetworkEnded] = []

    def told(event: NetworkAsked | NetworkEnded) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    listener = socket.create_server(("127.0.0.1", 0))
    before = asyncio.all_tasks()
    options.setdefault("times", TIMES)
    proxy = EgressProxy(rules, told, time.monotonic, resolve=resolve or loopback, **options)
    await proxy.start(listener)
    try:
        yield Place(listener.getsockname()[1], upstream_port, proxy, events)
    finally:
        await proxy.close()
        upstream.close()
        left = [task for task in asyncio.all_tasks() - before if "egress" in str(task.get_coro())]
        assert not left, left


async def loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 30))


def says(response: str | bytes) -> Answer:
    """An upstream that reads a head and answers with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response.encode() if isinstance(response, str) else response)
        await writer.drain()

    return answer


OK = says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def keeps(
    heads: list[bytes], response: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
) -> Answer:
    """As says; the heads that came are kept."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response)
        await writer.drain()

    return answer


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what comes, and ends when the other side ended."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server whose queue is full: the kernel answers no one who connects."""
    with socket.socket() as full, ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Waits for what happens a moment later."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")
