"""`microloop gateway`: meter and limit the model calls of an agent, without a sandbox."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from microloop_cli.errors import CommandNotExecutable, CommandNotFound, UsageError

if TYPE_CHECKING:
    from microloop_cli.cli.metering import Metering
    from microloop_cli.gateway.model import Provider

CONTEXT = {"allow_interspersed_args": False}
LIMIT_REACHED = 122
# An agent that asks on after this many refusals is ended, at first kindly.
REFUSALS_BORNE = 3
GRACE_SECONDS = 5.0


def command(
    agent: list[str] | None = typer.Argument(
        None, metavar="[-- COMMAND...]", help="The agent; without one, serve."
    ),
    upstream: list[str] | None = typer.Option(
        None, metavar="PROVIDER=URL", help="openai, anthropic or google; else as your environment says."
    ),
    max_cost: str | None = typer.Option(None, metavar="USD", help="Dollars all calls may cost."),
    max_tokens: int | None = typer.Option(None, min=1, help="Tokens all calls may use."),
    max_model_calls: int | None = typer.Option(None, min=1, help="Calls to models."),
    max_day_cost: str | None = typer.Option(
        None, metavar="USD", help="Dollars the calls of all your runs may cost on one day."
    ),
    max_project_day_cost: str | None = typer.Option(
        None, metavar="USD", help="The same, of the runs in this folder."
    ),
    free: list[str] | None = typer.Option(
        None, metavar="MODEL", help="A model that costs nothing, such as a local one; * stands for any text."
    ),
    unknown: str = typer.Option(
        "error",
        metavar="error|worst",
        help="A model without a known price: refuse it, or charge the dearest.",
    ),
    port: int = typer.Option(0, min=0, max=65535, help="Port on 127.0.0.1; a free one by default."),
    as_json: bool = typer.Option(False, "--json", help="The calls and their sum as JSON, to stdout."),
) -> int:
    """Stand between an agent and its models: count tokens and dollars, and say no at a limit.

    Keys come from your environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY); the agent gets
    placeholders. The exit code is the agent's, or 122 when a limit was reached.
    """
    from microloop_cli.gateway.spending import RunLimits
    from microloop_cli.gateway.upstream import upstreams_of

    limits = RunLimits(
        max_cost_usd=_dollars("--max-cost", max_cost), max_tokens=max_tokens, max_calls=max_model_calls
    )
    upstreams = upstreams_of(os.environ, _named(upstream or []))
    if as_json and agent:
        raise UsageError("--json needs stdout for itself, which the agent has", hint="leave one of them out")
    from microloop_cli.cli.metering import Metering

    if unknown not in ("error", "worst"):
        raise UsageError(f"--unknown: {unknown[:40]!r} is neither error nor worst")
    from microloop_cli.gateway.budgets import Budgets

    budgets = Budgets(
        day_usd=_dollars("--max-day-cost", max_day_cost),
        project_day_usd=_dollars("--max-project-day-cost", max_project_day_cost),
    )
    metering = Metering(
        upstreams,
        limits,
        free=free or [],
        unknown="worst" if unknown == "worst" else "error",
        budgets=budgets,
        as_json=as_json,
    )
    return asyncio.run(_serve(metering, port, agent or []))


async def _serve(metering: Metering, port: int, agent: list[str]) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await metering.start(port)
    try:
        if not agent:
            await ended.wait()
            return LIMIT_REACHED if metering.limit_reached else 0
        return await _with_agent(metering, agent, ended)
    finally:
        await metering.close()


async def _with_agent(metering: Metering, agent: list[str], ended: asyncio.Event) -> int:
    program = _program(agent[0])
    environment = {**os.environ, **metering.environment()}
    try:
        process = await asyncio.create_subprocess_exec(*agent, executable=program, env=environment)
    except OSError as error:
        said = f"{agent[0]}: cannot be executed: {error.strerror}"
        raise CommandNotExecutable(said, hint="is it a program for this machine?") from None
    waiting = asyncio.ensure_future(process.wait())
    often, asked = metering.refused_often(REFUSALS_BORNE), ended.wait()
    reasons: list[asyncio.Future[Any]] = [asyncio.ensure_future(often), asyncio.ensure_future(asked)]
    everything: list[asyncio.Future[Any]] = [waiting, *reasons]
    await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        await _end(process, waiting)
    for reason in reasons:
        reason.cancel()
    code = await waiting
    if metering.limit_reached:
        return LIMIT_REACHED
    return code if code >= 0 else 128 - code


def _program(name: str) -> str:
    """Its path. A folder of PATH that cannot be entered is no reason to say that it cannot be executed."""
    found = shutil.which(name)
    if found is not None:
        return found
    if "/" in name and Path(name).exists():
        raise CommandNotExecutable(f"{name}: cannot be executed", hint="chmod +x, or another program")
    raise CommandNotFound(f"{name}: command not found", hint="give a path, or look at PATH")


async def _end(process: asyncio.subprocess.Process, waiting: asyncio.Future[int]) -> None:
    process.terminate()
    done, _ = await asyncio.wait([waiting], timeout=GRACE_SECONDS)
    if not done:
        process.kill()


def _dollars(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise UsageError(
            f"{option}: {text[:40]!r} is no amount of dollars", hint="for example --max-cost 2.50"
        )
    return amount


def _named(given: list[str]) -> dict[Provider, str]:
    from microloop_cli.gateway.upstream import DEFAULTS

    named: dict[Provider, str] = {}
    for entry in given:
        name, _, url = entry.partition("=")
        provider = next((known for known in DEFAULTS if known == name), None)
        if provider is None or not url:
            known = ", ".join(DEFAULTS)
            raise UsageError(f"--upstream: {entry[:100]!r} is no PROVIDER=URL", hint=f"providers: {known}")
        named[provider] = url
    return named
