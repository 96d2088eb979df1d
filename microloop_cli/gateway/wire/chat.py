"""OpenAI Chat Completions, as OpenAI and the many servers like it speak it; the older completions, too.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.estimate import text_bytes
from microloop_cli.gateway.wire.failures import LIMIT_STATUS, encoded, error_of
from microloop_cli.gateway.wire.reading import count, decode, items, member, mode_of, most, text
from microloop_cli.gateway.wire.tally import NOTHING, Seen, Told
from microloop_cli.gateway.wire.wire_format import Request, Wire

_ASK = b',"stream_options":{"include_usage":true}}'


class _Request(msgspec.Struct):
    model: Any = None
    stream: Any = None
    stream_options: Any = msgspec.UNSET
    max_tokens: Any = None
    max_completion_tokens: Any = None
    n: Any = None
    best_of: Any = None
    service_tier: Any = None


class _Answer(msgspec.Struct):
    choices: Any = None
    usage: Any = None
    x_groq: Any = None


def read_request(body: bytes) -> Request | None:
    asked = decode(body, _Request)
    if asked is None:
        return None
    stream = asked.stream is True
    told = member(asked.stream_options, "include_usage") is True
    asking = _asking_for_usage(body, asked.stream_options) if stream and not told else None
    most_output = most(count(asked.max_tokens), count(asked.max_completion_tokens))
    choices = max(1, count(asked.n) or 1, count(asked.best_of) or 1)
    return Request(
        body=asking or body,
        model=text(asked.model),
        stream=stream,
        max_output_tokens=None if most_output is None else most_output * choices,
        adds_usage=asking is not None,
        mode=mode_of(asked.service_tier),
        choices=choices,
    )


def _asking_for_usage(body: bytes, options: Any) -> bytes | None:
    """The body with usage asked for: all else as it was, but for the client's own stream options.

    None for what is JSON only to a lenient reader: it is not touched.
    """
    if options is msgspec.UNSET:
        end = len(body.rstrip(b" \t\r\n")) - 1
        plain = body[end : end + 1] == b"}" and b"\0" not in body[:4]  # else it is UTF-16 or UTF-32
        return b"".join((memoryview(body)[:end], _ASK)) if plain else None  # one copy of the body
    members = decode(body, dict[str, msgspec.Raw])
    if members is None:
        return None
    asking = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return encoded({**members, "stream_options": asking})


def read_event(data: bytes) -> Seen | None:
    if data.strip() == b"[DONE]":
        return NOTHING
    piece = decode(data, _Answer)
    if piece is None:
        return None
    choices = items(piece.choices)
    usage = piece.usage or member(piece.x_groq, "usage") or _usage_in(choices)
    return Seen(
        told=told_by(usage),
        new_bytes=sum(text_bytes(_output_of(choice)) for choice in choices),
        usage_only=not choices and isinstance(piece.usage, dict),
    )


def read_answer(body: bytes) -> Seen | None:
    return read_event(body)


def _usage_in(choices: list[Any]) -> Any:
    """Moonshot tells the usage inside the last choice."""
    return next((found for choice in choices if (found := member(choice, "usage"))), None)


def _output_of(choice: Any) -> Any:
    return [member(choice, key) for key in ("delta", "message", "text")]


def told_by(usage: Any) -> Told | None:
    """prompt_tokens includes what was cached. completion_tokens includes reasoning at OpenAI, but not at xAI
    and Google: there the total gives it away.
    """
    prompt = count(usage, "prompt_tokens")
    output = count(usage, "completion_tokens")
    total = count(usage, "total_tokens")
    if prompt is None and output is None:
        return None
    if prompt and total is not None:
        output = most(output, total - prompt if total >= prompt else None)
    details = member(usage, "prompt_tokens_details")
    return Told(
        input_tokens=prompt,
        cached_tokens=most(
            count(details, "cached_tokens"),
            count(usage, "prompt_cache_hit_tokens"),  # DeepSeek
            count(usage, "cached_tokens"),  # Moonshot
        ),
        cache_write_tokens=most(
            count(details, "cache_write_tokens"),  # OpenRouter
            count(details, "cache_creation_tokens"),  # LiteLLM
            count(usage, "cache_creation_input_tokens"),
        ),
        output_tokens=output,
        reasoning_tokens=count(usage, "completion_tokens_details", "reasoning_tokens"),
    )


def cut(message: str) -> bytes:
    """An event with an `error`: OpenAI's clients raise it as an APIError. No [DONE]: it is not done."""
    return b"data: " + encoded(error_of("openai", LIMIT_STATUS, message)) + b"\n\n"


WIRE = Wire(request=read_request, event=read_event, answer=read_answer, cut=cut)
