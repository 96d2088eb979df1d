"""OpenAI Responses.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.estimate import BYTES_PER_TOKEN, IMAGE_TOKENS, text_bytes
from microloop_cli.gateway.wire.failures import LIMIT_STATUS, encoded, error_of
from microloop_cli.gateway.wire.reading import count, decode, items, member, mode_of, most, text
from microloop_cli.gateway.wire.tally import NOTHING, Seen, Told
from microloop_cli.gateway.wire.wire_format import Request, Wire

# An answer made in the background has told no use when its first response ends, and may still grow.
UNTOLD_BACKGROUND_TOKENS = 16_000


class _Request(msgspec.Struct):
    model: Any = None
    stream: Any = None
    max_output_tokens: Any = None
    service_tier: Any = None


class _Answer(msgspec.Struct):
    usage: Any = None
    output: Any = None
    status: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    item: Any = None
    response: _Answer | None = None


def read_request(body: bytes) -> Request | None:
    asked = decode(body, _Request)
    if asked is None:
        return None
    return Request(
        body=body,
        model=text(asked.model),
        stream=asked.stream is True,
        max_output_tokens=count(asked.max_output_tokens),
        mode=mode_of(asked.service_tier),
    )


def read_event(data: bytes) -> Seen | None:
    if data.strip() == b"[DONE]":
        return NOTHING
    event = decode(data, _Event)
    if event is None:
        return None
    if event.response is not None:
        return _whole(event.response)
    if event.type.endswith(".delta"):
        return Seen(new_bytes=text_bytes(event.delta))
    if event.type == "response.output_item.done":
        return Seen(new_bytes=_never_streamed(event.item))
    return NOTHING


def read_answer(body: bytes) -> Seen | None:
    answer = decode(body, _Answer)
    if answer is None:
        return None
    if answer.status in ("queued", "in_progress") and not answer.usage:
        return Seen(new_bytes=UNTOLD_BACKGROUND_TOKENS * BYTES_PER_TOKEN)
    return _whole(answer)


def _whole(answer: _Answer) -> Seen:
    told = told_by(answer.usage)
    return Seen(told=told, whole_bytes=0 if told else sum(text_bytes(each) for each in items(answer.output)))


def _never_streamed(item: Any) -> int:
    """Bytes of what comes only with the finished item: reasoning that is kept secret, and images."""
    image = IMAGE_TOKENS if text(member(item, "result")) else 0
    return text_bytes(member(item, "encrypted_content")) + image * BYTES_PER_TOKEN


def told_by(usage: Any) -> Told | None:
    """input_tokens includes what was cached, output_tokens the reasoning."""
    taken = count(usage, "input_tokens")
    output = count(usage, "output_tokens")
    total = count(usage, "total_tokens")
    if taken is None and output is None:
        return None
    if taken and total is not None:
        output = most(output, total - taken if total >= taken else None)
    return Told(
        input_tokens=taken,
        cached_tokens=count(usage, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=count(usage, "input_tokens_details", "cache_write_tokens"),
        output_tokens=output,
        reasoning_tokens=count(usage, "output_tokens_details", "reasoning_tokens"),
    )


def cut(message: str) -> bytes:
    """`response.failed`, which ends an answer, then `error`, which OpenAI's own clients raise.

    The code of the first is for codex: of those with which it does not try again, only with this one it shows
    the message ("insufficient_quota" becomes its own text about billing).
    """
    error = error_of("openai", LIMIT_STATUS, message)["error"]
    failed: dict[str, Any] = {
        "id": "resp_cut",
        "object": "response",
        "status": "failed",
        "error": {"code": "invalid_prompt", "message": error["message"]},
        "output": [],
        "usage": None,
    }
    plain = {key: error[key] for key in ("code", "message", "param")}
    return _event("response.failed", {"response": failed}) + _event("error", {"error": error, **plain})


def _event(kind: str, members: dict[str, Any]) -> bytes:
    data = encoded({"type": kind, "sequence_number": 0, **members})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


WIRE = Wire(request=read_request, event=read_event, answer=read_answer, cut=cut)
