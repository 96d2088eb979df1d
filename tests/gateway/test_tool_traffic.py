"""What a listener hears of an agent's tools, and how its notes reach the model."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.spending import RunLimits
from microloop_cli.gateway.tool_talk import ToolTalk
from microloop_cli.gateway.wire.tools.history import History
from microloop_cli.gateway.wire.tools.tool import ToolCall
from tests.gateway.answers import ASKS, CHAT, USAGE, delta, events, streaming, told, whole
from tests.gateway.providers import Place, Told

CALL = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}
ASKED_FOR_A_TOOL = {
    "id": "1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
    ],
    "usage": USAGE,
}


def with_result(text: str = "old text", call_id: str = "c1") -> dict[str, Any]:
    call = {**CALL, "id": call_id}
    said = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": text},
    ]
    return {**ASKS, "messages": [*ASKS["messages"], *said]}  # type: ignore[misc]


async def a_tool(request: web.Request, body: bytes) -> web.Response:
    """Asks for a tool, once."""
    return await whole(request, body) if b"tool_call_id" in body else web.json_response(ASKED_FOR_A_TOOL)


def test_a_tool_call_and_its_result_are_told_once_and_in_the_order_of_things() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        for _ in range(3):
            await place.send(CHAT, with_result())
        assert place.told.order[:5] == [
            ("asked", 1), ("tool_called", "c1"), ("answered", 1), ("asked", 2), ("tool_answered", "c1"),
        ]  # fmt: skip
        names = [name for name, _ in place.told.order]
        assert (names.count("tool_called"), names.count("tool_answered")) == (1, 1)
        (result,) = place.told.tool_results
        assert (result.text, result.call and result.call.name) == ("old text", "read")

    told(test, a_tool)


def test_a_streamed_tool_call_is_told_before_the_agent_can_act_on_it() -> None:
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path"'}}
    second = {"index": 0, "function": {"arguments": ': "a.py"}'}}
    pieces = [
        {"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in (first, second)
    ]
    end = {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}

    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps({**ASKS, "stream": True}).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await reader.readuntil(b'"finish_reason":')
        assert [call.arguments for call in place.told.tool_calls] == ['{"path": "a.py"}']
        assert place.told.calls == []
        writer.close()

    told(test, streaming(events(*pieces), events(end), events(delta("more")), *[b": wait\n\n"] * 30))


def test_an_unstreamed_tool_call_is_told_and_charged_before_the_agent_has_its_answer() -> None:
    async def test(place: Place) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(ASKS).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        assert await reader.read(1)
        assert [name for name, _ in place.told.order] == ["asked", "tool_called", "answered"]
        writer.close()

    told(test, a_tool)


def test_a_note_is_put_into_this_and_every_later_request_and_nothing_else_changes() -> None:
    async def test(place: Place) -> None:
        place.told.notes["c1"] = Note("append", "microloop: the third time")
        await place.send(CHAT, ASKS)
        longer = with_result()
        for _ in range(3):
            await place.send(CHAT, longer)
        for seen in place.seen[1:]:
            sent = json.loads(seen.body)
            assert sent["messages"][-1]["content"] == "old text\nmicroloop: the third time"
            assert {**sent, "messages": sent["messages"][:-1]} == {
                **longer,
                "messages": longer["messages"][:-1],
            }
        assert place.seen[1].body == place.seen[2].body == place.seen[3].body

    told(test, a_tool)


def test_a_note_may_stand_for_the_result() -> None:
    async def test(place: Place) -> None:
        place.told.notes["c1"] = Note("replace", "microloop: refused")
        await place.send(CHAT, ASKS)
        await place.send(CHAT, with_result("a secret"))
        assert json.loads(place.seen[1].body)["messages"][-1]["content"] == "microloop: refused"
        assert b"a secret" not in place.seen[1].body

    told(test, a_tool)


def test_what_is_sent_is_what_the_estimate_is_of() -> None:
    async def test(place: Place) -> None:
        place.told.notes["c1"] = Note("append", "long " * 3_000)
        await place.send(CHAT, ASKS)
        await place.send(CHAT, {**with_result(), "stream": True})
        assert place.told.calls[1].usage.input_tokens > 5_000

    async def silent(request: web.Request, body: bytes) -> web.StreamResponse:
        if b"tool_call_id" in body:
            return await streaming(events(delta("ok")))(request, body)
        return await a_tool(request, body)

    told(test, silent)


def test_results_of_an_older_session_are_no_news() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, with_result(call_id="of-yesterday"))
        assert place.told.tool_results == []

    told(test, whole)


def test_a_refused_call_tells_no_results() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        assert (await place.send(CHAT, with_result()))[0] == 402
        assert place.told.tool_results == []

    told(test, a_tool, limits=RunLimits(max_calls=1))


def test_a_million_tool_calls_do_not_fill_the_memory() -> None:
    heard = Told()
    talk = ToolTalk(heard, most_calls=100)
    for number in range(1_000):
        talk.called(1, [ToolCall(id=f"c{number}", name="read", arguments="{}")])
    old, new = (json.dumps(with_result(call_id=name)).encode() for name in ("c5", "c999"))
    assert not talk.answered(2, History("chat", old))
    talk.answered(2, History("chat", new))
    assert [result.id for result in heard.tool_results] == ["c999"]


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_answer_is_told_with_its_status_and_costs_nothing(stream: bool) -> None:
    async def busy(request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"error": {}}, status=429)

    async def test(place: Place) -> None:
        await place.send(CHAT, {**ASKS, "stream": stream})
        (record,) = place.told.calls
        assert (record.status, record.cost_usd, record.usage.input_tokens) == (429, Decimal(0), 0)
        assert place.told.order == [("asked", 1), ("answered", 1)]

    told(test, busy)


def asking(call_id: str, *before: str) -> History:
    """A request with these results in it, the last one of `call_id`."""
    turns: list[dict[str, Any]] = []
    for each in (*before, call_id):
        turns.append({"role": "assistant", "tool_calls": [{**CALL, "id": each}]})
        turns.append({"role": "tool", "tool_call_id": each, "content": "x"})
    return History("chat", json.dumps({"messages": turns}).encode())


def test_conversations_side_by_side_are_told_apart_by_the_results_they_hold() -> None:
    heard = Told()
    talk = ToolTalk(heard)
    for number, call_id in ((1, "a1"), (2, "b1")):  # two first requests, without any result
        talk.called(number, [ToolCall(id=call_id, name="read", arguments="{}")], number)
    for number, call_id, last in ((3, "a2", "a1"), (4, "b2", "b1")):
        talk.called(
            number, [ToolCall(id=call_id, name="read", arguments="{}")], talk.conversation(asking(last))
        )
    assert [(each.id, each.conversation) for each in heard.tool_calls] == [
        ("a1", 1), ("b1", 2), ("a2", 1), ("b2", 2),
    ]  # fmt: skip
    # Its beginning was cut off, or an old session goes on: the last result that is known tells.
    assert talk.conversation(asking("b2", "from another day")) == 2
    assert talk.conversation(asking("from another day")) == 0


def test_a_conversation_goes_by_the_call_in_which_it_asked_for_its_first_tool() -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        await place.send(CHAT, ASKS)
        assert [each.conversation for each in place.told.tool_calls] == [1]

    told(test, a_tool)
