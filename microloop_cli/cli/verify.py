"""`microloop verify`: whether a bundle is whole and unchanged."""

from __future__ import annotations

import typer

from microloop_cli.bundle.paths import find_run
from microloop_cli.cli.place import workspace_of


def command(
    run: str | None = typer.Argument(None, help="A run id or its start; the latest run by default."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    workspace: str | None = typer.Option(None, "-C", "--workspace", help="The workspace of the run."),
) -> int:
    """Check the chain, all hashes, that nothing is missing or added. Exit code 1 when something is wrong."""
    from microloop_cli.bundle.harmless import harmless
    from microloop_cli.bundle.verify import verify

    path = find_run(workspace_of(workspace), run)
    result = verify(path)
    if as_json:
        import msgspec

        from microloop_cli.cli.output import write_json

        write_json({"run": str(path), **msgspec.to_builtins(result)})
    elif result.ok:
        typer.echo(
            f"ok: {path.name}: {result.events:,} events, {result.files:,} files, {result.bytes:,} bytes"
        )
    else:
        first = result.problems[0]
        typer.echo(harmless(f"{first.what}: {first.detail}"))
        if len(result.problems) > 1:
            typer.echo(f"and {len(result.problems) - 1:,} more; --json names them all")
    return 0 if result.ok else 1
