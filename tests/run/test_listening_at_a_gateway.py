"""A real gateway in front of a model that loops: what the model gets to read, and how the run ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from microloop_cli.core.actions import Ended, Finding, LimitWarning, Stop
from microloop_cli.core.events import AgentExited
from microloop_cli.core.replay import replay
from microloop_cli.core.settings import Limits
from microloop_cli.core.traffic import ModelAnswered, ModelRefused
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.gateway.spending import RunLimits
from microloop_cli.gateway.upstream import Upstream
from tests.core.story import only
from tests.gateway.providers import PRICE, Place, Told
from tests.run.listening_room import Room

CHAT = "/v1/chat/completions"


class LoopingModel:
    """Asks to read the same file each time; `seen` are the requests that came through."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(json.loads(await request.read()))
        call = {
            "id": f"call_{len(self.seen)}",
            "type": "function",
            "function": {"name": "Read", "arguments": '{"file_path": "a.py"}'},
        }
        message = {"role": "assistant", "tool_calls": [call]}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return web.json_response({"choices": [{"index": 0, "message": message}], "usage": usage})


@asynccontextmanager
async def gateway(room: Room, model: LoopingModel, limits: RunLimits) -> AsyncIterator[Place]:
    app = web.Application()
    app.router.add_post(CHAT, model.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = Gateway(
        {"openai": Upstream(f"http://127.0.0.1:{runner.addresses[0][1]}", "sk-real")},
        Prices(datetime(2026, 1, 1, tzinfo=timezone.utc), own={"*": PRICE}),
        limits,
        asyncio.get_running_loop().time,
        listener=room.listener,
    )
    sock = listen_tcp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    await made.start(sock)
    try:
        yield Place(port, made, Told())
    finally:
        await made.close()
        await runner.cleanup()


async def obedient_agent(place: Place, turns: int) -> list[int]:
    """Does what the model asks for, whatever it says; the statuses it got."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    statuses = []
    for _ in range(turns):
        status, _, body = await place.send(CHAT, {"model": "m", "max_tokens": 100, "messages": messages})
        statuses.append(status)
        if status != 200:
            continue
        asked = json.loads(body)["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": "def f(): ..."}
        messages += [asked, result]
    return statuses


def run(
    room: Room, test: Callable[[Place, LoopingModel], Awaitable[None]], limits: RunLimits | None = None
) -> None:
    async def main() -> None:
        model = LoopingModel()
        async with gateway(room, model, limits or RunLimits()) as place:
            await test(place, model)

    asyncio.run(main())


def test_the_model_reads_that_it_loops_and_the_run_is_stopped(tmp_path: Path) -> None:
    room = Room(tmp_path)

    async def test(place: Place, model: LoopingModel) -> None:
        assert await obedient_agent(place, 7) == [200] * 7
        results = [m["content"] for m in model.seen[-1]["messages"] if m["role"] == "tool"]
        assert results[:2] == ["def f(): ..."] * 2
        assert results[2].startswith("def f(): ...\nmicroloop: `Read a.py` has given the same result 3 times")
        assert [text.startswith("microloop: refused: ") for text in results[3:5]] == [True, True]

    run(room, test)
    assert [f.answer for f in only(Finding, room.decisions)] == ["nudge", "refuse", "refuse", "stop"]
    assert [stop.exit_code for stop in only(Stop, room.decisions)] == [120]
    assert replay(room.inbox.state.settings, [(0.0, event) for event in room.events]).difference is None


def test_a_cost_limit_ends_the_run_with_122_and_its_exact_sum(tmp_path: Path) -> None:
    room = Room(tmp_path, limits=Limits(cost_usd=Decimal("0.05")))

    async def test(place: Place, model: LoopingModel) -> None:
        assert await obedient_agent(place, 6) == [200, 200, 200, 402, 402, 402]
        assert len(model.seen) == 3

    run(room, test, RunLimits(max_cost_usd=Decimal("0.05")))
    room.inbox.put(AgentExited(exit_code=1))
    (ended,) = only(Ended, room.decisions)
    assert (ended.outcome, ended.exit_code) == ("cost_limit", 122)
    answers = [event for event in room.events if isinstance(event, ModelAnswered)]
    assert (
        room.inbox.state.money.cost_usd
        == sum(Decimal(each.cost_usd or "") for each in answers)
        == Decimal("0.06")
    )
    assert ended.reason == "the cost limit of $0.05 is reached ($0.06 used)"
    assert [event.limit for event in room.events if isinstance(event, ModelRefused)] == ["cost_usd"] * 3
    assert len(only(LimitWarning, room.decisions)) == 1
