"""The gateway as clients and providers meet it, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from microloop_cli.gateway.spending import RunLimits
from tests.gateway.answers import ASKS, CHAT, USAGE, WHOLE, delta, events, streaming, told, whole
from tests.gateway.providers import Place


def test_a_call_is_forwarded_answered_and_charged_to_the_cent() -> None:
    async def test(place: Place) -> None:
        status, head, body = await place.send(CHAT, ASKS)
        assert (status, json.loads(body)) == (200, WHOLE)
        assert b"x-request-id: r1" in head.lower()
        assert b"set-cookie" not in head.lower()
        (call,) = place.calls
        assert (call.model, call.usage.input_tokens, call.usage.output_tokens) == ("gpt-4o", 1000, 50)
        assert call.cost_usd == Decimal("0.015")
        assert json.loads(place.seen[0].body) == ASKS

    told(test, whole)


def test_the_real_key_takes_the_place_of_whatever_the_client_sent() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS, "Authorization: Bearer placeholder", "x-api-key: other")
        headers = {name.lower(): value for name, value in place.seen[0].headers.items()}
        assert headers["authorization"] == "Bearer sk-real"
        assert "x-api-key" not in headers
        await place.send(
            "/v1beta/models/gemini-2.5-pro:generateContent?key=placeholder&alt=sse", {"contents": []}
        )
        assert "placeholder" not in place.seen[1].path
        assert place.seen[1].path.endswith("alt=sse")

    told(test, whole)


def test_without_a_key_of_ours_the_clients_own_goes_through() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS, "Authorization: Bearer theirs")
        assert place.seen[0].headers["Authorization"] == "Bearer theirs"

    told(test, whole, key="")


def test_a_stream_reaches_the_client_byte_for_byte() -> None:
    asked_usage = {**ASKS, "stream": True, "stream_options": {"include_usage": True}}
    sent = events(delta("a"), delta("b"), {"id": "1", "choices": [], "usage": USAGE}, "[DONE]")

    async def test(place: Place) -> None:
        _, _, body = await place.send(CHAT, asked_usage)
        assert body == sent
        assert place.calls[0].cost_usd == Decimal("0.015")

    told(test, streaming(sent[:33], sent[33:90], sent[90:]))


def test_usage_that_the_client_did_not_ask_for_is_asked_for_and_hidden_again() -> None:
    sent = events(delta("a"), {"id": "1", "choices": [], "usage": USAGE}, "[DONE]")

    async def test(place: Place) -> None:
        _, _, body = await place.send(CHAT, {**ASKS, "stream": True})
        assert json.loads(place.seen[0].body)["stream_options"] == {"include_usage": True}
        assert b"prompt_tokens" not in body
        assert body == events(delta("a"), "[DONE]")
        assert not place.calls[0].usage.estimated

    told(test, streaming(sent))


def test_at_the_limit_the_answer_is_402_in_the_providers_shape_and_nothing_is_sent_on() -> None:
    async def test(place: Place) -> None:
        assert (await place.send(CHAT, ASKS))[0] == 200
        status, head, body = await place.send(CHAT, ASKS)
        assert status == 402
        assert b"x-should-retry: false" in head.lower()
        assert b"retry-after" not in head.lower()
        assert "--max-model-calls" in json.loads(body)["error"]["message"]
        status, _, body = await place.send(
            "/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": []}
        )
        assert (status, json.loads(body)["type"]) == (402, "error")
        assert len(place.seen) == 1
        assert len(place.refused) == 2

    told(test, whole, limits=RunLimits(max_calls=1))


def test_a_stream_that_crosses_the_limit_is_cut() -> None:
    long = streaming(*[events(delta("word " * 200)) for _ in range(50)], events("[DONE]"))

    async def test(place: Place) -> None:
        _, _, body = await place.send(CHAT, {**ASKS, "stream": True, "max_tokens": 100_000})
        assert body.count(b"data: ") < 50
        assert b"--max-tokens" in body
        assert (place.calls[0].cut, place.calls[0].usage.estimated) == (True, True)
        assert place.gateway.spent.spending.tokens < 4000

    told(test, long, limits=RunLimits(max_tokens=2000))


def test_a_warning_comes_once_at_80_percent() -> None:
    async def test(place: Place) -> None:
        for _ in range(10):
            await place.send(CHAT, ASKS)
        assert [near.limit for near in place.near] == ["model_calls"]

    told(test, whole, limits=RunLimits(max_calls=10))


def test_an_error_answer_is_passed_on_and_costs_nothing() -> None:
    async def busy(request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"error": {"message": "busy"}}, status=429, headers={"retry-after": "3"})

    async def test(place: Place) -> None:
        status, head, _ = await place.send(CHAT, ASKS)
        assert status == 429
        assert b"retry-after: 3" in head.lower()
        assert (place.calls, place.gateway.spent.spending.calls) == ([], 0)

    told(test, busy)


def test_an_upstream_that_is_not_there_is_502_and_costs_nothing() -> None:
    async def test(place: Place) -> None:
        upstreams: Any = place.gateway._upstreams
        upstreams.update({name: type(up)("http://127.0.0.1:1", up.key) for name, up in upstreams.items()})
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, "gave no answer" in json.loads(body)["error"]["message"]) == (502, True)
        assert b"sk-real" not in body
        assert place.gateway.spent.spending.calls == 0

    told(test, whole)


def test_an_answer_that_breaks_off_does_not_look_whole_and_is_charged() -> None:
    async def broken(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(events(delta("abc " * 100)))
        assert request.transport is not None
        await asyncio.sleep(0.05)
        request.transport.abort()
        return response

    async def test(place: Place) -> None:
        with pytest.raises((EOFError, ConnectionError)):
            await place.send(CHAT, {**ASKS, "stream": True})
        (call,) = place.calls
        assert call.usage.estimated
        assert call.usage.output_tokens > 50

    told(test, broken)


def test_a_client_that_hangs_up_is_charged_for_what_passed() -> None:
    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps({**ASKS, "stream": True}).encode()
        writer.write(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(body)) + body
        )
        await reader.readuntil(b"word")
        writer.close()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if place.calls:
                break
        assert place.calls[0].usage.output_tokens > 0
        assert not place.gateway.spent.spending.running

    told(test, streaming(*[events(delta("word " * 50)) for _ in range(300)]))


def test_an_answer_that_nobody_waits_for_is_read_to_its_end_and_charged() -> None:
    async def slow(request: web.Request, body: bytes) -> web.Response:
        await asyncio.sleep(0.2)
        return web.json_response(WHOLE)

    async def test(place: Place) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(ASKS).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.4)
        assert [call.usage.input_tokens for call in place.calls] == [1000]

    told(test, slow)


def test_a_compressed_answer_is_metered_and_reaches_the_client_plain() -> None:
    async def squeezed(request: web.Request, body: bytes) -> web.Response:
        data = gzip.compress(json.dumps(WHOLE).encode())
        return web.Response(
            body=data, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
        )

    async def test(place: Place) -> None:
        _, head, body = await place.send(CHAT, ASKS, "Accept-Encoding: gzip, br")
        assert json.loads(body) == WHOLE
        assert b"content-encoding" not in head.lower()
        assert place.calls[0].usage.input_tokens == 1000

    told(test, squeezed)


def test_a_compressed_request_is_read_and_sent_on_plain() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, gzip.compress(json.dumps(ASKS).encode()), "Content-Encoding: gzip")
        assert json.loads(place.seen[0].body) == ASKS
        assert "Content-Encoding" not in place.seen[0].headers
        assert place.calls[0].model == "gpt-4o"

    told(test, whole)


def test_a_websocket_is_refused_so_that_the_client_falls_back() -> None:
    async def test(place: Place) -> None:
        headers = ("Upgrade: websocket", "Connection: Upgrade")
        status, _, _ = await place.send("/v1/responses", b"", *headers, method="GET")
        assert (status, place.seen) == (426, [])

    told(test, whole)


def test_lists_of_models_pass_without_being_counted() -> None:
    async def test(place: Place) -> None:
        assert (await place.send("/v1/models", b"", method="GET"))[0] == 200
        assert (place.seen[0].method, place.calls) == ("GET", [])

    told(test, whole, limits=RunLimits(max_calls=1))


def test_two_hundred_streams_at_once_end_well_and_are_counted() -> None:
    sent = events(delta("a"), {"id": "1", "choices": [], "usage": USAGE}, "[DONE]")

    async def test(place: Place) -> None:
        answers = await asyncio.gather(*[place.send(CHAT, {**ASKS, "stream": True}) for _ in range(200)])
        assert {answer[2] for answer in answers} == {events(delta("a"), "[DONE]")}
        assert place.gateway.spent.spending.ended == 200
        assert place.gateway.spent.spending.cost_usd == Decimal("0.015") * 200

    told(test, streaming(sent[:20], sent[20:]))
