"""The wire format of OpenAI Responses, as far as a scripted model needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.testing.script import Asked, Reply, Tool


def read(body: dict[str, Any]) -> Asked:
    """The request; KeyError or TypeError when it is none."""
    entries = body["input"] if isinstance(body["input"], list) else []
    functions = [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]
    return Asked(
        model=body.get("model", ""),
        results=sum(1 for entry in entries if str(entry.get("type")).endswith("_call_output")),
        tools=tuple(Tool(one["name"], one.get("parameters") or {}) for one in functions),
        stream=bool(body.get("stream")),
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    """The answer as one JSON object."""
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050, **details}
    return {**_head(asked), "status": "completed", "output": [_item(asked, reply)], "usage": usage}


def events(asked: Asked, reply: Reply) -> list[tuple[str, Any]]:
    """The answer as server-sent events: (event name, data)."""
    started = {**_head(asked), "status": "in_progress", "output": [], "usage": None}
    item = _item(asked, reply)
    told: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": started}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, **_not_yet(reply)}}),
        *_middle(item, reply),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": whole(asked, reply)}),
    ]
    return [(name, {"type": name, "sequence_number": n, **data}) for n, (name, data) in enumerate(told)]


def _middle(item: dict[str, Any], reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    where = {"output_index": 0, "item_id": item["id"]}
    if reply.call is not None:
        done = ("response.function_call_arguments.done", {**where, "arguments": item["arguments"]})
        return [("response.function_call_arguments.delta", {**where, "delta": item["arguments"]}), done]
    here = {**where, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    return [
        ("response.content_part.added", {**here, "part": empty}),
        ("response.output_text.delta", {**here, "delta": reply.text}),
        ("response.output_text.done", {**here, "text": reply.text}),
        ("response.content_part.done", {**here, "part": item["content"][0]}),
    ]


def _head(asked: Asked) -> dict[str, Any]:
    return {
        "id": f"resp_{asked.results}",
        "object": "response",
        "created_at": 0,
        "model": asked.model,
        "error": None,
    }


def _not_yet(reply: Reply) -> dict[str, Any]:
    return {"status": "in_progress", **({"content": []} if reply.call is None else {"arguments": ""})}


def _item(asked: Asked, reply: Reply) -> dict[str, Any]:
    if reply.call is None:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        base = {"type": "message", "role": "assistant", "content": content}
    else:
        arguments = msgspec.json.encode(reply.call.arguments).decode()
        base = {
            "type": "function_call",
            "call_id": reply.call.call_id,
            "name": reply.call.tool,
            "arguments": arguments,
        }
    return {"id": f"item_{asked.results}", "status": "completed", **base}
