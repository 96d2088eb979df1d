"""Requests as the agents send them, with the calls and results of the same two commands in each format."""

from __future__ import annotations

import json
from typing import Any

from microloop_cli.gateway.model import Surface

ARGUMENTS = '{"command": "pytest -q"}'
OUTPUT = '1 failed: "é" \\ \\n'
OBJECT = {"command": "pytest -q"}

CHAT: dict[str, Any] = {
    "model": "gpt-5",
    "seed": 12345678901234567890123,
    "temperature": 0.10,
    "messages": [
        {"role": "user", "content": "Repair it."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": ARGUMENTS}},
                {"id": "call_2", "type": "function", "function": {"name": "read", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": OUTPUT},
        {
            "role": "tool",
            "tool_call_id": "call_2",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
    ],
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-5-codex",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Repair it."}]},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "call_1", "name": "bash", "arguments": ARGUMENTS},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "read", "input": "*** Begin"},
        {"type": "function_call_output", "call_id": "call_1", "output": OUTPUT},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
        },
    ],
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "messages": [
        {"role": "user", "content": "Repair it."},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I run the tests."},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "tool_use", "id": "call_1", "name": "bash", "input": OBJECT},
                {"type": "tool_use", "id": "call_2", "name": "read", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": OUTPUT, "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_2",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
                        {"type": "text", "text": "a"},
                        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
                    ],
                },
            ],
        },
    ],
}
GENERATE: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "Repair it."}]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": "call_1", "name": "bash", "args": OBJECT}},
                {"functionCall": {"id": "call_2", "name": "read", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "call_1", "name": "bash", "response": {"error": OUTPUT}}},
                {"functionResponse": {"id": "call_2", "name": "read", "response": {"output": "a\nb"}}},
            ],
        },
    ]
}
HISTORIES: dict[Surface, dict[str, Any]] = {
    "chat": CHAT,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "generate": GENERATE,
}


def body(request: Any) -> bytes:
    return json.dumps(request).encode()
