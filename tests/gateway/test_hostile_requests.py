"""Requests that try to reach another server, or that two servers could read differently."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from aiohttp import web

from microloop_cli.gateway.bodies import Bodies
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import Place

GENERATE = "/v1beta/models/gemini-2.5-pro:generateContent"


@pytest.mark.parametrize(
    "line",
    ["POST @evil.example/v1/messages", "POST http://evil.example/v1/messages", "CONNECT evil.example:443"],
)
def test_a_request_that_names_another_server_is_not_forwarded(line: str) -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.raw(
            f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
        )
        assert status in (0, 400, 404, 405)
        assert place.seen == []

    told(test, whole)


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nContent-Length: 3",
        "X-A: b\r\n folded: c\r\nContent-Length: +2",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked\r\nContent-Length: 2",
        "X-A: b\r\n folded\r\nContent-Length: 2",
        "X-A: b\rX-B: c\r\nContent-Length: 2",
        "X-A: b\nContent-Length: 90\r\nContent-Length: 2",
        "X-A : b\r\nContent-Length: 2",
        "X-A: b\0c\r\nContent-Length: 2",
        "Content-Length: 0x2",
        "Content-Length: 2\r\nTransfer-Encoding : chunked",
        "X-Big: " + "a" * 70_000 + "\r\nContent-Length: 2",
    ],
)
def test_requests_that_two_servers_could_read_differently_are_refused(head: str) -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.raw(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n{{}}".encode()
        )
        assert status == 400
        assert place.seen == []

    told(test, whole)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b'"model"', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses", GENERATE])
def test_a_model_call_that_cannot_be_read_is_400_in_the_providers_shape(path: str, body: bytes) -> None:
    async def test(place: Place) -> None:
        status, _, answer = await place.send(path, body)
        assert (status, place.seen, place.told.order) == (400, [], [])
        assert "no JSON object" in json.loads(answer)["error"]["message"]

    told(test, whole)


@pytest.mark.parametrize(
    "target",
    ["//v1//chat/completions", "/v1/./chat/completions", "/v1/x/../chat/completions", "/v1/chat/%63ompletions",
     "/v1/chat/completions?x=1#y", "/v1/chat/completions;a=b", "/v1\\chat\\completions", "/V1/Chat/Completions",
     "/v1/chat/completions/", "/v1/chat/completions%20"],
)  # fmt: skip
def test_no_spelling_of_a_path_goes_by_uncounted(target: str) -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.send(target, ASKS)
        assert len(place.seen) == len(place.calls)
        assert (status == 200) == bool(place.seen)

    told(test, whole)


@pytest.mark.parametrize(
    "target", ["/\xff\xfe", "/%zz", "/a b", "/" + "a" * 7_000, "/?key=%00", "/%00", "*", "", "/:80", "/\x7f"]
)
def test_odd_targets_get_an_answer(target: str) -> None:
    async def test(place: Place) -> None:
        line = b"POST " + target.encode("latin-1") + b" HTTP/1.1\r\n"
        status, _, _ = await place.raw(line + b"Host: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        assert status in (200, 400, 404, 502)
        assert place.told.order == []

    told(test, whole)


def test_a_request_of_100_megabytes_is_refused_before_it_fills_the_memory() -> None:
    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * 2**20}\r\n\r\n".encode())
        sent = 0
        with suppress(ConnectionError):
            for _ in range(100):
                writer.write(b" " * 2**20)
                await writer.drain()
                sent += 1
                if place.gateway._bodies.held_bytes == 0 and sent > 70:
                    break
        head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
        assert b" 413 " in head
        assert (place.seen, place.gateway._bodies.held_bytes) == ([], 0)
        writer.close()

    told(test, whole)


def test_a_large_request_is_forwarded_while_others_go_on() -> None:
    filler = "word " * 6_000_000
    document = json.dumps({**ASKS, "messages": [{"role": "user", "content": filler}]}).encode()

    async def test(place: Place) -> None:
        large = asyncio.ensure_future(place.send(CHAT, document))
        waits = []
        while not large.done():
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(0.001)
            waits.append(asyncio.get_running_loop().time() - began)
        assert (await large)[0] == 200
        assert len(place.seen[0].body) == len(document)
        assert max(waits) < 1.0

    told(test, whole)


def test_many_large_requests_at_once_are_bounded_together() -> None:
    async def test(place: Place) -> None:
        place.gateway._bodies = Bodies(most_bytes=2**20, at_once=3 * 2**20)
        document = json.dumps({**ASKS, "x": "y" * 900_000}).encode()
        answers = await asyncio.gather(*[place.send(CHAT, document) for _ in range(10)])
        assert {status for status, _, _ in answers} == {200, 503}
        assert place.gateway._bodies.held_bytes == 0

    async def slowly(request: web.Request, body: bytes) -> web.Response:
        await asyncio.sleep(0.3)
        return await whole(request, body)

    told(test, slowly)


@pytest.mark.parametrize(
    "request_end",
    [
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["gzip", "br", "chunked"],
)
def test_a_body_that_cannot_be_decoded_is_400(request_end: bytes) -> None:
    async def test(place: Place) -> None:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
        status, _, _ = await place.raw(head + request_end)
        assert (status, place.seen, place.told.order) == (400, [], [])

    told(test, whole)


def test_a_client_that_sends_half_a_request_and_goes_leaves_nothing_behind() -> None:
    async def test(place: Place) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf".encode())
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.05)
        assert (place.gateway._bodies.held_bytes, place.seen, place.told.order) == (0, [], [])

    told(test, whole)


def test_what_only_the_next_server_is_told_and_other_methods_in_disguise_are_not_sent_on() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS, "Connection: x-hop", "X-Hop: 1", "X-HTTP-Method-Override: GET")
        names = {name.lower() for name in place.seen[0].headers}
        assert not names & {"x-hop", "x-http-method-override"}

    told(test, whole)


def test_a_client_that_asks_first_whether_it_may_send_is_told_to_go_on() -> None:
    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(ASKS).encode()
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode())
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert b" 200 " in await asyncio.wait_for(reader.readline(), 2)
        writer.close()

    told(test, whole)
