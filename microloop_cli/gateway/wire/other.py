"""Calls that are passed through (models, counting, embeddings): their usage is read when they tell one."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire import chat, generate, messages, responses
from microloop_cli.gateway.wire.estimate import text_bytes
from microloop_cli.gateway.wire.reading import count, decode, member, mode_of, text
from microloop_cli.gateway.wire.tally import NOTHING, Seen, Told
from microloop_cli.gateway.wire.wire_format import Request, Wire

# What is longer is charged by its size: its parts would take too long to look at.
_LONGEST_READ_BYTES = 2**20


class _Request(msgspec.Struct):
    model: Any = None
    stream: Any = None
    service_tier: Any = None


class _Answer(msgspec.Struct):
    usage: Any = None
    usageMetadata: Any = None
    message: Any = None
    response: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None


def read_request(body: bytes) -> Request | None:
    asked = decode(body, _Request)
    if asked is None:
        return None
    return Request(
        body=body,
        model=text(asked.model),
        stream=asked.stream is True,
        mode=mode_of(asked.service_tier),
    )


def read_answer(body: bytes) -> Seen | None:
    """What tells no usage is charged by its text."""
    return read_event(body)


def read_event(data: bytes) -> Seen | None:
    """A stream is a model at work, whatever the path: all its text counts until it tells its usage."""
    if data.strip() == b"[DONE]":
        return NOTHING
    answer = decode(data, _Answer)
    if answer is None:
        return None
    told = generate.told_by(answer.usageMetadata) or _told_by_ollama(answer)
    for usage in (answer.usage, member(answer.message, "usage"), member(answer.response, "usage")):
        told = told or _told_by(usage)
    if told is not None or len(data) > _LONGEST_READ_BYTES:
        return Seen(told=told, new_bytes=0 if told else len(data))
    return Seen(new_bytes=text_bytes(decode(data, dict[str, Any])))


def _told_by_ollama(answer: _Answer) -> Told | None:
    written = count(answer.eval_count)
    if not written:
        return None
    return Told(input_tokens=count(answer.prompt_eval_count), output_tokens=written)


def _told_by(usage: Any) -> Told | None:
    anthropic = member(usage, "cache_read_input_tokens") or member(usage, "cache_creation_input_tokens")
    return chat.told_by(usage) or (messages.told_by(usage) if anthropic else responses.told_by(usage))


WIRE = Wire(request=read_request, event=read_event, answer=read_answer, cut=chat.cut)
