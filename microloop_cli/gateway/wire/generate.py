"""Google Gemini generateContent and streamGenerateContent. Model and streaming stand in the path.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.estimate import text_bytes
from microloop_cli.gateway.wire.failures import LIMIT_STATUS, encoded, error_of
from microloop_cli.gateway.wire.reading import count, decode, items, member, mode_of, most
from microloop_cli.gateway.wire.tally import Seen, Told
from microloop_cli.gateway.wire.wire_format import Request, Wire


class _Request(msgspec.Struct):
    generationConfig: Any = None
    generation_config: Any = None
    serviceTier: Any = None
    service_tier: Any = None


class _Answer(msgspec.Struct):
    candidates: Any = None
    usageMetadata: Any = None


def read_request(body: bytes) -> Request | None:
    asked = decode(body, _Request)
    if asked is None:
        return None
    found = [
        (count(config, longest), count(config, many))
        for config in (asked.generationConfig, asked.generation_config)
        for longest, many in (("maxOutputTokens", "candidateCount"), ("max_output_tokens", "candidate_count"))
    ]
    longest = most(*(each for each, _ in found))
    many = most(1, *(each for _, each in found)) or 1
    return Request(
        body=body,
        max_output_tokens=None if longest is None else longest * many,
        mode=mode_of(asked.serviceTier, asked.service_tier),
        choices=many,
    )


def read_event(data: bytes) -> Seen | None:
    piece = decode(data, _Answer)
    if piece is None:
        return None
    contents = [member(candidate, "content", "parts") for candidate in items(piece.candidates)]
    return Seen(told=told_by(piece.usageMetadata), new_bytes=text_bytes(contents))


def read_answer(body: bytes) -> Seen | None:
    return read_event(body)


def told_by(usage: Any) -> Told | None:
    """promptTokenCount includes what was cached; thoughts are not among the candidates' tokens; what tools of
    the provider's own gave the model to read is input. Early pieces of a stream may not tell the output.
    """
    prompt = count(usage, "promptTokenCount")
    if prompt is None:
        return None
    tools = count(usage, "toolUsePromptTokenCount") or 0
    answers = count(usage, "candidatesTokenCount")
    thoughts = count(usage, "thoughtsTokenCount")
    total = count(usage, "totalTokenCount")
    written = None if answers is None and thoughts is None else (answers or 0) + (thoughts or 0)
    rest = total - prompt - tools if total is not None and total >= prompt + tools else None
    return Told(
        input_tokens=prompt + tools,
        cached_tokens=count(usage, "cachedContentTokenCount"),
        output_tokens=most(written, rest),
        reasoning_tokens=thoughts,
    )


def cut(message: str) -> bytes:
    """There is no error event. Google itself writes the bare error object into the stream; its JavaScript
    client raises it, or, when it came together with other data, that the JSON is incomplete (hence no blank
    line after it). In a streamed JSON array it makes the array malformed, which is an error, too.
    """
    return b"\n" + encoded(error_of("google", LIMIT_STATUS, message))


WIRE = Wire(request=read_request, event=read_event, answer=read_answer, cut=cut)
