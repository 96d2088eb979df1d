"""A gateway with someone watching: each call as a line on stderr, the sum at the end."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import typer

from microloop_cli.gateway.budgets import BudgetBook, Budgets, default_path
from microloop_cli.gateway.cost import shown_usd
from microloop_cli.gateway.listener import Note
from microloop_cli.gateway.model import Asked, CallRecord, Provider, Usage
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.prices import Prices
from microloop_cli.gateway.purse import Purse
from microloop_cli.gateway.server import Gateway
from microloop_cli.gateway.sockets import listen_tcp
from microloop_cli.gateway.spending import NearLimit, Refused, RunLimits
from microloop_cli.gateway.upstream import ADDRESS_VARIABLES, KEY_VARIABLES, Upstream
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult
from microloop_cli.run.clock import SystemClock

LIMITS = ("cost_usd", "tokens", "model_calls", "budget")
HOST = "127.0.0.1"
PATHS: dict[Provider, str] = {"openai": "/v1", "anthropic": "", "google": ""}


class Metering:
    """One gateway from its start to its close, and its listener."""

    def __init__(
        self,
        upstreams: Mapping[Provider, Upstream],
        limits: RunLimits,
        *,
        free: Sequence[str],
        unknown: Literal["error", "worst"],
        budgets: Budgets,
        as_json: bool,
    ) -> None:
        clock = SystemClock()
        self.calls: list[CallRecord] = []
        self.limit_reached = False
        self._as_json = as_json
        self._refusals = 0
        self._often = asyncio.Event()
        self._borne = 0
        self._upstreams = upstreams
        self._port = 0
        self._placeholders = Placeholders(secrets.token_hex(16))
        self._prices = Prices(
            clock.utc_now(),
            free=free,
            unknown=unknown,
            upstreams={name: upstream.url for name, upstream in upstreams.items()},
        )
        self._purse = _purse(budgets, clock) if budgets != Budgets() else None
        self._gateway = Gateway(
            upstreams,
            self._prices,
            limits,
            clock.monotonic,
            listener=self,
            placeholders=self._placeholders,
            purse=self._purse,
        )

    async def start(self, port: int) -> None:
        """Listen. Raises HostError."""
        sock = listen_tcp(HOST, port)
        self._port = sock.getsockname()[1]
        await self._gateway.start(sock)
        typer.echo(f"microloop: gateway on http://{HOST}:{self._port}", err=True)

    def environment(self) -> dict[str, str]:
        """What an agent needs to come here: addresses, and a placeholder for each key that is added here."""
        variables: dict[str, str] = {}
        for provider, names in ADDRESS_VARIABLES.items():
            address = f"http://{HOST}:{self._port}{PATHS[provider]}"
            variables |= dict.fromkeys(names, address)
            if self._upstreams[provider].key:
                variables |= dict.fromkeys(KEY_VARIABLES[provider], self._placeholders.of(provider))
        return variables

    async def refused_often(self, times: int) -> None:
        """Returns when more than so many calls were refused."""
        self._borne = times
        await self._often.wait()

    async def close(self) -> None:
        await self._gateway.close()
        if self._purse is not None:
            self._purse.close()
        if self._as_json:
            typer.echo(msgspec.json.encode(self.document()).decode())
        else:
            typer.echo(f"microloop: {self._sum()}", err=True)

    def document(self) -> dict[str, Any]:
        """All calls and their sum; amounts of dollars are text, exact."""
        spending = self._gateway.spent.spending
        return {
            "schema": 1,
            "calls": [_call(record) for record in self.calls],
            "model_calls": spending.ended,
            "tokens": spending.tokens,
            "cost_usd": _exact(spending.cost_usd),
            "unpriced_calls": spending.unpriced_calls,
            "limit_reached": self.limit_reached,
        }

    def asked(self, number: int, asked: Asked) -> None:
        return

    def tool_called(self, number: int, call: ToolCall) -> None:
        return

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        return None

    def answered(self, record: CallRecord) -> None:
        """An error answer costs nothing, and the agent shows it better."""
        if record.usage == Usage() and not 200 <= record.status < 300:
            return
        self.calls.append(record)
        used = record.usage
        cost = "no price" if record.cost_usd is None else shown_usd(record.cost_usd)
        told = (
            f"{used.input_tokens:,} in, {used.output_tokens:,} out{', estimated' if used.estimated else ''}"
        )
        model = ascii(record.model)[1:-1][:60] or "no model"
        typer.echo(f"microloop: call {record.number}: {model}: {told}, {cost}", err=True)

    def refused(self, refused: Refused) -> None:
        if refused.limit in LIMITS:
            self.limit_reached = True
        self._refusals += 1
        if self._refusals == 1:
            typer.echo(refused.message, err=True)
        if self._borne and self._refusals > self._borne:
            self._often.set()

    def near(self, near: NearLimit) -> None:
        typer.echo(f"microloop: {near.limit}: {near.used} of {near.allowed} used", err=True)

    def _sum(self) -> str:
        spending = self._gateway.spent.spending
        unpriced = f", {spending.unpriced_calls} without a price" if spending.unpriced_calls else ""
        cost = shown_usd(spending.cost_usd)
        return f"{spending.ended} model calls, {spending.tokens:,} tokens, {cost}{unpriced}"


def _purse(budgets: Budgets, clock: SystemClock) -> Purse:
    def now() -> tuple[date, float]:
        moment = clock.utc_now()
        return moment.astimezone().date(), moment.timestamp()

    book = BudgetBook(default_path(os.environ, Path.home()), budgets)
    return Purse(book, str(Path.cwd()), now)


def _call(record: CallRecord) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(Decimal,))
    plain["cost_usd"] = None if record.cost_usd is None else _exact(record.cost_usd)
    return plain


def _exact(amount: Decimal) -> str:
    return f"{amount:f}"
