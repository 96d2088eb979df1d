"""What tools gave is read out of the history of a request."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.history import History, results
from microloop_cli.gateway.wire.tools.requests import MAX_BODY_BYTES
from microloop_cli.gateway.wire.tools.texts import MAX_TEXT
from tests.gateway.wire.tools.histories import HISTORIES, OBJECT, OUTPUT, body
from tests.gateway.wire.tools.shapes import requests

SURFACES: tuple[Surface, ...] = get_args(Surface)


@pytest.mark.parametrize("surface", HISTORIES)
def test_results_come_in_order_with_the_calls_they_answer(surface: Surface) -> None:
    first, second = results(surface, body(HISTORIES[surface]))
    assert first.call is not None
    assert second.call is not None
    assert (first.id, first.call.name) == (first.call.id, "bash")
    assert json.loads(first.call.arguments) == OBJECT
    assert (first.text, first.size_bytes) == (OUTPUT, len(OUTPUT.encode()))
    assert second.call.name == "read"
    assert second.text.splitlines()[-2:] == ["a", "b"]
    if surface != "generate":  # its ids do not last
        assert (first.id, second.id) == ("call_1", "call_2")
    assert first.failed == (surface in ("messages", "generate"))
    assert not second.failed


@pytest.mark.parametrize("surface", HISTORIES)
def test_a_result_without_its_call_is_told_all_the_same(surface: Surface) -> None:
    request = json.loads(body(HISTORIES[surface]))
    turns = next(request[key] for key in ("messages", "input", "contents") if key in request)
    turns[:] = [turn for turn in turns if turn.get("role") not in ("assistant", "model")]
    turns[:] = [turn for turn in turns if not turn.get("type", "").endswith("_call")]
    assert [(each.id, each.call) for each in results(surface, body(request))] == [
        ("call_1", None),
        ("call_2", None),
    ]


def test_no_other_surface_has_results() -> None:
    assert results("other", body(HISTORIES["chat"])) == ()


def test_the_older_function_call_of_chat_is_answered_by_name() -> None:
    call = {"role": "assistant", "function_call": {"name": "ls", "arguments": "{}"}}
    answer = {"role": "function", "name": "ls", "content": "a.py"}
    first, second = results("chat", body({"messages": [call, answer, call, answer]}))
    assert first.call is not None
    assert (first.call.name, first.text) == ("ls", "a.py")
    assert second.id == f"{first.id}~2"


def test_servers_that_give_no_id_are_answered_in_order() -> None:
    call = {"id": "", "type": "function", "function": {"name": "ls", "arguments": '{"path":"a"}'}}
    other = {"id": "", "type": "function", "function": {"name": "cat", "arguments": '{"path":"b"}'}}
    answers = [{"role": "tool", "tool_call_id": "", "content": text} for text in ("one", "two")]
    found = results(
        "chat", body({"messages": [{"role": "assistant", "tool_calls": [call, other]}, *answers]})
    )
    assert [(each.call and each.call.name, each.text) for each in found] == [("ls", "one"), ("cat", "two")]


def test_ids_that_a_server_gives_again_in_each_answer_are_told_apart() -> None:
    turns = []
    for path in ("a", "b", "c"):
        call = {"id": "call_0", "function": {"name": "read", "arguments": json.dumps({"path": path})}}
        turns += [{"role": "assistant", "tool_calls": [call]}]
        turns += [{"role": "tool", "tool_call_id": "call_0", "content": path}]
    found = results("chat", body({"messages": turns}))
    assert [each.id for each in found] == ["call_0", "call_0~2", "call_0~3"]
    assert [each.call and json.loads(each.call.arguments)["path"] for each in found] == ["a", "b", "c"]


def test_a_second_result_of_one_call_has_the_same_id() -> None:
    request = json.loads(body(HISTORIES["responses"]))
    request["input"].append({"type": "function_call_output", "call_id": "call_1", "output": "again"})
    assert [each.id for each in results("responses", body(request))] == ["call_1", "call_2", "call_1"]


def test_the_tools_of_responses_without_a_name_are_read() -> None:
    request = {
        "input": [
            {
                "type": "local_shell_call",
                "id": "lsh_1",
                "call_id": "a",
                "action": {"type": "exec", "command": ["ls"]},
            },
            {"type": "local_shell_call_output", "call_id": "a", "output": "x"},
            {"type": "shell_call", "call_id": "b", "action": {"commands": ["ls", "pwd"]}},
            {
                "type": "shell_call_output",
                "call_id": "b",
                "output": [
                    {"stdout": "x", "stderr": "y", "outcome": {"type": "exit", "exit_code": 1}},
                    {"stdout": "/", "stderr": ""},
                ],
            },
            {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file", "path": "a"}},
            {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no such file"},
        ]
    }
    found = results("responses", body(request))
    assert [(each.call and each.call.name, each.text, each.failed) for each in found] == [
        ("local_shell", "x", False),
        ("shell", "x\ny\n/", False),
        ("apply_patch", "no such file", True),
    ]


@pytest.mark.parametrize(
    ("response", "text", "failed"),
    [
        ({"output": "a"}, "a", False),
        ({"error": "b"}, "b", True),
        ({"output": "a", "error": "b"}, "a\nb", True),
        ({"result": "c"}, "c", False),
        ({"lines": [1, 2.5]}, '{"lines":[1,2.5]}', False),
        ({"output": {"a": 1}}, '{"output":{"a":1}}', False),
        (None, "", False),
    ],
)
def test_the_text_of_geminis_response_objects(response: Any, text: str, failed: bool) -> None:
    part = {"functionResponse": {"name": "ls", "response": response}}
    (found,) = results("generate", body({"contents": [{"role": "user", "parts": [part]}]}))
    assert (found.text, found.failed) == (text, failed)


def generate_turns(*argument_texts: str, own_ids: bool = False) -> list[dict[str, Any]]:
    """Each call in a turn of its own, as gemini-cli keeps them: no id in the call, one in the response."""
    turns: list[dict[str, Any]] = []
    for number, written in enumerate(argument_texts):
        answer: dict[str, Any] = {"name": "read_file", "response": {"output": str(number)}}
        if own_ids:
            answer["id"] = f"read_file-{number}"
        call = {"functionCall": {"name": "read_file", "args": json.loads(written)}}
        turns.append({"role": "model", "parts": [{"text": "Hm."}, call]})
        turns.append({"role": "user", "parts": [{"functionResponse": answer}]})
    return turns


@pytest.mark.parametrize("own_ids", [False, True])
def test_made_up_ids_stay_while_the_history_grows(own_ids: bool) -> None:
    turns = generate_turns('{"p": 1}', '{"p": 2}', '{"p": 1}', '{"p": 3}', own_ids=own_ids)
    ids = [each.id for each in results("generate", body({"contents": turns}))]
    assert len(set(ids)) == 4
    assert ids[2] == f"{ids[0]}~2"
    for end in range(0, len(turns), 2):
        some = results("generate", body({"contents": turns[:end]}))
        assert [each.id for each in some] == ids[: end // 2]


def test_made_up_ids_do_not_depend_on_how_the_agent_writes_the_arguments() -> None:
    written = ('{"a": 1, "b": "é"}', '{"b":"\\u00e9","a":1.0}')
    ids = {results("generate", body({"contents": generate_turns(each)}))[0].id for each in written}
    assert len(ids) == 1


def test_a_long_text_keeps_its_beginning_and_its_end_and_its_size() -> None:
    whole = "a" * MAX_TEXT + "é" + "b" * MAX_TEXT
    (found,) = results("chat", body({"messages": [{"role": "tool", "tool_call_id": "x", "content": whole}]}))
    assert found.size_bytes == len(whole.encode())
    assert MAX_TEXT < len(found.text) < MAX_TEXT + 100
    assert found.text.startswith("aaa")
    assert found.text.endswith("bbb")
    assert f"[... {MAX_TEXT + 1} characters left out ...]" in found.text


def test_half_a_surrogate_pair_in_the_history_hides_no_result() -> None:
    raw = body({"messages": [{"role": "tool", "tool_call_id": "x", "content": "HALF done"}]})
    (found,) = results("chat", raw.replace(b"HALF", b"\\ud83d"))
    assert found.text == "? done"


@pytest.mark.parametrize(
    "large",
    [b" " * MAX_BODY_BYTES, b'"a":[' + b"[]," * 1_500_000 + b"0]"],
    ids=["bytes", "values"],
)
def test_a_body_that_would_take_too_much_memory_is_not_read(large: bytes) -> None:
    plain = body({"messages": [{"role": "tool", "tool_call_id": "x", "content": "a"}]})
    rest = b"," + large if large.startswith(b'"') else large
    assert results("chat", plain) != ()
    assert results("chat", plain[:-1] + rest + b"}") == ()


@given(st.sampled_from(SURFACES), st.binary(max_size=200))
def test_no_bytes_raise(surface: Surface, raw: bytes) -> None:
    words = b'"tool_call_id" "_call" "tool_use" "functionCall"'
    History(surface, raw + words)


@given(st.sampled_from(SURFACES), requests)
def test_no_shape_raises_and_ids_stay_when_the_history_grows(surface: Surface, request_: Any) -> None:
    whole = [each.id for each in results(surface, json.dumps(request_).encode())]
    for key in ("messages", "input", "contents"):
        if isinstance(request_.get(key), list):
            shorter = json.dumps({**request_, key: request_[key][:-1]}).encode()
            some = [each.id for each in results(surface, shorter)]
            assert whole[: len(some)] == some
