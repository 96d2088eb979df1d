"""CONNECT: bytes pass unchanged both ways, each side may end first, and nothing is left when one breaks."""

from __future__ import annotations

import asyncio
import os
import resource
import socket

import pytest

from tests.gateway.egress.places import echo, place, run, until


def test_bytes_arrive_unchanged_and_both_ends_are_told() -> None:
    sent = os.urandom(5_000_000)

    async def story() -> None:
        async with place(echo) as at:
            reader, writer = await at.tunnel()

            async def upload() -> None:
                writer.write(sent)
                await writer.drain()
                writer.write_eof()

            got, _ = await asyncio.gather(reader.read(-1), upload())
            writer.close()
            assert got == sent
            await until(lambda: len(at.ended) == 1)
            assert (at.ended[0].sent_bytes, at.ended[0].received_bytes) == (len(sent), len(sent))
            assert (at.ended[0].status, at.ended[0].error) == (None, "")

    run(story())


def test_a_client_may_end_its_side_and_still_read_the_answer() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(-1)  # only comes to its end when the client's half-close arrives
        await asyncio.sleep(0.05)
        writer.write(b"got " + request)
        await writer.drain()

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.tunnel()
            writer.write(b"all of it")
            writer.write_eof()
            assert await reader.read(-1) == b"got all of it"
            writer.close()

    run(story())


def test_a_server_may_end_its_side_and_still_read() -> None:
    got: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        writer.write_eof()
        got.append(await reader.read(-1))

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.tunnel()
            assert await reader.read(-1) == b"bye"
            writer.write(b"later")
            writer.close()
            await until(lambda: got == [b"later"])
            await until(lambda: len(at.ended) == 1)

    run(story())


def test_what_a_client_sends_before_the_tunnel_stands_is_not_lost() -> None:
    async def story() -> None:
        async with place(echo) as at:
            reader, writer = await at.open()
            writer.write(f"CONNECT up.test:{at.upstream_port} HTTP/1.0\r\n\r\nearly bytes".encode())
            writer.write_eof()
            answer = await reader.read(-1)
            assert answer == b"HTTP/1.1 200 Connection Established\r\n\r\nearly bytes"
            writer.close()

    run(story())


def test_a_server_that_breaks_off_is_told_and_the_client_is_closed() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.tunnel()
            writer.write(b"x")
            assert await reader.read(-1) == b""
            await until(lambda: len(at.ended) == 1)
            assert at.ended[0].error == "the server broke the connection off"
            writer.close()

    run(story())


def test_a_client_that_is_gone_takes_its_upstream_with_it() -> None:
    closed: list[bool] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(bytes(65_536))
                await writer.drain()
        finally:
            closed.append(True)

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.tunnel()
            await reader.read(1000)
            writer.transport.abort()
            await until(lambda: bool(closed) and len(at.ended) == 1)

    run(story())


def test_a_reader_that_is_slow_holds_the_other_side_back_instead_of_filling_memory() -> None:
    written = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        while written < 200_000_000:
            writer.write(bytes(1_000_000))
            await writer.drain()
            written += 1_000_000

    async def story() -> None:
        async with place(answer) as at:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            _, writer = await at.tunnel()
            await asyncio.sleep(0.3)
            held = written
            await asyncio.sleep(0.2)
            assert written == held < 50_000_000
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
            writer.transport.abort()

    run(story())


def test_a_half_closed_tunnel_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microloop_cli.gateway.egress.tunnel.Tunnel.run.__defaults__", (0.1,))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.tunnel()
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(-1), 5) == b""
            await until(lambda: len(at.ended) == 1)
            assert "half closed" in at.ended[0].error
            writer.close()

    run(story())


def test_two_hundred_tunnels_at_once() -> None:
    async def story() -> None:
        async with place(echo) as at:

            async def one(number: int) -> None:
                data = number.to_bytes(2, "big") * 20_000
                reader, writer = await at.tunnel()
                writer.write(data)
                assert await reader.readexactly(len(data)) == data
                writer.close()
                await writer.wait_closed()

            await asyncio.gather(*(one(number) for number in range(200)))
            await until(lambda: len(at.ended) == 200)
            assert {ended.error for ended in at.ended} == {""}
            assert {ended.sent_bytes for ended in at.ended} == {40_000}

    run(story())
