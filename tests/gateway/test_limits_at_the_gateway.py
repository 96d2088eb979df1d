"""How far over a limit a run can get through the gateway, and budgets that other runs draw from, too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from microloop_cli.gateway.budgets import BudgetBook, Budgets
from microloop_cli.gateway.own_prices import OwnPrice
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.spending import RunLimits
from tests.gateway.answers import ASKS, CHAT, delta, events, streaming, told, whole
from tests.gateway.providers import Place, provider

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
CACHED = OwnPrice(
    input_usd_per_mtok=Decimal(10), output_usd_per_mtok=Decimal(100), cached_usd_per_mtok=Decimal(1)
)
PATHS = {
    "chat": (CHAT, "max_tokens"),
    "messages": ("/v1/messages", "max_tokens"),
    "responses": ("/v1/responses", "max_output_tokens"),
}


def writes_all_it_may(name: str) -> Callable[[web.Request, bytes], Awaitable[web.Response]]:
    """A model that uses every token of output that the request allows it."""

    async def answer(request: web.Request, body: bytes) -> web.Response:
        most = json.loads(body)[name]
        if request.path.endswith("completions"):
            usage = {"prompt_tokens": 30, "completion_tokens": most, "total_tokens": 30 + most}
        else:
            usage = {"input_tokens": 30, "output_tokens": most}
        return web.json_response({"usage": usage, "choices": [], "output": [], "content": []})

    return answer


@pytest.mark.parametrize("surface", sorted(PATHS))
def test_unstreamed_calls_one_after_the_other_end_over_the_limit_by_one_input_at_most(surface: str) -> None:
    path, name = PATHS[surface]
    limit, input_usd = Decimal("0.05"), Decimal(10) * 100 / 1_000_000

    async def test(place: Place) -> None:
        statuses = []
        for _ in range(20):
            status, _, _ = await place.send(
                path, {"model": "m", name: 100_000, "messages": [], "input": "hello"}
            )
            statuses.append(status)
        assert 402 in statuses
        assert statuses.index(402) == len(place.seen)
        assert limit - Decimal("0.01") < place.gateway.spent.spending.cost_usd <= limit + input_usd

    told(test, writes_all_it_may(name), limits=RunLimits(max_cost_usd=limit))


def test_geminis_calls_are_capped_too() -> None:
    async def answer(request: web.Request, body: bytes) -> web.Response:
        most = json.loads(body)["generationConfig"]["maxOutputTokens"]
        return web.json_response({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": most}})

    async def test(place: Place) -> None:
        for _ in range(3):
            await place.send("/v1beta/models/m:generateContent", {"contents": []})
        assert Decimal("0.02") < place.gateway.spent.spending.cost_usd <= Decimal("0.0301")

    told(test, answer, limits=RunLimits(max_cost_usd=Decimal("0.03")))


def test_a_stream_ends_over_the_limit_by_one_chunk_and_one_input_at_most() -> None:
    chunk_text = "word " * 60  # 100 tokens as they are estimated
    long = streaming(*[events(delta(chunk_text)) for _ in range(200)], events("[DONE]"))

    async def test(place: Place) -> None:
        for _ in range(3):
            await place.send(CHAT, {**ASKS, "stream": True, "max_tokens": 50_000})
        over = place.gateway.spent.spending.cost_usd - Decimal("0.05")
        assert Decimal(0) < over <= Decimal("0.0105")
        assert [name for name, _ in place.told.order[:3]] == ["asked", "refused", "answered"]

    told(test, long, limits=RunLimits(max_cost_usd=Decimal("0.05")))


def test_a_stream_whose_input_is_cached_is_not_cut_before_its_provider_told_so() -> None:
    cached = {
        "prompt_tokens": 4_000,
        "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 4_000},
    }
    end = events({"choices": [], "usage": cached}, "[DONE]")
    prices = Prices(AT, own={"*": CACHED})

    async def test(place: Place) -> None:
        document = {**ASKS, "messages": [{"role": "user", "content": "word " * 2_400}], "stream": True}
        statuses = [await place.send(CHAT, document) for _ in range(8)]
        assert all(b"[DONE]" in body for _, _, body in statuses)
        assert place.refused == []

    answer = streaming(*[events(delta("a few words"))] * 3, end)
    told(test, answer, limits=RunLimits(max_cost_usd=Decimal("0.06")), prices=prices)


def purse(path: Path, **budgets: Decimal) -> Purse:
    return Purse(BudgetBook(path, Budgets(**budgets)), "/shop", lambda: (date(2026, 1, 1), 1.0))


def with_purse(test: Callable[[Place], Awaitable[None]], answer: Any, drawn: Purse) -> None:
    async def run() -> None:
        async with provider(answer, purse=drawn) as place:
            await test(place)
        drawn.close()

    asyncio.run(run())


def test_a_budget_that_is_used_up_is_402_and_told_as_a_budget(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        statuses = [(await place.send(CHAT, ASKS))[0] for _ in range(4)]
        assert statuses == [200, 200, 402, 402]
        assert [refused.limit for refused in place.refused] == ["budget", "budget"]
        assert "budgets.day_usd" in place.refused[0].message
        assert [record.number for record in place.told.calls] == [1, 2]

    with_purse(test, whole, purse(tmp_path / "b.sqlite3", day_usd=Decimal("0.03")))


def test_what_is_left_of_a_budget_caps_an_answer_that_is_not_streamed(tmp_path: Path) -> None:
    async def test(place: Place) -> None:
        await place.send(CHAT, {**ASKS, "max_tokens": 100_000})
        assert 400 < json.loads(place.seen[0].body)["max_tokens"] <= 500

    with_purse(test, whole, purse(tmp_path / "b.sqlite3", project_usd=Decimal("0.05")))


def test_a_stream_that_uses_up_a_budget_is_cut(tmp_path: Path) -> None:
    long = streaming(*[events(delta("word " * 60)) for _ in range(100)], events("[DONE]"))

    async def test(place: Place) -> None:
        _, _, body = await place.send(CHAT, {**ASKS, "stream": True, "max_tokens": 50_000})
        assert b"the budget left" in body
        assert [refused.limit for refused in place.refused] == ["budget"]
        assert place.calls[0].cut

    with_purse(test, long, purse(tmp_path / "b.sqlite3", day_usd=Decimal("0.03")))


@pytest.mark.parametrize("stream", [False, True])
def test_what_calls_came_to_is_in_the_budgets_when_the_run_ends(tmp_path: Path, stream: bool) -> None:
    drawn = purse(tmp_path / "b.sqlite3", day_usd=Decimal(1))

    async def test(place: Place) -> None:
        await asyncio.gather(*[place.send(CHAT, {**ASKS, "stream": stream}) for _ in range(20)])

    answer = streaming(events({"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 50}}))
    with_purse(test, answer if stream else whole, drawn)
    spent = BudgetBook(tmp_path / "b.sqlite3", Budgets()).spent()
    assert spent == Decimal("0.015") * 20
    assert drawn.trouble is None


def test_a_client_that_leaves_while_the_budgets_are_locked_holds_nothing(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "b.sqlite3"
    drawn = purse(path, day_usd=Decimal(1))

    async def test(place: Place) -> None:
        await place.send(CHAT, ASKS)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = asyncio.get_running_loop().time()
        _, writer = await asyncio.open_connection("127.0.0.1", place.port)
        body = json.dumps(ASKS).encode()
        writer.write(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - began < 1  # the loop goes on
        writer.close()
        await asyncio.sleep(0.1)
        other.execute("ROLLBACK")
        other.close()
        assert len(place.seen) == 1
        assert not place.gateway.spent.spending.running

    with_purse(test, whole, drawn)
    with sqlite3.connect(path) as after:
        assert after.execute("SELECT count(*) FROM held").fetchone() == (0,)


def test_budgets_that_cannot_be_read_let_nothing_through(tmp_path: Path) -> None:
    (tmp_path / "b.sqlite3").write_text("no database at all, but a long enough text" * 100)

    async def test(place: Place) -> None:
        status, _, body = await place.send(CHAT, ASKS)
        assert (status, b"cannot be read" in body, place.seen) == (503, True, [])
        assert place.told.order == [("refused", "unavailable")]

    with_purse(test, whole, purse(tmp_path / "b.sqlite3", day_usd=Decimal(1)))
