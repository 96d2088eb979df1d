"""The wire format of Gemini's generateContent, as far as a scripted model needs it."""

from __future__ import annotations

from typing import Any

from microloop_cli.testing.script import Asked, Reply, Tool

_USAGE = {"promptTokenCount": 1000, "candidatesTokenCount": 50, "totalTokenCount": 1050}


def read(body: dict[str, Any]) -> Asked:
    """The request; KeyError or TypeError when it is none. The path says model and streaming."""
    parts = [part for content in body["contents"] for part in content.get("parts") or []]
    declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    return Asked(
        model="",
        results=sum(1 for part in parts if "functionResponse" in part),
        tools=tuple(Tool(one["name"], _schema(one)) for one in declared),
        stream=False,
    )


def whole(asked: Asked, reply: Reply) -> dict[str, Any]:
    """The answer as one JSON object."""
    if reply.call is None:
        part: dict[str, Any] = {"text": reply.text}
    else:
        part = {"functionCall": {"name": reply.call.tool, "args": reply.call.arguments}}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": _USAGE, "modelVersion": asked.model}


def events(asked: Asked, reply: Reply) -> list[tuple[str, Any]]:
    """The answer as server-sent events: one is all of it."""
    return [("", whole(asked, reply))]


def _schema(declared: dict[str, Any]) -> dict[str, Any]:
    return declared.get("parametersJsonSchema") or declared.get("parameters") or {}
