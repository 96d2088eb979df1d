"""The scripted model speaks three wire formats and asks for its commands in turn."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from microloop_cli.testing.model import ScriptedModel

SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


def _ask(model: ScriptedModel, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(model.url).netloc, timeout=5)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _chat(results: int, stream: bool = False) -> dict[str, Any]:
    messages = [{"role": "user", "content": "go"}, *[{"role": "tool", "content": "ok"}] * results]
    tool = {"type": "function", "function": {"name": "bash", "parameters": SCHEMA}}
    return {"model": "m", "messages": messages, "tools": [tool], "stream": stream}


def _responses(results: int, stream: bool = False) -> dict[str, Any]:
    entries = [{"type": "message"}, *[{"type": "function_call_output"}] * results]
    schema = {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}
    tool = {"type": "function", "name": "exec_command", "parameters": schema}
    return {"model": "m", "input": entries, "tools": [tool], "stream": stream}


def _messages(results: int, stream: bool = False) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "content": "ok"}] * results
    tool = {"name": "Bash", "input_schema": SCHEMA}
    messages = [{"role": "user", "content": blocks or "go"}]
    return {"model": "m", "messages": messages, "tools": [tool], "stream": stream}


FORMATS = [
    pytest.param("/v1/chat/completions", _chat, id="chat"),
    pytest.param("/v1/responses", _responses, id="responses"),
    pytest.param("/v1/messages", _messages, id="messages"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "request_after"), FORMATS)
def test_commands_come_in_turn_and_the_final_text_last(path: str, request_after: Any, stream: bool) -> None:
    with ScriptedModel(["first one", "second one"], "the end") as model:
        answers = [_ask(model, "POST", path, request_after(turn, stream)) for turn in range(3)]
        again = _ask(model, "POST", path, request_after(0, stream))
    assert [status for status, _ in answers] == [200, 200, 200]
    for (_, text), words in zip(answers, ("first one", "second one", "the end"), strict=True):
        assert words in text
    assert again == answers[0]


@pytest.mark.parametrize(("path", "request_after"), FORMATS)
def test_a_loop_asks_for_its_last_command_without_end(path: str, request_after: Any) -> None:
    with ScriptedModel(["again and again"], forever=True) as model:
        assert "again and again" in _ask(model, "POST", path, request_after(30))[1]


@pytest.mark.parametrize(("path", "request_after"), FORMATS)
def test_a_side_request_without_tools_gets_plain_text(path: str, request_after: Any) -> None:
    with ScriptedModel(["first one"]) as model:
        status, text = _ask(model, "POST", path, {**request_after(0), "tools": []})
    assert status == 200
    assert "first one" not in text


def test_a_websocket_is_answered_426_and_head_200_and_nonsense_400() -> None:
    with ScriptedModel(["x"]) as model:
        assert _ask(model, "GET", "/v1/responses", Upgrade="websocket")[0] == 426
        assert _ask(model, "HEAD", "/")[0] == 200
        assert _ask(model, "POST", "/v1/messages", ["not", "a", "request"])[0] == 400
        assert _ask(model, "POST", "/v1/elsewhere", {})[0] == 404
