"""Requests and answers that the tests of the gateway share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.gateway.providers import Place, provider

CHAT = "/v1/chat/completions"
ASKS = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
WHOLE = {"id": "1", "object": "chat.completion", "choices": [], "usage": USAGE}


async def whole(request: web.Request, body: bytes) -> web.Response:
    return web.json_response(WHOLE, headers={"x-request-id": "r1", "set-cookie": "a=b"})


def events(*documents: Any) -> bytes:
    lines = [
        f"data: {document if isinstance(document, str) else json.dumps(document)}" for document in documents
    ]
    return "".join(f"{line}\n\n" for line in lines).encode()


def delta(text: str) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": text}}],
    }


def streaming(*parts: bytes) -> Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0.01)
        await response.write_eof()
        return response

    return answer


def told(test: Callable[[Place], Awaitable[None]], answer: Any, **options: Any) -> None:
    async def run() -> None:
        async with provider(answer, **options) as place:
            await test(place)

    asyncio.run(run())
