"""Notes stand in the results they are for, and nothing else of a request changes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.history import results, with_notes
from tests.gateway.wire.tools.histories import HISTORIES, OUTPUT, body
from tests.gateway.wire.tools.shapes import requests
from tests.gateway.wire.tools.test_results import SURFACES

SAID = 'microloop: "the same" again, \\ nothing changed\nsince step 3 ✓'
APPEND = Note("append", SAID)
REPLACE = Note("replace", SAID)


def noted(surface: Surface, request: Any, note: Note, *ids: str) -> Any:
    raw = with_notes(surface, body(request), dict.fromkeys(ids, note))
    return json.loads(raw)


def only(surface: Surface, **slot: Any) -> dict[str, Any]:
    """A request with one result, "x", and these members in it."""
    if surface == "chat":
        return {"messages": [{"role": "tool", "tool_call_id": "x", **slot}]}
    if surface == "responses":
        return {"input": [{"type": "function_call_output", "call_id": "x", **slot}]}
    if surface == "messages":
        block = {"type": "tool_result", "tool_use_id": "x", **slot}
        return {"messages": [{"role": "user", "content": [block]}]}
    response = {"functionResponse": {"id": "x", "name": "ls", **slot}}
    return {"contents": [{"role": "user", "parts": [response]}]}


@pytest.mark.parametrize("surface", HISTORIES)
@pytest.mark.parametrize("number", [0, 1])
def test_an_appended_note_is_the_last_line_of_its_result_and_all_else_is_byte_for_byte(
    surface: Surface, number: int
) -> None:
    raw = json.dumps(HISTORIES[surface], indent=1, ensure_ascii=False).encode()
    before = results(surface, raw)
    after = with_notes(surface, raw, {before[number].id: APPEND})
    assert results(surface, after)[number].text == f"{before[number].text}\n{SAID}"
    assert results(surface, after)[1 - number] == before[1 - number]
    inserted = msgspec.json.encode("\n" + SAID)[1:-1]
    assert after.count(inserted) == 1
    assert after.replace(inserted, b"") == raw


@pytest.mark.parametrize("surface", HISTORIES)
def test_a_replacing_note_is_all_the_model_sees_of_its_result(surface: Surface) -> None:
    raw = body(HISTORIES[surface])
    after = with_notes(surface, raw, {each.id: REPLACE for each in results(surface, raw)})
    assert [each.text for each in results(surface, after)] == [SAID, SAID]
    assert [each.call for each in results(surface, after)] == [each.call for each in results(surface, raw)]
    assert [each.failed for each in results(surface, after)] == [
        each.failed for each in results(surface, raw)
    ]
    assert json.dumps(OUTPUT).encode() not in after


@pytest.mark.parametrize("surface", SURFACES)
def test_a_request_without_a_noted_result_is_the_very_same_object(surface: Surface) -> None:
    raw = body(HISTORIES.get(surface, HISTORIES["chat"]))
    assert with_notes(surface, raw, {}) is raw
    assert with_notes(surface, raw, {"call_3": APPEND}) is raw


@pytest.mark.parametrize("surface", HISTORIES)
def test_the_bytes_of_the_history_stay_while_it_grows(surface: Surface) -> None:
    request = json.loads(body(HISTORIES[surface]))
    notes = {"call_1": APPEND, "call_2": REPLACE}
    shorter = with_notes(surface, body(request), notes)
    key = next(key for key in ("messages", "input", "contents") if key in request)
    request[key] += request[key][1:]
    longer = with_notes(surface, body(request), notes)
    assert longer.startswith(shorter.rpartition(b"]}")[0])


def test_numbers_spaces_and_unknown_members_stay_as_they_were_written() -> None:
    raw = (
        b'\n{ "seed": 12345678901234567890123,"temperature":1.50, "x" : [1e2, -0.0,"\\u00e9\\/"],'
        b'"messages": [ {"tool_call_id" :"x", "role":"tool" ,"content":"a\\/b\\u0041" , "y":1E5} ] }\n'
    )
    after = with_notes("chat", raw, {"x": Note("append", "hm")})
    assert after == raw.replace(b"\\u0041", b"\\u0041\\nhm")


@pytest.mark.parametrize(
    ("surface", "slot", "appended"),
    [
        ("chat", {}, {"content": SAID}),
        ("chat", {"content": None}, {"content": SAID}),
        ("chat", {"content": []}, {"content": [{"type": "text", "text": SAID}]}),
        ("messages", {}, {"content": SAID}),
        (
            "messages",
            {"content": [{"type": "image"}]},
            {"content": [{"type": "image"}, {"type": "text", "text": SAID}]},
        ),
        ("responses", {"output": [ ]}, {"output": [{"type": "input_text", "text": SAID}]}),
        ("generate", {}, {"response": {"output": SAID}}),
        ("generate", {"response": {}}, {"response": {"note": "\n" + SAID}}),
        ("generate", {"response": {"a": [1]}}, {"response": {"a": [1], "note": "\n" + SAID}}),
        ("generate", {"response": {"note": 1}}, {"response": {"note": 1, "note_": "\n" + SAID}}),
        ("generate", {"response": {"result": "a"}}, {"response": {"result": f"a\n{SAID}"}}),
        ("generate", {"response": 7}, {"response": {"output": f"7\n{SAID}"}}),
        ("chat", {"content": {"a": 1}}, {"content": f'{{"a":1}}\n{SAID}'}),
    ],
)  # fmt: skip
def test_a_result_without_text_gets_some(
    surface: Surface, slot: dict[str, Any], appended: dict[str, Any]
) -> None:
    after = noted(surface, only(surface, **slot), APPEND, "x")
    said = json.loads(json.dumps(appended).replace(json.dumps("\n" + SAID), json.dumps(SAID)))
    assert json.loads(json.dumps(after).replace(json.dumps("\n" + SAID), json.dumps(SAID))) == only(
        surface, **said
    )


def test_what_the_shell_tool_of_responses_wrote_is_appended_to_or_replaced() -> None:
    output = [{"stdout": "x", "stderr": "y", "outcome": {"exit_code": 1}}, {"stdout": "/", "stderr": ""}]
    request = {"input": [{"type": "shell_call_output", "call_id": "x", "output": output}]}
    appended = noted("responses", request, APPEND, "x")["input"][0]["output"]
    assert appended == [output[0], {"stdout": f"/\n{SAID}", "stderr": ""}]
    replaced = noted("responses", request, REPLACE, "x")["input"][0]["output"]
    assert [each["stdout"] for each in replaced] == [SAID, ""]
    assert [each["stderr"] for each in replaced] == ["", ""]
    assert replaced[0]["outcome"] == {"exit_code": 1}


def test_the_mark_of_the_prompt_cache_stays_on_the_last_part() -> None:
    after = noted("messages", HISTORIES["messages"], APPEND, "call_2")
    parts = after["messages"][2]["content"][1]["content"]
    assert parts[2] == {"type": "text", "text": f"b\n{SAID}", "cache_control": {"type": "ephemeral"}}
    assert len(parts) == 3


def test_each_of_two_results_of_one_call_gets_the_note() -> None:
    request = only("chat", content="a")
    request["messages"] *= 2
    after = noted("chat", request, APPEND, "x")
    assert [each["content"] for each in after["messages"]] == [f"a\n{SAID}"] * 2


def test_a_key_that_stands_twice_is_changed_where_readers_look() -> None:
    raw = b'{"messages":[],"messages":[{"role":"tool","tool_call_id":"x","content":"a","content":"b"}]}'
    after = with_notes("chat", raw, {"x": Note("append", "hm")})
    assert after == raw.replace(b'"b"', b'"b\\nhm"')


def test_half_a_surrogate_pair_elsewhere_keeps_no_note_away() -> None:
    raw = body({"x": "HALF", **only("chat", content="HALF \\")}).replace(b"HALF", b"\\ud83d")
    after = with_notes("chat", raw, {"x": Note("append", "hm")})
    assert after == raw.replace(b' \\\\"', b' \\\\\\nhm"')


def test_a_note_with_half_a_surrogate_pair_is_written_all_the_same() -> None:
    after = noted("chat", only("chat", content="a"), Note("append", "\ud83d!"), "x")
    assert after["messages"][0]["content"] == "a\n?!"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_request_in_another_encoding_is_left_as_it_is(encoding: str) -> None:
    raw = json.dumps(only("chat", content="a")).encode(encoding)
    assert with_notes("chat", raw, {"x": APPEND}) is raw


@given(
    st.sampled_from(SURFACES), requests, st.sampled_from([APPEND, REPLACE]), st.booleans(), st.integers(0, 2)
)
def test_whatever_the_shapes_only_the_noted_results_change(
    surface: Surface, request_: Any, note: Note, is_ascii: bool, indent: int
) -> None:
    raw = json.dumps(request_, ensure_ascii=is_ascii, indent=indent or None).encode("utf-8", "replace")
    before = results(surface, raw)
    notes = {each.id: note for each in before[::2]}
    after = with_notes(surface, raw, notes)
    json.loads(after)
    found = results(surface, after)
    assert [each.call for each in found] == [each.call for each in before]
    has_shell = "shell_call_output" in str(request_)  # of what is written nowhere nothing can be changed
    for old, new in itertools.zip_longest(before, found):
        if old.id not in notes:
            assert (new.call, new.text, new.failed) == (old.call, old.text, old.failed)
        elif not (has_shell and new == old):
            assert SAID[-10:] in new.text
            assert note.how == "replace" or len(new.text) > len(old.text)
