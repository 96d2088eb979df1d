"""`microloop run -- COMMAND`: parse the options, prepare, run, say how it ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer

from microloop_cli.cli.spending_options import dollars, upstreams
from microloop_cli.core.actions import Ended
from microloop_cli.errors import UsageError
from microloop_cli.run.request import RunRequest

CONTEXT = {"allow_interspersed_args": False}


def command(
    agent_command: list[str] = typer.Argument(
        None, metavar="-- COMMAND...", help="The agent, as you run it."
    ),
    sandbox: str | None = typer.Option(None, help="auto, bwrap, docker or none."),
    image: str | None = typer.Option(None, help="Docker image to run in (auto then takes docker)."),
    network: str | None = typer.Option(
        None, help="none (only the model gateway and what --allow names) or host."
    ),
    allow: list[str] = typer.Option(
        [],
        metavar="HOST|PRESET",
        help="Let HTTP(S) to a host pass: pypi, npm, *.example.com, ...; repeatable.",
    ),
    policy: str | None = typer.Option(
        None, metavar="NAME|FILE", help="default, strict, ci, ... or a YAML file."
    ),
    max_steps: int | None = typer.Option(None, help="Stop after so many steps (exit 121)."),
    max_time: str | None = typer.Option(None, metavar="DURATION", help="Stop after e.g. 30m (exit 124)."),
    max_idle: str | None = typer.Option(
        None, metavar="DURATION", help="Stop when nothing happens (exit 124)."
    ),
    max_cost: str | None = typer.Option(
        None, metavar="USD", help="Stop when the model calls cost so much (exit 122)."
    ),
    max_tokens: int | None = typer.Option(None, help="Stop after so many tokens (exit 122)."),
    max_model_calls: int | None = typer.Option(None, help="Stop after so many model calls (exit 122)."),
    max_day_cost: str | None = typer.Option(
        None, metavar="USD", help="Dollars all your runs of one day may cost (exit 122)."
    ),
    upstream: list[str] = typer.Option(
        [], metavar="PROVIDER=URL", help="Where a provider's calls go: openai, anthropic or google."
    ),
    free: list[str] = typer.Option(
        [], metavar="MODEL", help="A model that costs nothing, such as a local one; repeatable."
    ),
    record_model: bool = typer.Option(
        False, "--record-model", help="Keep model requests and answers in the bundle."
    ),
    replay_model: str | None = typer.Option(
        None, metavar="RUN", help="Serve the model answers that RUN recorded; no model is asked."
    ),
    env: list[str] = typer.Option(
        [], metavar="NAME[=VALUE]", help="Pass a variable on to the agent; repeatable."
    ),
    agent: str | None = typer.Option(None, metavar="PROFILE", help="Agent profile; found from the command."),
    user: str | None = typer.Option(None, metavar="UID[:GID]", help="User inside a docker sandbox."),
    workspace: str = typer.Option(".", "-C", "--workspace", help="The directory the agent may write."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print the plan and stop."),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing on stderr."),
    as_json: bool = typer.Option(
        False, "--json", help="With --dry-run: the plan as JSON; else the last line."
    ),
) -> int:
    """Run an agent inside a sandbox, watched. Gives the agent's own exit code; 119 to 127 are microloop's."""
    if not agent_command:
        raise UsageError("there is no agent command", hint="microloop run -- claude -p 'fix the tests'")
    options: dict[str, tuple[str, Any]] = {
        "sandbox.backend": ("--sandbox", sandbox),
        "sandbox.image": ("--image", image),
        "sandbox.network": ("--network", network),
        "sandbox.user": ("--user", user),
        "limits.steps": ("--max-steps", max_steps),
        "limits.wall_seconds": ("--max-time", _seconds("--max-time", max_time)),
        "limits.idle_seconds": ("--max-idle", _seconds("--max-idle", max_idle)),
        "limits.cost_usd": ("--max-cost", dollars("--max-cost", max_cost)),
        "limits.tokens": ("--max-tokens", max_tokens),
        "limits.model_calls": ("--max-model-calls", max_model_calls),
        "budgets.day_usd": ("--max-day-cost", dollars("--max-day-cost", max_day_cost)),
        "model.record": ("--record-model", record_model or None),
        "agent.profile": ("--agent", agent),
        **upstreams(upstream),
    }
    more = {"network.allow": ("--allow", tuple(allow)), "model.free": ("--free", tuple(free))}
    request = RunRequest(
        argv=tuple(agent_command),
        workspace=Path(workspace),
        policy=policy,
        options={path: pair for path, pair in options.items() if pair[1] is not None},
        more={path: pair for path, pair in more.items() if pair[1]},
        replay_model=replay_model,
        env=tuple(env),
        environ=dict(os.environ),
        interactive=all(
            stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
        ),
    )
    if dry_run:
        return _show_plan(request, as_json)
    return _run(request, quiet, as_json)


def _seconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    from microloop_cli.policy.durations import parse_duration

    try:
        return parse_duration(text)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from None


def _show_plan(request: RunRequest, as_json: bool) -> int:
    from microloop_cli.cli.output import write_json
    from microloop_cli.run.assemble import prepare
    from microloop_cli.run.clock import SystemClock
    from microloop_cli.run.dryrun import plan_document
    from microloop_cli.view.plan import plan_lines

    document = plan_document(prepare(request, SystemClock()))
    if as_json:
        write_json(document)
    else:
        typer.echo("\n".join(plan_lines(document)))
    return 0


def _run(request: RunRequest, quiet: bool, as_json: bool) -> int:
    from microloop_cli.cli.live import StatusLine
    from microloop_cli.cli.watching import Watching
    from microloop_cli.run.assemble import prepare
    from microloop_cli.run.clock import SystemClock
    from microloop_cli.run.execute import execute

    clock = SystemClock()
    prepared = prepare(request, clock)
    line = StatusLine(quiet=quiet or as_json)
    try:
        watching = Watching(line)
        finished = execute(prepared, clock, watching, _summarise)
        line.stop(_last_line(finished.ended, prepared.run_id, watching.cost))
    finally:
        line.stop()
    if as_json:
        _tell_as_json(prepared.run_id, finished.bundle, finished.ended)
    if finished.error is not None:
        raise finished.error
    return finished.ended.exit_code


def _last_line(ended: Ended, run_id: str, cost: str) -> str:
    """A stop has said its reason already, when it was decided."""
    reason = f": {ended.reason}" if ended.outcome in ("ended", "failed") else ""
    paid = f", {cost}" if cost else ""
    return f"{ended.outcome}, exit {ended.exit_code}{paid}{reason}; see microloop inspect {run_id}"


def _tell_as_json(run_id: str, bundle: Path, ended: Ended) -> None:
    """On stderr, for stdout is the agent's."""
    import msgspec

    document = {"run_id": run_id, "bundle": str(bundle), **msgspec.to_builtins(ended)}
    typer.echo(msgspec.json.encode(document).decode(), err=True)


def _summarise(bundle: Path, environment: Any, changes: Any) -> dict[str, Any]:
    from microloop_cli.bundle.reader import open_bundle
    from microloop_cli.view.runview import run_view
    from microloop_cli.view.summary import summary

    return summary(run_view(open_bundle(bundle).entries()), environment, changes)
