"""Calls on paths that the gateway does not know: none is a way to spend uncounted."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.spending import RunLimits
from tests.gateway.answers import ASKS, CHAT, told, whole
from tests.gateway.providers import PRICE, Place

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
OLLAMA = {"model": "llama3", "messages": [{"role": "user", "content": "hi"}]}
FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/chat", OLLAMA),
        ("/api/generate", {"model": "llama3", "prompt": "hi"}),
        ("/model/maker.unknown-v2/invoke", {"prompt": "hi"}),
        ("/v1/projects/p/locations/l/publishers/x/models/secret-1:predict", {"instances": []}),
        ("/v1/audio/transcriptions", FORM),
        ("/v1/images/generations", {"prompt": "a cat"}),
    ],
)
def test_a_call_without_a_price_is_refused_on_every_path(path: str, document: Any) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(path, document)
        assert (status, place.seen) == (402, [])
        assert "no price is known" in json.loads(body)["error"]["message"]
        assert place.told.order == [("refused", "price")]

    told(test, whole, prices=Prices(AT))


def test_a_free_model_may_be_asked_on_any_path_and_is_counted() -> None:
    async def test(place: Place) -> None:
        assert (await place.send("/api/chat", OLLAMA))[0] == 200
        (call,) = place.calls
        assert (call.surface, call.model, call.cost_usd) == ("other", "llama3", Decimal(0))
        assert (call.usage.input_tokens, call.usage.output_tokens) == (1000, 50)

    told(test, whole, prices=Prices(AT, free=["llama*"]))


def test_an_unknown_model_is_charged_at_the_dearest_when_the_policy_says_so() -> None:
    async def test(place: Place) -> None:
        assert (await place.send("/api/chat", OLLAMA))[0] == 200
        assert place.calls[0].cost_usd is not None
        assert place.calls[0].cost_usd > Decimal("0.03")

    told(test, whole, prices=Prices(AT, unknown="worst"))


def test_json_lines_are_counted_while_they_come_and_by_what_they_tell() -> None:
    async def lines(request: web.Request, body: bytes) -> web.Response:
        parts = [{"message": {"role": "assistant", "content": "word " * 30}} for _ in range(3)]
        end = {"done": True, "prompt_eval_count": 26, "eval_count": 290}
        text = "".join(json.dumps(each) + "\n" for each in [*parts, end])
        return web.Response(text=text, content_type="application/x-ndjson")

    async def test(place: Place) -> None:
        await place.send("/api/chat", OLLAMA)
        usage = place.calls[0].usage
        assert (usage.input_tokens, usage.output_tokens) == (26, 290)

    told(test, lines, prices=Prices(AT, own={"*": PRICE}))


def test_what_tells_no_use_is_charged_by_its_text() -> None:
    async def silent(request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"completion": "word " * 100})

    async def test(place: Place) -> None:
        await place.send("/model/anthropic.claude-v2/invoke", {"prompt": "hi " * 100})
        usage = place.calls[0].usage
        assert usage.estimated
        assert (usage.input_tokens >= 100, usage.output_tokens >= 166) == (True, True)

    told(test, silent)


def test_embeddings_cost_what_the_price_list_says() -> None:
    async def embeds(request: web.Request, body: bytes) -> web.Response:
        return web.json_response(
            {"data": [], "usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}}
        )

    async def test(place: Place) -> None:
        await place.send("/v1/embeddings", {"model": "text-embedding-3-small", "input": "hi"})
        assert place.calls[0].cost_usd == Decimal("0.02")

    told(test, embeds, prices=Prices(AT))


@pytest.mark.parametrize("path", ["/v1/messages/batches", "/v1/batches", "/v1/realtime/sessions"])
def test_what_cannot_be_counted_is_403_whatever_the_policy_says(path: str) -> None:
    async def test(place: Place) -> None:
        status, _, body = await place.send(path, ASKS)
        assert (status, place.seen) == (403, [])
        assert "cannot be counted" in json.loads(body)["error"]["message"]

    told(test, whole, prices=Prices(AT, free=["*"]))


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1beta/models/gemini-2.5-pro:countTokens"])
def test_counting_tokens_is_free_even_at_the_limit(path: str) -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        assert (await place.send(path, ASKS))[0] == 200
        assert (len(place.seen), len(place.told.calls)) == (2, 1)

    told(test, whole, limits=RunLimits(max_calls=1))


def test_a_service_tier_has_its_own_price() -> None:
    tiered = {"gpt-5": None, "priority": "priority", "flex": "flex"}

    async def test(place: Place) -> None:
        for tier in tiered.values():
            document = {**ASKS, "model": "gpt-5", **({"service_tier": tier} if tier else {})}
            assert (await place.send(CHAT, document))[0] == 200
        standard, priority, flex = (call.cost_usd or Decimal(0) for call in place.calls)
        prices = Prices(AT)
        for mode, cost in (("", standard), ("priority", priority), ("flex", flex)):
            price = prices.of("openai", "gpt-5", mode=mode)
            assert price is not None
            assert cost == (price.input_usd * 1000 + price.output_usd * 50) / 1_000_000

    told(test, whole, prices=Prices(AT))


def test_the_fast_mode_of_a_model_costs_more() -> None:
    async def test(place: Place) -> None:
        for speed in ({}, {"speed": "fast"}):
            await place.send("/v1/messages", {**ASKS, "model": "claude-opus-4-8", **speed})
        slow, fast = (call.cost_usd or Decimal(0) for call in place.calls)
        assert 0 < slow < fast

    async def answers(request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"content": [], "usage": {"input_tokens": 1000, "output_tokens": 50}})

    told(test, answers, prices=Prices(datetime(2026, 10, 1, tzinfo=timezone.utc)))
