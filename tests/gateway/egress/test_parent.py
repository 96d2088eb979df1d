"""Another proxy on the way out: used only when it is named, with its password, and never for what is refused."""

from __future__ import annotations

import asyncio
import base64

import pytest

from microloop_cli.errors import UsageError
from microloop_cli.gateway.egress.parent import Parent, read_parent
from tests.gateway.egress.places import OK, Place, echo, place, run, says, until

BASIC = "Basic " + base64.b64encode(b"me:p w").decode()


def test_the_proxy_is_read_as_it_stands_in_the_environment() -> None:
    assert read_parent("http://proxy.example:3128/") == Parent("proxy.example", 3128)
    assert read_parent("proxy.example:3128") == Parent("proxy.example", 3128)
    assert read_parent("http://me:p%20w@[::1]:8080") == Parent("::1", 8080, BASIC)


@pytest.mark.parametrize(
    "url", ["https://proxy.example", "socks5://x:1", "", "http://:80", "http://x:secret", "http://[x"]
)
def test_what_is_no_such_proxy_is_a_usage_error_without_the_password(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_parent(url)
    assert "secret" not in raised.value.message + raised.value.hint
    assert raised.value.hint


def test_both_ways_lead_through_it_and_names_are_not_looked_up_here() -> None:
    """The outer proxy here is the same program, which sees what the inner one asks of it."""
    looked_up: list[str] = []
    heads: list[bytes] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()

    async def story() -> None:
        async with place(answer) as outer:
            url = f"http://me:p%20w@outer.test:{outer.port}"
            async with place(OK, allow=("*",), resolve=resolve, upstream_proxy=url) as inner:
                inner.upstream_port = outer.upstream_port
                assert await refused(inner)
        assert looked_up == []
        async with place(answer) as outer:
            url = f"http://me:p%20w@outer.test:{outer.port}"
            allow = (f"up.test:{outer.upstream_port}",)
            async with place(OK, allow=allow, resolve=resolve, upstream_proxy=url) as inner:
                inner.upstream_port = outer.upstream_port
                assert (await inner.get("/a")).endswith(b"hello")
                reader, writer = await inner.tunnel()
                writer.write(b"GET /b HTTP/1.1\r\n\r\n")
                assert (await reader.read(-1)).endswith(b"hello")
                writer.close()
            assert [asked.method for asked in outer.asked] == ["GET", "CONNECT"]
        assert looked_up == ["outer.test", "outer.test"]
        assert b"Proxy-Authorization" not in b"".join(heads)

    run(story())


async def refused(inner: Place) -> bool:
    """A private address is refused also on the way to another proxy."""
    request = f"CONNECT 10.0.0.1:{80} HTTP/1.1\r\nHost: x\r\n\r\n"
    return (await inner.raw(request.encode())).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("response", ["HTTP/1.1 407 No\r\n\r\n", "HTTP/1.1 200", "SSH-2.0\r\n\r\n", ""])
def test_what_it_refuses_is_502(response: str) -> None:
    async def story() -> None:
        async with place(says(response)) as outer:
            url = f"http://127.0.0.1:{outer.upstream_port}"
            async with place(echo, upstream_proxy=url) as inner:
                answer = await inner.raw(b"CONNECT up.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 502 ")
                assert b"the proxy on the way out" in answer
                await until(lambda: all(stream.lost for stream in inner.proxy._upstreams))

    run(story())


def test_it_is_given_the_whole_url_and_the_password() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()

    async def story() -> None:
        async with place(answer) as outer:
            url = f"http://me:p%20w@127.0.0.1:{outer.upstream_port}"
            async with place(echo, upstream_proxy=url) as inner:
                await inner.raw(b"GET http://up.test/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                await inner.raw(b"CONNECT up.test:443 HTTP/1.0\r\n\r\n")
        assert heads[0].startswith(b"GET http://up.test:80/a HTTP/1.1\r\nHost: up.test\r\n")
        assert heads[1].startswith(b"CONNECT up.test:443 HTTP/1.1\r\nHost: up.test:443\r\n")
        for head in heads:
            assert f"\r\nProxy-Authorization: {BASIC}\r\n".encode() in head

    run(story())


def test_what_comes_with_its_answer_is_not_lost() -> None:
    async def story() -> None:
        async with place(says("HTTP/1.1 200 Fine\r\n\r\nearly")) as outer:
            url = f"http://127.0.0.1:{outer.upstream_port}"
            async with place(echo, upstream_proxy=url) as inner:
                answer = await inner.raw(b"CONNECT up.test:443 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert answer == b"HTTP/1.1 200 Connection Established\r\n\r\nearly"

    run(story())
