"""Requests for http:// URLs: passed on as they are meant, bodies streamed."""

from __future__ import annotations

import asyncio
import resource

import pytest

from microloop_cli.gateway.egress.connection import Times
from tests.gateway.egress.places import OK, keeps, place, run, says, until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


def test_the_server_sees_its_own_host_and_path_and_no_header_of_the_proxy() -> None:
    heads: list[bytes] = []

    async def story() -> None:
        async with place(keeps(heads)) as at:
            await at.get("/a%20b?c=d", "Proxy-Authorization: Basic x", "Proxy-Connection: keep-alive", "Upgrade: h2c",
                         "X-Case: Kept", "TE: trailers")  # fmt: skip
            lines = heads[0].decode().split("\r\n")
            assert lines[0] == "GET /a%20b?c=d HTTP/1.1"
            assert lines[1:-2] == [f"Host: up.test:{at.upstream_port}", "X-Case: Kept", "Connection: close"]

    run(story())


def test_a_client_keeps_its_connection_over_several_requests() -> None:
    async def story() -> None:
        async with place(says(CHUNKED)) as at:
            reader, writer = await at.open()
            url = f"http://up.test:{at.upstream_port}"
            request = f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
            writer.write(request.encode() * 3)  # even when they are sent at once
            for _ in range(3):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 OK")
                assert b"close" not in head
                assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
            writer.close()
            await until(lambda: len(at.ended) == 3)

    run(story())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_megabytes_pass_in_both_directions_without_being_held(chunked: bool) -> None:
    total = 100_000_000
    piece = bytes(500_000)
    got = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"chunked" in head) is chunked
        while got < total:
            got += len(await reader.read(1_000_000))
        writer.write(
            b"HTTP/1.1 200 OK\r\n" + (b"" if chunked else b"Content-Length: %d\r\n" % total) + b"\r\n"
        )
        for _ in range(total // len(piece)):
            writer.write(piece)
            await writer.drain()

    async def story() -> None:
        async with place(answer) as at:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            reader, writer = await at.open()
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {total}"
            url = f"http://up.test:{at.upstream_port}/"
            writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{framing}\r\n\r\n".encode())
            for _ in range(total // len(piece)):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                await writer.drain()
            writer.write(b"0\r\n\r\n" if chunked else b"")
            await reader.readuntil(b"\r\n\r\n")
            size = 0
            while data := await reader.read(1_000_000):
                size += len(data)
            assert size >= total
            writer.close()
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000

    run(story())


@pytest.mark.parametrize(
    ("method", "response", "body"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\nuntil it ends", b"until it ends"),
        ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        ("GET", CHUNKED, b"hello"),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            b"hi",
        ),
        ("DELETE", b"HTTP/1.1 404 Gone Away\r\nContent-Length: 1\r\n\r\nx", b"x"),
    ],
)
def test_every_way_to_frame_an_answer_comes_out_right(method: str, response: bytes, body: bytes) -> None:
    async def story() -> None:
        async with place(says(response)) as at:
            head, _, rest = (await at.get(method=method)).partition(b"\r\n\r\n")
            assert head.split(b"\r\n")[0].split(b" ", 1)[1] == response.split(b"\r\n")[0].split(b" ", 1)[1]
            assert unchunked(rest) == body if b"chunked" in head and method != "HEAD" else rest == body
            assert not (b"chunked" in head and b"Content-Length" in head)
            assert at.ended[0].error == ""

    run(story())


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


def test_a_client_that_waits_for_100_continue_gets_it_from_the_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Expect: 100-continue" in head
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
        await writer.drain()

    async def story() -> None:
        async with place(answer) as at:
            reader, writer = await at.open()
            url = f"http://up.test:{at.upstream_port}/"
            writer.write(
                f"PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".encode()
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(b"12345")
            assert (await reader.readexactly(43)).endswith(b"12345")
            writer.close()

    run(story())


def test_a_server_that_answers_before_the_body_is_sent_is_heard() -> None:
    async def story() -> None:
        async with place(says("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")) as at:
            answer = await at.get("/", "Content-Length: 50000000", method="PUT", body=bytes(1_000_000))
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert answer.endswith(b"no!")

    run(story())


def test_an_old_client_gets_an_old_answer() -> None:
    async def story() -> None:
        async with place(says(CHUNKED)) as at:
            answer = await at.raw(f"GET http://up.test:{at.upstream_port}/ HTTP/1.0\r\n\r\n".encode())
            assert answer.endswith(b"\r\n\r\nhello")
            assert b"chunked" not in answer
        async with place(OK) as at:
            answer = await at.raw(
                f"GET http://up.test:{at.upstream_port} HTTP/1.0\r\nHost: x\r\n\r\n".encode()
            )
            assert answer.endswith(b"hello")

    run(story())


def test_a_client_may_end_its_side_after_the_request() -> None:
    async def story() -> None:
        async with place(OK) as at:
            reader, writer = await at.open()
            writer.write(f"GET http://up.test:{at.upstream_port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            writer.write_eof()
            assert (await reader.read(-1)).endswith(b"hello")
            writer.close()

    run(story())


async def pour(writer: asyncio.StreamWriter, poured: list[int]) -> None:
    """Writes as much as the other side takes, up to 200 MB."""
    for _ in range(200):
        writer.write(bytes(1_000_000))
        await writer.drain()
        poured.append(1)


async def stands_still(poured: list[int]) -> bool:
    await asyncio.sleep(0.3)
    held = len(poured)
    await asyncio.sleep(0.2)
    return len(poured) == held < 50


def test_a_client_that_reads_slowly_holds_the_server_back_instead_of_filling_memory() -> None:
    poured: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        await pour(writer, poured)

    async def story() -> None:
        async with place(answer) as at:
            _, writer = await at.open()
            writer.write(f"GET http://up.test:{at.upstream_port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert await stands_still(poured)
            writer.transport.abort()

    run(story())


def test_a_server_that_reads_slowly_holds_the_client_back() -> None:
    poured: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)

    async def story() -> None:
        async with place(answer, times=Times(quiet=5)) as at:
            _, writer = await at.open()
            url = f"http://up.test:{at.upstream_port}/"
            writer.write(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000000\r\n\r\n".encode())
            pouring = asyncio.ensure_future(pour(writer, poured))
            assert await stands_still(poured)
            pouring.cancel()
            writer.transport.abort()

    run(story())
