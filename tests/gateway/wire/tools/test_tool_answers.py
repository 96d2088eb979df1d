"""Tool calls are read out of an answer while it passes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.answers import CallReader, call_events, call_reader
from microloop_cli.gateway.wire.tools.history import History
from microloop_cli.gateway.wire.tools.pending import MAX_OPEN
from microloop_cli.gateway.wire.tools.texts import MAX_ARGUMENTS
from microloop_cli.gateway.wire.tools.tool import ToolCall
from tests.gateway.wire.samples import (
    CHAT_STREAM,
    DONE,
    GENERATE_ARRAY,
    GENERATE_STREAM,
    JSON,
    MESSAGES_STREAM,
    SSE,
    chunk,
    data,
    named,
)
from tests.gateway.wire.tools.histories import ARGUMENTS, OBJECT
from tests.gateway.wire.tools.shapes import shapes
from tests.gateway.wire.tools.test_results import SURFACES, generate_turns
from tests.gateway.wire.tools.tool_answers import ANSWERS, FIRST, ITEMS, SECOND, deltas, tool


def read(reader: CallReader, *chunks: bytes) -> list[ToolCall]:
    return [call for chunk_ in chunks for call in reader.feed(chunk_)] + list(reader.finish())


def same(call: ToolCall) -> tuple[str, str, Any]:
    return call.id, call.name, json.loads(call.arguments)


@pytest.mark.parametrize("name", ANSWERS)
def test_all_calls_are_told_once_and_in_order(name: str) -> None:
    surface, stream, kind, answer = ANSWERS[name]
    told = list(map(same, read(call_reader(surface, stream, kind), answer)))
    assert [call[1:] for call in told] == [same(FIRST)[1:], same(SECOND)[1:]]
    if surface != "generate":  # its ids do not last
        assert [call[0] for call in told] == [FIRST.id, SECOND.id]


@pytest.mark.parametrize("name", ANSWERS)
def test_no_cut_makes_a_difference(name: str) -> None:
    surface, stream, kind, answer = ANSWERS[name]
    whole = read(call_reader(surface, stream, kind), answer)
    for at in range(len(answer)):
        assert read(call_reader(surface, stream, kind), answer[:at], answer[at:]) == whole
    assert read(call_reader(surface, stream, kind), *(bytes([byte]) for byte in answer)) == whole


@given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 2000), max_size=8))
def test_no_cuts_make_a_difference(name: str, cuts: list[int]) -> None:
    surface, stream, kind, answer = ANSWERS[name]
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    chunks = [answer[start:end] for start, end in itertools.pairwise(places)]
    assert read(call_reader(surface, stream, kind), *chunks) == read(
        call_reader(surface, stream, kind), answer
    )


@pytest.mark.parametrize("name", ["chat", "responses", "messages", "generate", "generate, array"])
def test_calls_of_a_stream_are_told_before_its_end(name: str) -> None:
    surface, stream, kind, answer = ANSWERS[name]
    reader = call_reader(surface, stream, kind)
    assert len([call for byte in answer for call in reader.feed(bytes([byte]))]) == 2
    assert reader.finish() == ()
    assert reader.finish() == ()


@pytest.mark.parametrize(
    ("surface", "kind", "answer"),
    [
        ("chat", SSE, CHAT_STREAM),
        ("messages", SSE, MESSAGES_STREAM),
        ("generate", SSE, GENERATE_STREAM),
        ("generate", JSON, GENERATE_ARRAY),
    ],
)
def test_the_samples_of_the_meters_have_one_call(surface: Surface, kind: str, answer: bytes) -> None:
    (call,) = read(call_reader(surface, True, kind), answer)
    assert json.loads(call.arguments) == OBJECT


@pytest.mark.parametrize(
    "events",
    [
        [deltas(tool(0, ARGUMENTS, "call_1", "bash")), deltas(tool(0, "{}", "call_2", "read"))],
        [deltas(tool(None, ARGUMENTS, "call_1", "bash"), tool(None, "{}", "call_2", "read"))],
        [
            deltas(tool(0, ARGUMENTS[:7], "call_1", "bash")),
            deltas(tool(0, ARGUMENTS[7:], "call_1", "bash")),
            deltas(tool(1, "{}", "call_2", "read")),
        ],
        [
            deltas(tool(0, ARGUMENTS[:7], "call_1", "bash")),
            deltas(tool(0, ARGUMENTS[7:], "", "")),
            deltas(tool(1, "", "call_2", "read")),
        ],
    ],
    ids=["index 0 each", "no index", "name and id in each delta", "empty name and id"],
)
@pytest.mark.parametrize("end", [data(chunk({}, "tool_calls")), DONE, b""], ids=["finished", "done", "ended"])
def test_the_ways_of_servers_like_openais(events: list[dict[str, Any]], end: bytes) -> None:
    found = read(call_reader("chat", True, SSE), data(*events) + end)
    assert found == [FIRST, SECOND] or (end == b"" and found == [FIRST])


def test_calls_without_ids_at_the_same_index_are_two() -> None:
    events = [deltas(tool(0, ARGUMENTS, "", "bash")), deltas(tool(0, "{}", "", "bash"))]
    found = read(call_reader("chat", True, SSE), data(*events) + DONE)
    assert [call.arguments for call in found] == [ARGUMENTS, "{}"]


def test_free_text_for_a_custom_tool_is_told_as_json() -> None:
    events = [
        deltas({"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": '*** "'}}),
        deltas({"index": 0, "custom": {"input": "End"}}, finish="tool_calls"),
    ]
    item = {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": '*** "End'}
    done = named({"type": "response.output_item.done", "item": item})
    for found in (
        read(call_reader("chat", True, SSE), data(*events)),
        read(call_reader("responses", True, SSE), done),
    ):
        assert list(map(same, found)) == [("c", "patch", {"input": '*** "End'})]


def test_the_older_function_call_is_read() -> None:
    events = [
        chunk({"function_call": {"name": "bash", "arguments": ""}}),
        chunk({"function_call": {"arguments": ARGUMENTS}}),
        chunk({}, "function_call"),
    ]
    (call,) = read(call_reader("chat", True, SSE), data(*events))
    assert (call.name, call.arguments) == ("bash", ARGUMENTS)


@pytest.mark.parametrize("name", ["chat", "messages"])
def test_a_call_that_the_end_cut_off_is_not_told(name: str) -> None:
    surface, stream, kind, answer = ANSWERS[name]
    first_half = json.dumps(ARGUMENTS[:5]).encode()[1:-1]
    cut = answer.index(b"\n\n", answer.index(first_half)) + 2
    assert read(call_reader(surface, stream, kind), answer[:cut]) == []


def test_calls_that_come_only_with_the_finished_response_are_told() -> None:
    done = named({"type": "response.completed", "response": {"output": ITEMS}})
    assert read(call_reader("responses", True, SSE), done) == [FIRST, SECOND]


def test_a_call_of_gemini_has_the_id_that_its_result_will_have() -> None:
    written = ('{"p": 1, "q": "é"}', '{"p": 2}', '{"q": "\\u00e9", "p": 1.0}')
    turns = generate_turns(*written, own_ids=True)
    told = []
    for number, each in enumerate(written):
        history = History("generate", json.dumps({"contents": turns[: 2 * number]}).encode())
        answer = b'{"functionCall":{"args":' + each.encode() + b',"name":"read_file"}}'
        whole = b'{"candidates":[{"content":{"parts":[' + answer + b"]}}]}"
        for _ in range(2):  # an answer that is asked for again
            (call,) = read(call_reader("generate", True, SSE, history.ids), b"data: " + whole + b"\n\n")
        told.append(call.id)
    answered = History("generate", json.dumps({"contents": turns}).encode()).results
    assert [each.id for each in answered] == told
    assert len(set(told)) == 3


def test_events_can_be_told_by_one_who_splits_the_answer_anyway() -> None:
    events = call_events("responses")
    items = [json.dumps({"type": "response.output_item.done", "item": item}).encode() for item in ITEMS]
    assert [call for item in items for call in events.event(item)] == [FIRST, SECOND]
    assert events.finish() == ()


def test_an_endless_call_and_endless_calls_are_not_held() -> None:
    events = call_events("chat")
    events.event(json.dumps(deltas(tool(0, "{", "call_1", "bash"))).encode())
    piece = json.dumps(deltas(tool(0, "x" * MAX_ARGUMENTS))).encode()
    assert all(events.event(piece) == () for _ in range(5))
    for number in range(1, 500):
        events.event(json.dumps(deltas(tool(number, "{}", f"call_{number}", "bash"))).encode())
    found = events.event(b"[DONE]")
    assert len(found) == MAX_OPEN
    assert max(len(call.arguments) for call in found) == MAX_ARGUMENTS


@given(
    st.sampled_from(SURFACES), st.booleans(), st.sampled_from([SSE, JSON, ""]), st.lists(shapes, max_size=5)
)
def test_no_answer_raises(surface: Surface, stream: bool, kind: str, events: list[Any]) -> None:
    answer = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    read(call_reader(surface, stream, kind), answer, b"_call tool_use unction", b"{")
    reader = call_events(surface)
    for event in events:
        reader.event(json.dumps([event, "_call tool_use unction"][0]).encode())


@given(st.sampled_from(SURFACES), st.lists(st.binary(max_size=30), max_size=5))
def test_no_bytes_raise(surface: Surface, chunks: list[bytes]) -> None:
    read(call_reader(surface, True, ""), *chunks, b'data: {"_call tool_use unction')


def test_ids_that_an_agent_writes_into_its_history_in_place_of_none_do_not_part_call_and_result() -> None:
    """As gemini-cli does: the answer has no id, the history one of the agent's own, each time another."""

    def told(parts: list[dict[str, Any]]) -> bytes:
        turns = [{"role": "model" if "functionCall" in part else "user", "parts": [part]} for part in parts]
        return json.dumps({"contents": turns}).encode()

    answer = json.dumps(
        {
            "candidates": [
                {"content": {"parts": [{"functionCall": {"name": "bash", "args": {"command": "ls"}}}]}}
            ]
        }
    ).encode()
    parts: list[dict[str, Any]] = []
    seen = []
    for turn in range(3):
        reader = call_reader("generate", False, JSON, History("generate", told(parts)).ids)
        (call,) = read(reader, answer)
        seen.append(call.id)
        own = f"bash_17952888{turn}_0"
        parts.append({"functionCall": {"name": "bash", "args": {"command": "ls"}, "id": own}})
        parts.append({"functionResponse": {"name": "bash", "response": {"output": "a"}, "id": own}})
        assert [result.id for result in History("generate", told(parts)).results] == seen
    assert len(set(seen)) == 3
