"""Providers that are down, slow, broken or odd: a clean error, the right charge, each call told once."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from decimal import Decimal

import pytest

from tests.gateway.answers import ASKS, CHAT, WHOLE, delta, events
from tests.gateway.providers import Place
from tests.gateway.raw_upstreams import behind, head, meets, says

BODY = json.dumps(WHOLE).encode()
STREAM = {**ASKS, "stream": True}


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def only_record(place: Place) -> tuple[int, bool, bool]:
    """(status, charged, estimated) of the one call, which was told once."""
    assert [name for name, _ in place.told.order if name != "tool_called"] == ["asked", "answered"]
    (record,) = place.told.calls
    assert not place.gateway.spent.spending.running
    assert record.cost_usd is not None
    return record.status, record.cost_usd > 0, record.usage.estimated


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "coding", ["br", "zstd", "compress", "gzip, br", "x" * 3_000], ids=lambda coding: coding[:8]
)
def test_a_coding_that_nobody_asked_for_is_502_and_never_passed_on_unread(coding: str, stream: bool) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, {**ASKS, "stream": stream})
        assert (status, b"cannot be read" in body, b"\x8b\x02" in body) == (502, True, False)
        assert only_record(place) == (200, True, True)

    meets(test, says(head(f"Content-Encoding: {coding}", "Content-Length: 4") + b"\x8b\x02\x80\x00"))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_compressed_answers_are_read_however_they_are_cut_up(coding: str, size: int) -> None:
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(BODY),
        "deflate": zlib.compress(BODY),
        "raw": raw.compress(BODY) + raw.flush(),
    }
    data = packed[coding]
    name = "gzip" if coding == "gzip" else "deflate"
    chunks = [chunk(data[at : at + size]) for at in range(0, len(data), size)]

    async def test(place: Place) -> None:
        status, headers, body = await place.send(CHAT, ASKS)
        assert (status, body) == (200, BODY)
        assert b"content-encoding" not in headers.lower()
        assert only_record(place) == (200, True, False)

    whole = head(f"Content-Encoding: {name}", "Transfer-Encoding: chunked")
    meets(test, says(whole, *chunks, b"0\r\n\r\n", pause_seconds=0))


@pytest.mark.parametrize(
    "data", [gzip.compress(BODY)[:-12], b"no gzip at all", gzip.compress(BODY)[:5] + b"\xff" * 50, gzip.compress(BODY) + b"more"]
)  # fmt: skip
def test_a_broken_gzip_is_an_error_and_charged(data: bytes) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, json.loads(body)["error"]["type"]) == (502, "server_error")
        assert only_record(place)[:2] == (200, True)

    meets(test, says(head("Content-Encoding: gzip", f"Content-Length: {len(data)}") + data))


def test_a_bomb_is_unpacked_in_pieces_and_charged_by_its_size() -> None:
    bomb = gzip.compress(b" " * 60_000_000, 9)

    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, len(body)) == (200, 60_000_000)
        assert place.calls[0].usage.output_tokens == 20_000_000

    meets(test, says(head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "said",
    [
        head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
        head("Transfer-Encoding: chunked") + b"5\r\n{}",
        head("Content-Length: 500") + b"{",
        head("Transfer-Encoding: chunked") + b"-2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["no size", "short chunk", "short body", "negative size"],
)
def test_an_answer_that_breaks_off_never_looks_whole_and_is_charged(said: bytes, stream: bool) -> None:
    async def test(place: Place) -> None:
        try:
            status, _, _ = await place.send(CHAT, {**ASKS, "stream": stream})
        except (EOFError, ConnectionError):
            status = 0
        assert status in (0, 502)
        record = only_record(place)
        assert record == (200, True, True) or place.told.calls[0].status == 0

    meets(test, says(said))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        head("Content-Length: 2", "Transfer-Encoding: chunked") + b"{}",
        head("Content-Length: 2", "Content-Length: 3") + b"{}",
        head("X-Big: " + "a" * 200_000, "Content-Length: 2") + b"{}",
        head("X-Bad: a\0b", "Content-Length: 2") + b"{}",
    ],
    ids=["nothing", "ssh", "no status", "both lengths", "two lengths", "large header", "nul"],
)
def test_what_is_no_http_answer_is_502_and_costs_nothing(said: bytes) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, json.loads(body)["error"]["type"]) == (502, "server_error")
        assert b"x-should-retry" not in body
        assert only_record(place) == (0, False, False)

    meets(test, says(said))


def test_headers_that_another_server_could_read_otherwise_are_not_passed_on() -> None:
    said = head(
        "X-Odd: \xe4\xff", "Connection: close, x-private", "X-Private: 1", "X-Good: yes", "Content-Length: 2"
    )

    async def test(place: Place) -> None:
        status, headers, _ = await place.send(CHAT, ASKS)
        assert status == 200
        assert (b"x-good: yes" in headers.lower(), b"x-private" in headers.lower()) == (True, False)

    meets(test, says(said.decode().encode("latin-1") + b"{}"))


def test_a_slow_upstream_holds_up_nobody_else() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"}")
        if b"slow" in request:
            await asyncio.sleep(5)
        writer.write(head(f"Content-Length: {len(BODY)}") + BODY)
        await asyncio.sleep(0.1)
        writer.close()

    async def test(place: Place) -> None:
        waiting = asyncio.ensure_future(place.send(CHAT, {**ASKS, "model": "slow"}))
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(place.send(CHAT, ASKS), 1))[0] == 200
        waiting.cancel()

    meets(test, slow)


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_without_an_answer_is_ended_and_charged_when_the_run_ends(stream: bool) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        async with behind(silent) as place:
            sending = asyncio.ensure_future(place.send(CHAT, {**ASKS, "stream": stream}))
            await asyncio.sleep(0.2)
        assert only_record(place) == (0, True, True)
        sending.cancel()

    asyncio.run(run())


def test_a_client_that_gives_up_on_a_stream_that_never_began_is_charged_its_input() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test(place: Place) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(STREAM).encode()
        writer.write(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
        assert only_record(place) == (0, True, True)

    meets(test, silent)


def test_an_upstream_that_cannot_be_reached_costs_nothing_and_may_be_asked_again() -> None:
    async def test(place: Place) -> None:
        upstreams = place.gateway._upstreams
        upstreams.update({name: type(up)("http://127.0.0.1:1", up.key) for name, up in upstreams.items()})  # type: ignore[attr-defined]
        for stream in (False, True):
            status, headers, _ = await place.send(CHAT, {**ASKS, "stream": stream})
            assert (status, b"x-should-retry" in headers.lower()) == (502, False)
        assert [(call.status, call.cost_usd) for call in place.told.calls] == [(0, Decimal(0))] * 2

    meets(test, says())


def test_a_hundred_megabytes_of_answer_pass_and_are_charged_without_being_held() -> None:
    piece = b"x" * 2**20

    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(f"Content-Length: {100 * len(piece)}"))
        for _ in range(100):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, len(body)) == (200, 100 * 2**20)
        assert place.calls[0].usage.output_tokens > 30_000_000

    meets(test, large)


def test_a_stream_without_an_end_of_an_event_is_charged_as_it_grows() -> None:
    async def test(place: Place) -> None:
        status, _, _ = await place.send(CHAT, STREAM)
        assert (status, place.calls[0].usage.output_tokens > 100) == (200, True)

    said = events(delta("a"))[:-2] + b"y" * 1_000
    meets(test, says(head("Connection: close", kind="text/event-stream"), said))
