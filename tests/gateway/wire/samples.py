"""Answers as the four APIs give them, shortened; with tools, reasoning and caching."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from microloop_cli.gateway.model import Asked, Usage
from microloop_cli.gateway.wire.registry import ask

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"


def asked_for(path: str, **body: Any) -> Asked:
    return ask("POST", path, {}, json.dumps(body).encode())


def data(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def named(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: " + event["type"].encode() + b"\n" + data(event) for event in events)


def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: Any = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "gpt-5",
        "choices": choices,
        "usage": usage,
    }


CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 256, "accepted_prediction_tokens": 0},
}
CHAT_KNOWN = Usage(input_tokens=1200, cached_tokens=1024, output_tokens=300, reasoning_tokens=256)
_ARGUMENTS = '{"command":"pytest -q"}'
CHAT_TEXT = data(
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "The tests must be run."}),
    chunk({"content": "I run the tests ✓ now."}),
    chunk(
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "bash", "arguments": ""},
                }
            ]
        }
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": _ARGUMENTS}}]}),
    chunk({}, "tool_calls"),
)
CHAT_USAGE_EVENT = data(chunk(None, usage=CHAT_USAGE))
DONE = b"data: [DONE]\n\n"
CHAT_STREAM = CHAT_TEXT + CHAT_USAGE_EVENT + DONE
CHAT_BODY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-5",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done."}}
        ],
        "usage": CHAT_USAGE,
    }
).encode()

RESPONSES_USAGE = {
    "input_tokens": 5000,
    "input_tokens_details": {"cached_tokens": 4096},
    "output_tokens": 400,
    "output_tokens_details": {"reasoning_tokens": 320},
    "total_tokens": 5400,
}
RESPONSES_KNOWN = Usage(input_tokens=5000, cached_tokens=4096, output_tokens=400, reasoning_tokens=320)
_RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-codex",
    "instructions": "You are",
    "tools": [{"type": "function"}],
}
_OUTPUT = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]}]
RESPONSES_BODY = json.dumps(
    {**_RESPONSE, "status": "completed", "output": _OUTPUT, "usage": RESPONSES_USAGE}
).encode()
RESPONSES_TEXT = named(
    {
        "type": "response.created",
        "response": {**_RESPONSE, "status": "in_progress", "output": [], "usage": None},
    },
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "reasoning", "id": "rs_1", "summary": []},
    },
    {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "delta": "Run the tests"},
    {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "I run them."},
    {"type": "response.output_text.done", "item_id": "msg_1", "text": "I run them."},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": _ARGUMENTS},
    {
        "type": "response.output_item.done",
        "item": {"type": "function_call", "name": "shell", "arguments": _ARGUMENTS},
    },
)
RESPONSES_STREAM = RESPONSES_TEXT + named(
    {
        "type": "response.completed",
        "response": {**_RESPONSE, "status": "completed", "output": _OUTPUT, "usage": RESPONSES_USAGE},
    },
)

MESSAGES_START = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 9000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 2,
}
MESSAGES_KNOWN = Usage(
    input_tokens=9312,
    cached_tokens=9000,
    cache_write_tokens=300,
    cache_write_1h_tokens=200,
    output_tokens=150,
)
MESSAGES_TEXT = named(
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "role": "assistant",
            "content": [],
            "model": "claude-sonnet-4-5",
            "usage": MESSAGES_START,
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""},
    },
    {"type": "ping"},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "The tests must be run."},
    },
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQBCg"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": _ARGUMENTS},
    },
    {"type": "content_block_stop", "index": 1},
)
MESSAGES_STREAM = MESSAGES_TEXT + named(
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 150}},
    {"type": "message_stop"},
)
MESSAGES_BODY = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "content": [{"type": "text", "text": "Done."}],
        "usage": {**MESSAGES_START, "output_tokens": 150},
    }
).encode()


def candidates(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0}],
        "modelVersion": "gemini-2.5-pro",
    }


GENERATE_USAGE = {
    "promptTokenCount": 2000,
    "cachedContentTokenCount": 1500,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 60,
    "toolUsePromptTokenCount": 10,
    "totalTokenCount": 2110,
}
GENERATE_KNOWN = Usage(input_tokens=2010, cached_tokens=1500, output_tokens=100, reasoning_tokens=60)
GENERATE_PIECES = [
    {
        **candidates({"text": 'The tests {must} "be" run.', "thought": True}),
        "usageMetadata": {"promptTokenCount": 2000, "totalTokenCount": 2000},
    },
    candidates({"text": "I run them \\ now"}),
    {
        **candidates({"functionCall": {"name": "shell", "args": {"command": "pytest -q"}}}),
        "usageMetadata": GENERATE_USAGE,
    },
]
GENERATE_STREAM = data(*GENERATE_PIECES)
GENERATE_ARRAY = (
    b"[" + b"\n,\r\n".join(json.dumps(piece, indent=1).encode() for piece in GENERATE_PIECES) + b"\n]\n"
)
GENERATE_BODY = json.dumps({**candidates({"text": "Done."}), "usageMetadata": GENERATE_USAGE}).encode()

CHAT = asked_for("/v1/chat/completions", model="gpt-5", stream=True, stream_options={"include_usage": True})
CHAT_ADDED = asked_for("/v1/chat/completions", model="gpt-5", stream=True)
RESPONSES = asked_for("/v1/responses", model="gpt-5-codex", stream=True)
MESSAGES = asked_for("/v1/messages", model="claude-sonnet-4-5", stream=True, max_tokens=1000)
GENERATE = asked_for("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", contents=[])


class Sample(msgspec.Struct, frozen=True):
    """An answer, what is known of its use, and what of it reaches the client."""

    asked: Asked
    content_type: str
    answer: bytes
    known: Usage
    passed: bytes


def _sample(asked: Asked, content_type: str, answer: bytes, known: Usage) -> Sample:
    return Sample(asked, content_type, answer, known, answer)


SAMPLES = {
    "chat": _sample(CHAT, SSE, CHAT_STREAM, CHAT_KNOWN),
    "chat, usage added": Sample(CHAT_ADDED, SSE, CHAT_STREAM, CHAT_KNOWN, CHAT_TEXT + DONE),
    "chat, whole": _sample(CHAT, JSON, CHAT_BODY, CHAT_KNOWN),
    "responses": _sample(RESPONSES, SSE, RESPONSES_STREAM, RESPONSES_KNOWN),
    "responses, whole": _sample(RESPONSES, JSON, RESPONSES_BODY, RESPONSES_KNOWN),
    "messages": _sample(MESSAGES, SSE, MESSAGES_STREAM, MESSAGES_KNOWN),
    "messages, whole": _sample(MESSAGES, JSON, MESSAGES_BODY, MESSAGES_KNOWN),
    "generate": _sample(GENERATE, SSE, GENERATE_STREAM, GENERATE_KNOWN),
    "generate, CRLF": _sample(GENERATE, SSE, GENERATE_STREAM.replace(b"\n", b"\r\n"), GENERATE_KNOWN),
    "generate, array": _sample(GENERATE, JSON, GENERATE_ARRAY, GENERATE_KNOWN),
    "generate, whole": _sample(
        asked_for("/v1beta/models/gemini-2.5-pro:generateContent", contents=[]),
        JSON,
        GENERATE_BODY,
        GENERATE_KNOWN,
    ),
}
