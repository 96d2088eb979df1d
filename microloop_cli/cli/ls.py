"""`microloop ls`: the runs of a workspace."""

from __future__ import annotations

from pathlib import Path

import msgspec
import typer

from microloop_cli.bundle.paths import list_runs
from microloop_cli.bundle.reader import open_bundle
from microloop_cli.cli.place import workspace_of
from microloop_cli.errors import BundleError
from microloop_cli.view.dollars import exact
from microloop_cli.view.model import CRASHED
from microloop_cli.view.runlist import RunRow


class _Spent(msgspec.Struct, frozen=True):
    cost_usd: str | None = None
    unpriced_calls: int = 0


class _Brief(msgspec.Struct, frozen=True):
    """The parts of summary.json that a row shows."""

    outcome: str
    exit_code: int | None
    duration_seconds: float
    steps: list[msgspec.Raw]
    started_at: str = ""
    argv: tuple[str, ...] = ()
    model: _Spent = _Spent()


def command(
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    workspace: str | None = typer.Option(None, "-C", "--workspace", help="The workspace of the runs."),
) -> int:
    """List the runs of this workspace, oldest first: outcome, exit code, steps, duration, command."""
    from microloop_cli.cli.output import width, write_json, write_lines
    from microloop_cli.view.runlist import list_lines, row_document

    place = workspace_of(workspace)
    rows = [run_row(path) for path in list_runs(place)]
    if as_json:
        write_json([row_document(row) for row in rows])
    elif rows:
        write_lines(list_lines(rows, width()))
    else:
        typer.echo(f"no runs in {place}", err=True)
    return 0


def run_row(path: Path) -> RunRow:
    """One run: from its summary when it was completed, else from its ledger; never raises for content."""
    try:
        bundle = open_bundle(path)
        text = bundle.text("summary.json") if bundle.complete else None
        if text is not None:
            return _from_summary(path.name, text)
        from microloop_cli.view.runview import run_view

        view = run_view(bundle.entries())
    except BundleError as error:
        return RunRow(run_id=path.name, outcome="damaged", problem=error.message)
    return RunRow(
        run_id=path.name,
        started_at=view.started_at,
        argv=view.argv,
        outcome=view.outcome if bundle.complete else CRASHED,
        exit_code=view.exit_code,
        duration_seconds=view.used.wall_seconds,
        steps=view.used.steps,
        cost_usd=exact(view.model.cost_usd),
        unpriced_calls=view.model.unpriced,
    )


def _from_summary(run_id: str, text: str) -> RunRow:
    try:
        brief = msgspec.json.decode(text, type=_Brief)
    except msgspec.DecodeError as error:
        raise BundleError(f"summary.json is damaged: {error}") from error
    return RunRow(
        run_id=run_id,
        started_at=brief.started_at,
        argv=brief.argv,
        outcome=brief.outcome,
        exit_code=brief.exit_code,
        duration_seconds=brief.duration_seconds,
        steps=len(brief.steps),
        cost_usd=brief.model.cost_usd,
        unpriced_calls=brief.model.unpriced_calls,
    )
