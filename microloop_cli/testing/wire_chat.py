"""The wire format of OpenAI Chat Completions, as far as a scripted model needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.testing.script import Asked, Reply, Tool

_USAGE = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}


def read(body: dict[str, Any]) -> Asked:
    """The request; KeyError or TypeError when it is none."""
    functions = [tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"]
    return Asked(
        model=body.get("model", ""),
        results=sum(1 for message in body["messages"] if message.get("role") == "tool"),
        tools=tuple(Tool(one["name"], one.get("parameters") or {}) for one in functions),
        stream=bool(body.get("stream")),
        submits="COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT" in msgspec.json.encode(body["messages"]).decode(),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    """The answer as one JSON object."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.call is not None:
        message["tool_calls"] = _calls(reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
    return {**_head(asked, "chat.completion"), "choices": [choice], "usage": _USAGE}


def events(asked: Asked, reply: Reply) -> list[tuple[str, Any]]:
    """The answer as server-sent events: (event name, empty for none; data)."""
    delta: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.call is not None:
        delta["tool_calls"] = [{"index": 0, **call} for call in _calls(reply)]
    head = _head(asked, "chat.completion.chunk")
    return [
        ("", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}),
        ("", {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(reply)}]}),
        ("", {**head, "choices": [], "usage": _USAGE}),
        ("", "[DONE]"),
    ]


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{asked.results}", "object": kind, "created": 0, "model": asked.model}


def _calls(reply: Reply) -> list[dict[str, Any]]:
    assert reply.call is not None
    arguments = msgspec.json.encode(reply.call.arguments).decode()
    function = {"name": reply.call.tool, "arguments": arguments}
    return [{"id": reply.call.call_id, "type": "function", "function": function}]


def _finish(reply: Reply) -> str:
    return "stop" if reply.call is None else "tool_calls"
