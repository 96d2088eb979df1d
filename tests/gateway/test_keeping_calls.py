"""What a recorder is given of the calls that pass the gateway."""

from __future__ import annotations

import gzip
import json

from aiohttp import web

from microloop_cli.bundle.model_records import About
from microloop_cli.gateway.recording.recorder import Recorder
from microloop_cli.gateway.spending import RunLimits
from tests.gateway.answers import ASKS, CHAT, USAGE, WHOLE, delta, events, streaming, told, whole
from tests.gateway.providers import Place

Kept = list[tuple[About, bytes, bytes]]


def kept_by() -> tuple[Kept, Recorder]:
    kept: Kept = []
    return kept, Recorder(lambda about, request, answer: kept.append((about, request, answer)))


def test_a_stream_is_kept_as_it_was_asked_for_and_as_it_came() -> None:
    sent = events(delta("a"), {"id": "1", "choices": [], "usage": USAGE}, "[DONE]")
    kept, recorder = kept_by()

    async def test(place: Place) -> None:
        await place.send(CHAT, {**ASKS, "stream": True})
        ((about, request, answer),) = kept
        assert (about.call, about.status, about.surface, about.target) == (1, 200, "chat", CHAT)
        assert (request, answer) == (place.seen[0].body, sent)

    told(test, streaming(sent[:30], sent[30:]), recorder=recorder)


def test_errors_and_calls_that_cost_nothing_are_kept_and_refused_ones_are_not() -> None:
    kept, recorder = kept_by()

    async def busy(request: web.Request, body: bytes) -> web.Response:
        if request.method == "GET":
            return await whole(request, body)
        return web.json_response({"error": "busy"}, status=429)

    async def test(place: Place) -> None:
        await place.send("/v1/models", b"", method="GET")
        await place.send(CHAT, ASKS)
        assert [(about.call, about.status) for about, _, _ in kept] == [(None, 200), (1, 429)]
        assert json.loads(kept[1][2]) == {"error": "busy"}
        place.gateway.spent._limits = RunLimits(max_tokens=1)
        assert (await place.send(CHAT, ASKS))[0] == 402
        assert len(kept) == 2

    told(test, busy, recorder=recorder)


def test_what_came_compressed_is_kept_plain() -> None:
    kept, recorder = kept_by()

    async def squeezed(request: web.Request, body: bytes) -> web.Response:
        data = gzip.compress(json.dumps(WHOLE).encode())
        return web.Response(body=data, headers={"Content-Encoding": "gzip"}, content_type="application/json")

    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        assert json.loads(kept[0][2]) == WHOLE

    told(test, squeezed, recorder=recorder)
