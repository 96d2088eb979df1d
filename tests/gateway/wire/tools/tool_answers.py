"""Answers in the four formats that ask for the same two tools, streamed and whole."""

from __future__ import annotations

import json
from typing import Any

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.tool import ToolCall
from tests.gateway.wire.samples import DONE, JSON, SSE, candidates, chunk, data, named
from tests.gateway.wire.tools.histories import ARGUMENTS, OBJECT

FIRST = ToolCall(id="call_1", name="bash", arguments=ARGUMENTS)
SECOND = ToolCall(id="call_2", name="read", arguments="{}")


def deltas(*calls: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return chunk({"tool_calls": list(calls)}, finish)


def tool(index: int | None, written: str, own: str | None = None, name: str | None = None) -> dict[str, Any]:
    call: dict[str, Any] = {"function": {"arguments": written}}
    call |= {} if index is None else {"index": index}
    call |= {} if own is None else {"id": own}
    call["function"] |= {} if name is None else {"name": name}
    return call


CHAT_PARALLEL = (
    data(
        chunk({"role": "assistant", "content": "I run ✓"}),
        deltas(tool(0, "", "call_1", "bash")),
        deltas(tool(0, ARGUMENTS[:5])),
        deltas(tool(1, "{", "call_2", "read"), tool(0, ARGUMENTS[5:])),
        deltas(tool(1, "}")),
        chunk({}, "tool_calls"),
    )
    + DONE
)
ITEMS: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "bash", "arguments": ARGUMENTS},
    {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "read", "arguments": "{}"},
]
RESPONSES_STREAM = named(
    {"type": "response.created", "response": {"id": "resp_1", "output": []}},
    {"type": "response.output_item.added", "output_index": 1, "item": {**ITEMS[1], "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": ARGUMENTS},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "arguments": ARGUMENTS},
    *({"type": "response.output_item.done", "item": item} for item in ITEMS),
    {"type": "response.completed", "response": {"id": "resp_1", "output": ITEMS}},
)
MESSAGES_PARALLEL = named(
    {"type": "message_start", "message": {"role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_stop", "index": 0},
    *(
        {"type": "content_block_start", "index": number, "content_block": block}
        for number, block in [
            (1, {"type": "tool_use", "id": "call_1", "name": "bash", "input": {}}),
            (2, {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}),
            (3, {"type": "tool_use", "id": "call_2", "name": "read", "input": {}}),
        ]
    ),
    *(
        {
            "type": "content_block_delta",
            "index": number,
            "delta": {"type": "input_json_delta", "partial_json": part},
        }
        for number, part in [(1, ""), (1, ARGUMENTS[:9]), (2, '{"query": "x"}'), (1, ARGUMENTS[9:])]
    ),
    *({"type": "content_block_stop", "index": number} for number in (1, 2, 3)),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    {"type": "message_stop"},
)
PARTS: list[dict[str, Any]] = [
    {"text": "Hm {"},
    {"functionCall": {"id": "call_1", "name": "bash", "args": OBJECT}},
    {"functionCall": {"id": "call_2", "name": "read"}},
]
CALLS = [
    {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": ARGUMENTS}},
    {"id": "call_2", "type": "function", "function": {"name": "read", "arguments": "{}"}},
]
BLOCKS = [
    {"type": "tool_use", "id": "call_1", "name": "bash", "input": OBJECT},
    {"type": "tool_use", "id": "call_2", "name": "read", "input": {}},
]
ANSWERS: dict[str, tuple[Surface, bool, str, bytes]] = {
    "chat": ("chat", True, SSE, CHAT_PARALLEL),
    "chat, CRLF": ("chat", True, SSE, CHAT_PARALLEL.replace(b"\n", b"\r\n")),
    "chat, body": (
        "chat",
        False,
        JSON,
        json.dumps({"choices": [{"index": 0, "message": {"content": None, "tool_calls": CALLS}}]}).encode(),
    ),
    "responses": ("responses", True, SSE, RESPONSES_STREAM),
    "responses, body": ("responses", False, JSON, json.dumps({"id": "r", "output": ITEMS}).encode()),
    "messages": ("messages", True, SSE, MESSAGES_PARALLEL),
    "messages, body": ("messages", False, JSON, json.dumps({"type": "message", "content": BLOCKS}).encode()),
    "generate": ("generate", True, SSE, data(candidates(*PARTS[:2]), candidates(PARTS[2]))),
    "generate, array": (
        "generate",
        True,
        JSON,
        json.dumps([candidates(*PARTS[:2]), candidates(PARTS[2])], indent=1).encode(),
    ),
    "generate, body": ("generate", False, JSON, json.dumps(candidates(*PARTS)).encode()),
}
