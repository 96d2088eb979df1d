"""Which workspace and which run a command is about."""

from __future__ import annotations

from pathlib import Path

from microloop_cli.bundle.paths import find_run, runs_dir
from microloop_cli.bundle.reader import Bundle, open_bundle
from microloop_cli.errors import UsageError


def workspace_of(named: str | None) -> Path:
    """The named directory, else the nearest from here upwards that has runs, else this one. UsageError."""
    if named is not None:
        path = Path(named)
        if not path.is_dir():
            raise UsageError(f"{named}: no such directory", hint="-C names the workspace of the run")
        return path.resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if runs_dir(folder).is_dir()), here)


def bundle_of(run: str | None, workspace: str | None) -> Bundle:
    """The bundle a command names: the latest run, or the one whose id starts so. RunNotFound, BundleError."""
    return open_bundle(find_run(workspace_of(workspace), run))
