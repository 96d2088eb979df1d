"""Anthropic Messages.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.estimate import text_bytes
from microloop_cli.gateway.wire.failures import LIMIT_STATUS, encoded, error_of
from microloop_cli.gateway.wire.reading import count, decode, items, member, mode_of, most, text
from microloop_cli.gateway.wire.tally import NOTHING, Seen, Told
from microloop_cli.gateway.wire.wire_format import Request, Wire


class _Request(msgspec.Struct):
    model: Any = None
    stream: Any = None
    max_tokens: Any = None
    speed: Any = None
    service_tier: Any = None


class _Answer(msgspec.Struct):
    usage: Any = None
    content: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    message: _Answer | None = None
    content_block: Any = None
    delta: Any = None
    usage: Any = None


def read_request(body: bytes) -> Request | None:
    asked = decode(body, _Request)
    if asked is None:
        return None
    return Request(
        body=body,
        model=text(asked.model),
        stream=asked.stream is True,
        max_output_tokens=count(asked.max_tokens),
        mode=mode_of(asked.speed, asked.service_tier),
    )


def read_event(data: bytes) -> Seen | None:
    event = decode(data, _Event)
    if event is None:
        return None
    if event.type == "message_start" and event.message is not None:
        # The output it tells is a token or so that stands for what is yet to come.
        told = told_by(event.message.usage)
        return Seen(told=None if told is None else msgspec.structs.replace(told, output_tokens=None))
    if event.type == "content_block_start":
        return Seen(new_bytes=_block_bytes(event.content_block))
    if event.type == "content_block_delta":
        return Seen(new_bytes=text_bytes(event.delta))
    if event.type == "message_delta":
        return Seen(told=told_by(event.usage))
    return NOTHING


def read_answer(body: bytes) -> Seen | None:
    answer = decode(body, _Answer)
    if answer is None:
        return None
    return Seen(
        told=told_by(answer.usage),
        new_bytes=sum(_block_bytes(block) for block in items(answer.content)),
    )


def _block_bytes(block: Any) -> int:
    """Results of the provider's own tools stand in the answer, but the model did not write them."""
    return 0 if text(member(block, "type")).endswith("_tool_result") else text_bytes(block)


def told_by(usage: Any) -> Told | None:
    """Cumulative. input_tokens is without what was read from or written to the cache. Where an answer took
    more than one turn of a model (compaction), `iterations` has them all and the rest only the last.
    """
    whole = _turn(usage)
    turns = [turn for each in items(member(usage, "iterations")) if (turn := _turn(each)) is not None]
    if not turns or whole is None:
        return whole
    added = {name: sum(getattr(turn, name) or 0 for turn in turns) for name in Told.__struct_fields__}
    return Told(**{name: max(getattr(whole, name) or 0, added[name]) for name in added})


def _turn(usage: Any) -> Told | None:
    fresh = count(usage, "input_tokens")
    cached = count(usage, "cache_read_input_tokens")
    hour = count(usage, "cache_creation", "ephemeral_1h_input_tokens")
    kept = (hour or 0) + (count(usage, "cache_creation", "ephemeral_5m_input_tokens") or 0)
    written = most(count(usage, "cache_creation_input_tokens"), kept or None)
    output = count(usage, "output_tokens")
    if fresh is None and output is None:
        return None
    return Told(
        input_tokens=None if fresh is None else fresh + (cached or 0) + (written or 0),
        cached_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=hour,
        output_tokens=output,
        reasoning_tokens=count(usage, "output_tokens_details", "thinking_tokens"),
    )


def cut(message: str) -> bytes:
    """The `error` event: Anthropic's clients raise it as an APIError with this type and message.

    Claude Code asks once more, whatever the type: unstreamed, or with the result of a tool call that had
    already passed. Only the refusal of that call ends it, with its message.
    """
    return b"event: error\ndata: " + encoded(error_of("anthropic", LIMIT_STATUS, message)) + b"\n\n"


WIRE = Wire(request=read_request, event=read_event, answer=read_answer, cut=cut)
