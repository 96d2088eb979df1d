"""The proxy as a whole: its limits, its end, and what a listener that fails does to it."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.core.traffic import NetworkAsked, NetworkEnded
from microloop_cli.gateway.egress.proxy import EgressProxy
from microloop_cli.gateway.egress.rules import Rules
from tests.gateway.egress.places import OK, echo, place, run, silent, until


def open_sockets() -> int:
    return sum(1 for fd in Path("/proc/self/fd").iterdir() if _is_socket(fd))


def _is_socket(fd: Path) -> bool:
    try:
        return "socket:" in str(fd.readlink())
    except OSError:
        return False


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


def test_close_ends_everything_and_leaves_no_task_and_no_socket() -> None:
    async def story() -> None:
        before = open_sockets()
        async with place(hangs) as at:
            clients = [await at.tunnel() for _ in range(10)]
            clients.append(await at.open())
            half = await at.open()
            half[1].write(b"GET http://up.test/ HT")
            waiting = await at.open()
            waiting[1].write(f"GET http://up.test:{at.upstream_port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await until(lambda: len(at.asked) == 11)
            await at.proxy.close()
            assert [asked.n for asked in at.asked] == sorted(ended.n for ended in at.ended)
            assert "the run ended" in {ended.error for ended in at.ended}
            for _, writer in [*clients, half, waiting]:
                writer.close()
            await at.proxy.close()  # a second time is no error
        await asyncio.sleep(0.05)
        assert open_sockets() <= before

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(story())
        gc.collect()


def test_close_ends_a_request_that_is_still_being_connected() -> None:
    async def story() -> None:
        with silent() as port:
            async with place(OK, allow=(f"up.test:{port}",)) as at:
                reader, writer = await at.open()
                writer.write(f"CONNECT up.test:{port} HTTP/1.0\r\n\r\n".encode())
                await until(lambda: len(at.asked) == 1)
                await at.proxy.close()
                assert [ended.error for ended in at.ended] == ["the run ended"]
                assert await reader.read(-1) == b""
                writer.close()

    run(story())


@pytest.mark.parametrize("kind", [NetworkAsked, NetworkEnded])
@pytest.mark.parametrize("tunnel", [True, False])
def test_a_listener_that_fails_closes_the_connection_and_leaks_nothing(
    kind: type[NetworkAsked | NetworkEnded], tunnel: bool
) -> None:
    failures: list[dict[str, Any]] = []

    def fails(event: NetworkAsked | NetworkEnded) -> None:
        if isinstance(event, kind):
            raise RuntimeError("the disk is full")

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
        async with place(echo if tunnel else OK, on_event=fails) as at:
            if tunnel:
                request = f"CONNECT up.test:{at.upstream_port} HTTP/1.0\r\n\r\n".encode()
                reader, writer = await at.open()
                writer.write(request)
                writer.write_eof()
                await reader.read(-1)
                writer.close()
            else:
                await at.get()
            await until(lambda: len(failures) == 1)
            assert str(failures[0]["exception"]) == "the disk is full"
            assert len(at.proxy._tasks) == 0
            await until(lambda: all(stream.transport.is_closing() for stream in at.proxy._upstreams))

    run(story())


def test_above_the_limit_a_client_is_told_and_below_it_again_served() -> None:
    async def story() -> None:
        async with place(echo, max_connections=2) as at:
            tunnels = [await at.tunnel(), await at.tunnel()]
            answer = await at.get()
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"2 connections already" in answer
            tunnels[0][1].close()
            await until(lambda: len(at.ended) == 1)
            await until(lambda: len(at.proxy._tasks) < 2)
            tunnels.append(await at.tunnel())
            for _, writer in tunnels:
                writer.close()

    run(story())


def test_a_silent_client_is_let_go() -> None:
    async def story() -> None:
        from microloop_cli.gateway.egress.connection import Times

        async with place(OK, times=Times(idle=0.1)) as at:
            assert await at.raw(b"") == b""

    run(story())


def test_a_thousand_clients_that_connect_and_go_leave_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with place(OK) as at:
            before = open_sockets()
            for _ in range(10):
                writers = [(await at.open())[1] for _ in range(100)]
                for index, writer in enumerate(writers):
                    writer.write(b"GET http"[: index % 8])
                    writer.transport.abort()
            await until(lambda: len(at.proxy._tasks) == 0)
            await asyncio.sleep(0.05)
            assert open_sockets() <= before

    with caplog.at_level(logging.WARNING):
        run(story())
    assert caplog.records == []


def test_it_serves_on_a_unix_socket(tmp_path: Path) -> None:
    async def story() -> None:
        events: list[object] = []
        proxy = EgressProxy(Rules(), events.append, time.monotonic)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "egress.sock"))
            listener.listen()
            await proxy.start(listener)
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "egress.sock"))
            writer.write(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read(-1)).startswith(b"HTTP/1.1 403 ")
            writer.close()
            await proxy.close()
        assert len(events) == 1

    run(story())
