"""Servers and clients that break off, hang or speak nonsense: each has a clean end, and none is left behind."""

from __future__ import annotations

import asyncio
import socket

import pytest

from microloop_cli.gateway.egress.connection import Times
from tests.gateway.egress.places import Place, place, run, says, until


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_broken_for_the_client_too(response: bytes) -> None:
    async def story() -> None:
        async with place(says(response)) as at:
            try:
                answer = await at.get()
            except ConnectionError:
                answer = b""
            body = answer.partition(b"\r\n\r\n")[2]
            assert len(body) < 10
            assert b"0\r\n\r\n" not in body
            await until(lambda: len(at.ended) == 1)
            assert at.ended[0].status == 200
            assert at.ended[0].error

    run(story())


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (b"", 502),
        (b"HTTP/1.1 200 O", 502),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 502),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 502),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, 502),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 502),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999),
    ],
)
def test_an_answer_that_is_none_is_a_clean_502(response: bytes, status: int) -> None:
    async def story() -> None:
        async with place(says(response)) as at:
            answer = await at.get()
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
            assert status != 502 or b"microloop: network: the server" in answer
            assert at.ended[0].status == status

    run(story())


def test_a_server_that_hangs_is_504() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async def story() -> None:
        async with place(answer) as at:
            assert (await at.get()).startswith(b"HTTP/1.1 504 ")
            assert at.ended[0].status == 504

    run(story())


def test_a_slow_server_that_keeps_sending_is_waited_for() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async def story() -> None:
        async with place(answer) as at:
            assert (await at.get()).endswith(b"hi")

    run(story())


def test_a_server_that_reads_a_long_body_before_it_answers_is_waited_for() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"end")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()

    async def story() -> None:
        async with place(answer, times=Times(quiet=0.2)) as at:
            reader, writer = await at.open()
            url = f"http://up.test:{at.upstream_port}/"
            writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n".encode())
            for piece in (b"01", b"23", b"45", b"67", b"89", b"end"):
                await asyncio.sleep(0.1)
                writer.write(piece)
            assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    run(story())


async def _hang_up(at: Place, sent: bytes) -> None:
    _, writer = await at.open()
    head = f"PUT http://up.test:{at.upstream_port}/ HTTP/1.1\r\nHost: x\r\n".encode()
    writer.write(head + sent)
    await writer.drain()
    await until(lambda: len(at.asked) == 1)
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await until(lambda: len(at.ended) == 1)


@pytest.mark.parametrize(
    "sent", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n64\r\nhalf"]
)
def test_a_client_that_hangs_up_within_its_body_ends_the_request_at_the_server(sent: bytes) -> None:
    ends: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(await reader.read(-1))

    async def story() -> None:
        async with place(answer, times=Times()) as at:
            await _hang_up(at, sent)
            assert at.ended[0].error
            await until(lambda: len(ends) == 1)

    run(story())


def test_a_client_that_hangs_up_while_it_is_answered_ends_the_answer() -> None:
    closed: list[bool] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(bytes(65_536))
                await writer.drain()
        finally:
            closed.append(True)

    async def story() -> None:
        async with place(answer) as at:
            await _hang_up(at, b"\r\n")
            assert "client" in at.ended[0].error
            await until(lambda: bool(closed))

    run(story())


def test_a_body_that_is_none_is_a_400() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async def story() -> None:
        async with place(answer, times=Times()) as at:
            answered = await at.get("/", "Transfer-Encoding: chunked", method="POST", body=b"zz\r\nhello")
            assert answered.startswith(b"HTTP/1.1 400 ")
            assert at.ended[0].status == 400

    run(story())


def test_a_client_that_breaks_off_while_the_server_thinks_ends_the_request() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read(-1)

    async def story() -> None:
        async with place(answer, times=Times()) as at:
            _, writer = await at.open()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.write(f"GET http://up.test:{at.upstream_port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await until(lambda: len(at.asked) == 1)
            await asyncio.sleep(0.05)
            writer.transport.abort()
            await until(lambda: len(at.ended) == 1)
            assert at.ended[0].error == "the client broke the connection off"

    run(story())


def test_an_answer_that_breaks_off_is_reset_where_its_end_is_the_end_of_the_connection() -> None:
    half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"

    async def story() -> None:
        async with place(says(half)) as at:
            with pytest.raises(ConnectionResetError):
                await at.raw(f"GET http://up.test:{at.upstream_port}/ HTTP/1.0\r\n\r\n".encode())

    run(story())
