"""`microloop replay RUN|FILE`: an old run judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from microloop_cli.cli.judging import own_settings, place_named, settings_for
from microloop_cli.errors import UsageError

if TYPE_CHECKING:
    from microloop_cli.core.evaluation.trajectory import Trajectory
    from microloop_cli.view.replays import Replayed

DIFFERENT = 1


def command(
    run: str | None = typer.Argument(
        None, metavar="[RUN|FILE]", help="A run id or its start, a bundle, or a file with recorded runs."
    ),
    policy: str | None = typer.Option(
        None, metavar="NAME|FILE", help="Judge under this policy; a bundle's own by default."
    ),
    run_id: str | None = typer.Option(None, "--id", help="Which run of a FILE that holds several."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    show_all: bool = typer.Option(False, "--all", help="Show every finding."),
    workspace: str | None = typer.Option(None, "-C", "--workspace", help="The workspace of the run."),
) -> int:
    """Judge an old run again: what would have happened when, and what it would have saved.

    FILE: runs as JSON lines (.gz too), or a trajectory of mini-swe-agent or SWE-agent. Without --policy a
    bundle is judged under its own policy and the verdicts are compared with those it records: exit code 0
    when they are the same, 1 when one is not. Else 0.
    """
    place = place_named(run, workspace)
    if place.is_dir():
        if run_id is not None:
            raise UsageError("--id chooses a run of a file, but this is a bundle", hint="leave it out")
        replayed = _bundle(place, policy)
    else:
        replayed = _trajectory(place, policy, run_id)
    _show(replayed, as_json, show_all)
    return DIFFERENT if replayed.difference is not None else 0


def _bundle(path: Path, policy: str | None) -> Replayed:
    from microloop_cli.bundle.reader import open_bundle
    from microloop_cli.bundle.recorded import recorded_events
    from microloop_cli.core.evaluation.refold import refold
    from microloop_cli.core.replay import replay
    from microloop_cli.view.replays import Replayed

    bundle = open_bundle(path)
    settings = own_settings(bundle) if policy is None else settings_for(policy, bundle)
    own = policy is None
    seen = refold(settings, recorded_events(bundle), own_policy=own)
    difference = replay(settings, recorded_events(bundle)).difference if own else None
    if bundle.damage is not None:
        from microloop_cli.bundle.harmless import harmless

        told = harmless(bundle.damage.detail[:400])
        typer.echo(f"microloop: the ledger is read up to line {bundle.damage.line}: {told}", err=True)
    return Replayed(
        run=bundle.run_id,
        source="bundle",
        policy=policy or "its own policy",
        compared=own,
        hindsight=seen,
        difference=difference,
    )


def _trajectory(path: Path, policy: str | None, run_id: str | None) -> Replayed:
    from microloop_cli.core.evaluation.hindsight import hindsight
    from microloop_cli.view.replays import Replayed

    rules = settings_for(policy).progress
    run = _chosen(path, run_id)
    return Replayed(
        run=run.id,
        source="trajectory",
        policy=policy or "default",
        compared=False,
        hindsight=hindsight(run, rules),
    )


def _chosen(path: Path, run_id: str | None) -> Trajectory:
    """The run with this id, or the only one. UsageError names some when there are others."""
    from microloop_cli.bundle.corpus import read_corpus

    chosen: Trajectory | None = None
    for run in read_corpus(path):
        if run_id is not None:
            if run.id == run_id:
                return run
        elif chosen is not None:
            raise UsageError(
                f"{path} holds several runs; --id names one", hint=f"--id {chosen.id}, --id {run.id}, ..."
            )
        chosen = run
    if run_id is not None or chosen is None:
        raise UsageError(f"{path} holds no run with the id {str(run_id)[:100]!r}")
    return chosen


def _show(replayed: Replayed, as_json: bool, show_all: bool) -> None:
    from microloop_cli.cli.output import width, write_json, write_lines
    from microloop_cli.view.replays import replay_document, replay_lines

    if as_json:
        write_json(replay_document(replayed))
    else:
        write_lines(replay_lines(replayed, width(), show_all))
