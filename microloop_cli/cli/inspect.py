"""`microloop inspect`: what a run did, or one of its steps."""

from __future__ import annotations

from typing import Any

import typer

from microloop_cli.bundle.harmless import harmless
from microloop_cli.bundle.reader import Bundle
from microloop_cli.cli.place import bundle_of
from microloop_cli.errors import UsageError
from microloop_cli.view.model import RunView, StepTree, StepView


def command(
    run: str | None = typer.Argument(None, help="A run id or its start; the latest run by default."),
    step: int | None = typer.Option(None, "--step", help="Show this step: command, process tree, output."),
    conversation: bool = typer.Option(
        False, "--conversation", help="Show it as it was asked: model calls, what they asked for, what ran."
    ),
    network: bool = typer.Option(False, "--network", help="Show each request that came to the proxy."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    show_all: bool = typer.Option(False, "--all", help="Collapse and leave out nothing."),
    workspace: str | None = typer.Option(None, "-C", "--workspace", help="The workspace of the run."),
) -> int:
    """Show what a run did: how it ended and why, its limits, steps, model calls, findings, changed files."""
    from microloop_cli.view.runview import run_view

    if sum((step is not None, conversation, network)) > 1:
        raise UsageError("--step, --conversation and --network are three things", hint="ask for one of them")
    bundle = bundle_of(run, workspace)
    view = run_view(bundle.entries(), tree_of=step, network_log=network)
    if conversation:
        _show_conversation(bundle, view, as_json, show_all)
    elif network:
        _show_network(bundle, view, as_json, show_all)
    elif step is None:
        _show_run(bundle, view, as_json, show_all)
    else:
        _show_step(bundle, view, _step_of(view, step), as_json, show_all)
    return 0


def _show_run(bundle: Bundle, view: RunView, as_json: bool, show_all: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines

    if as_json:
        from microloop_cli.view.summary import summary

        write_json({**summary(view, bundle.environment(), bundle.changes()), "bundle": _state(bundle)})
        return
    from microloop_cli.view.extras import read_changes, read_environment
    from microloop_cli.view.terminal import run_lines

    changes = bundle.changes()
    changed = None if changes is None else read_changes(changes)
    write_lines(run_lines(view, read_environment(bundle.environment()), changed, width(), show_all))
    _warn(bundle)


def _show_step(bundle: Bundle, view: RunView, step: StepView, as_json: bool, show_all: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines
    from microloop_cli.view.stepview import Kept, step_lines

    tree = view.tree or StepTree(step.n)
    outputs = tuple(
        Kept(name, stream, bundle.step_output(step.n, name) if stream is not None else None)
        for name, stream in _streams(bundle, step)
    )
    if as_json:
        from microloop_cli.view.summary import step_document

        write_json(step_document(view, step, tree, {kept.name: kept.content for kept in outputs}))
        return
    write_lines(step_lines(view, step, tree, outputs, width(), show_all))
    _warn(bundle)


def _show_conversation(bundle: Bundle, view: RunView, as_json: bool, show_all: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines

    if as_json:
        from microloop_cli.view.trafficdocs import conversation_document

        write_json(conversation_document(view))
        return
    from microloop_cli.view.conversation import conversation_lines

    write_lines(conversation_lines(view, width(), show_all))
    _warn(bundle)


def _show_network(bundle: Bundle, view: RunView, as_json: bool, show_all: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines

    if as_json:
        from microloop_cli.view.trafficdocs import log_document

        write_json(log_document(view))
        return
    from microloop_cli.view.networklog import network_lines

    write_lines(network_lines(view, width(), show_all))
    _warn(bundle)


def _streams(bundle: Bundle, step: StepView) -> list[tuple[Any, Any]]:
    if step.kind == "tool":  # no process ended: what was captured is told beside what was kept
        kept = bundle.step_streams(step.n)
        return [("stdout", kept.stdout if kept is not None else None)]
    if step.merged:
        return [("stdout", step.stdout)]
    return [("stdout", step.stdout), ("stderr", step.stderr)]


def _step_of(view: RunView, number: int) -> StepView:
    for step in view.steps:
        if step.n == number:
            return step
    known = f"the run has steps 1 to {view.steps[-1].n}" if view.steps else "the run has no steps"
    raise UsageError(f"there is no step {number}: {known}", hint="microloop inspect shows them")


def _state(bundle: Bundle) -> dict[str, Any]:
    damage = bundle.damage
    return {
        "path": str(bundle.path),
        "complete": bundle.complete,
        "damage": None
        if damage is None
        else {"line": damage.line, "detail": damage.detail, "torn": damage.torn},
    }


def _warn(bundle: Bundle) -> None:
    """On stderr, so that it is seen whatever stdout goes to."""
    if bundle.damage is not None:
        told = harmless(bundle.damage.detail[:400])
        typer.echo(f"microloop: the ledger is read up to line {bundle.damage.line}: {told}", err=True)
    elif not bundle.complete:
        typer.echo("microloop: the run left no manifest: it crashed, or still goes on", err=True)
