"""`microloop gateway`: meter, limit and judge an agent's model calls, without a sandbox."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import typer

from microloop_cli.cli.spending_options import dollars, upstreams
from microloop_cli.errors import UsageError

if TYPE_CHECKING:
    from microloop_cli.policy.layers import Resolved

CONTEXT = {"allow_interspersed_args": False}


def command(
    agent_command: list[str] | None = typer.Argument(
        None, metavar="[-- COMMAND...]", help="The agent; without one, serve."
    ),
    policy: str | None = typer.Option(
        None, metavar="NAME|FILE", help="Limits, budgets, prices, keys and patterns; options win."
    ),
    upstream: list[str] = typer.Option(
        [], metavar="PROVIDER=URL", help="openai, anthropic or google; else as your environment says."
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
    free: list[str] = typer.Option(
        [], metavar="MODEL", help="A model that costs nothing, such as a local one; * stands for any text."
    ),
    unknown: str | None = typer.Option(
        None,
        metavar="error|worst",
        help="A model without a known price: refuse it, or charge the dearest.",
    ),
    agent: str | None = typer.Option(None, metavar="PROFILE", help="Agent profile; found from the command."),
    port: int = typer.Option(0, min=0, max=65535, help="Port on 127.0.0.1; a free one by default."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
    as_json: bool = typer.Option(
        False, "--json", help="Calls, tool calls, findings and their sum as JSON, to stdout."
    ),
) -> int:
    """Stand between an agent and its models: count tokens and dollars, see loops, say no at a limit.

    Keys come from your environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY) or as the policy says;
    the agent gets placeholders. The exit code is the agent's, 120 when it went in circles, or 122 when a
    limit was reached.
    """
    from microloop_cli.policy.load import load

    argv = tuple(agent_command or ())
    if as_json and argv:
        raise UsageError("--json needs stdout for itself, which the agent has", hint="leave one of them out")
    options: dict[str, tuple[str, Any]] = {
        "limits.cost_usd": ("--max-cost", dollars("--max-cost", max_cost)),
        "limits.tokens": ("--max-tokens", max_tokens),
        "limits.model_calls": ("--max-model-calls", max_model_calls),
        "budgets.day_usd": ("--max-day-cost", dollars("--max-day-cost", max_day_cost)),
        "budgets.project_day_usd": (
            "--max-project-day-cost",
            dollars("--max-project-day-cost", max_project_day_cost),
        ),
        "model.unknown": ("--unknown", unknown),
        "agent.profile": ("--agent", agent),
        **upstreams(upstream),
    }
    resolved = load(
        policy,
        {path: pair for path, pair in options.items() if pair[1] is not None},
        {"model.free": ("--free", tuple(free))} if free else {},
    )
    return _serve(resolved, argv, port, quiet=quiet, as_json=as_json)


def _serve(resolved: Resolved, argv: tuple[str, ...], port: int, *, quiet: bool, as_json: bool) -> int:
    from microloop_cli.cli.alone import Alone
    from microloop_cli.cli.live import StatusLine
    from microloop_cli.cli.metering import Metering

    alone = Alone(resolved, argv, dict(os.environ))
    line = StatusLine(quiet=quiet)
    metering = Metering(line, keeps=as_json)
    try:
        ended = asyncio.run(alone.run(metering, port))
        line.stop("" if as_json else metering.summary(ended, by_agent=bool(argv)))
    finally:
        line.stop()
    if as_json:
        from microloop_cli.cli.output import write_json

        write_json(metering.document(ended))
    return ended.exit_code
