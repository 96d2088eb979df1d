"""The wire format of Anthropic Messages, as far as a scripted model needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.testing.script import Asked, Reply, Tool

_USAGE = {
    "input_tokens": 1000,
    "output_tokens": 50,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
}


def read(body: dict[str, Any]) -> Asked:
    """The request; KeyError or TypeError when it is none."""
    contents = [message.get("content") for message in body["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    tools = [tool for tool in body.get("tools") or [] if "name" in tool]
    return Asked(
        model=body.get("model", ""),
        results=sum(1 for block in blocks if block.get("type") == "tool_result"),
        tools=tuple(Tool(tool["name"], tool.get("input_schema") or {}) for tool in tools),
        stream=bool(body.get("stream")),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    """The answer as one JSON object."""
    return {**_head(asked), "content": [_block(reply)], "stop_reason": _stop(reply), "usage": _USAGE}


def events(asked: Asked, reply: Reply) -> list[tuple[str, Any]]:
    """The answer as server-sent events: (event name, data)."""
    if reply.call is None:
        empty: dict[str, Any] = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": reply.text}
    else:
        empty = {**_block(reply), "input": {}}
        arguments = msgspec.json.encode(reply.call.arguments).decode()
        delta = {"type": "input_json_delta", "partial_json": arguments}
    ended = {"stop_reason": _stop(reply), "stop_sequence": None}
    message = {**_head(asked), "content": [], "stop_reason": None, "usage": _USAGE}
    told: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": message}),
        ("content_block_start", {"index": 0, "content_block": empty}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": ended, "usage": {"output_tokens": 50}}),
        ("message_stop", {}),
    ]
    return [(name, {"type": name, **data}) for name, data in told]


def _head(asked: Asked) -> dict[str, Any]:
    base = {"id": f"msg_{asked.results}", "type": "message", "role": "assistant", "model": asked.model}
    return {**base, "stop_sequence": None}


def _block(reply: Reply) -> dict[str, Any]:
    if reply.call is None:
        return {"type": "text", "text": reply.text}
    call = reply.call
    return {"type": "tool_use", "id": f"toolu_{call.call_id}", "name": call.tool, "input": call.arguments}


def _stop(reply: Reply) -> str:
    return "end_turn" if reply.call is None else "tool_use"
