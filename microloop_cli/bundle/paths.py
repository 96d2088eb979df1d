"""Where runs lie: run ids, the runs of a workspace, finding one, making the directory of a new one."""

from __future__ import annotations

import os
import re
import stat
from datetime import datetime
from pathlib import Path

from microloop_cli.errors import BundleError, RunNotFound, UsageError

HOME_NAME = ".microloop"
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_NEAR_RUNS = 5


def new_run_id(now_utc: datetime, token: str) -> str:
    """`YYYYMMDD-HHMMSS-xxxxxx` from a UTC time and six hex digits; ValueError for anything else."""
    run_id = f"{now_utc:%Y%m%d-%H%M%S}-{token}"
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"not a run id: {run_id!r}")
    return run_id


def runs_dir(workspace: Path) -> Path:
    return workspace / HOME_NAME / "runs"


def list_runs(workspace: Path) -> list[Path]:
    """The run directories of a workspace, oldest first; links and other names are not runs."""
    try:
        with os.scandir(runs_dir(workspace)) as entries:
            found = [
                (entry.name[:15], entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in entries
                if _RUN_ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BundleError(f"cannot list {runs_dir(workspace)}: {error.strerror}") from error
    return [runs_dir(workspace) / name for _, _, name in sorted(found)]


def find_run(workspace: Path, prefix: str | None = None) -> Path:
    """The run `prefix` names: the latest without one, a bundle's path, or the start of one run id.

    RunNotFound when there is none or more than one; it names the runs that come near.
    """
    if prefix is not None and "/" in prefix:
        return _run_at(Path(prefix))
    runs = list_runs(workspace)
    if not runs:
        raise RunNotFound(
            f"there are no runs in {workspace}",
            hint="start one with `microloop run -- COMMAND`, or go to the workspace it ran in",
        )
    if prefix is None:
        return runs[-1]
    matching = [run for run in runs if run.name.startswith(prefix)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise RunNotFound(
            f"{prefix!r} fits {len(matching)} runs: {_names(matching)}", hint="give more of the run id"
        )
    raise RunNotFound(
        f"no run {prefix!r} in {workspace}", hint=f"the nearest are {_names(_near(prefix, runs))}"
    )


def create_run_dir(workspace: Path, run_id: str) -> Path:
    """Make `.microloop/runs/<run_id>` (0700) and `.microloop/.gitignore`; UsageError or BundleError."""
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"not a run id: {run_id!r}")
    if not workspace.is_dir():
        raise UsageError(f"the workspace {workspace} is not a directory", hint="give one that exists")
    home = workspace / HOME_NAME
    run = runs_dir(workspace) / run_id
    try:
        _real_directory(home)
        _ignore_everything(home / ".gitignore")
        _real_directory(runs_dir(workspace))
        run.mkdir(mode=0o700)
    except FileExistsError as error:
        raise BundleError(f"the run directory {run} is already there", hint="start the run again") from error
    except OSError as error:
        raise BundleError(
            f"cannot make the run directory {run}: {error.strerror}",
            hint=f"the user who runs microloop must be able to write to {workspace}",
        ) from error
    return run


def _run_at(path: Path) -> Path:
    if not path.is_dir():
        raise RunNotFound(
            f"{path} is not the directory of a run", hint="give a run id or the path of a bundle"
        )
    return path


def _real_directory(path: Path) -> None:
    """A link here could send the evidence anywhere: the workspace may hold what an earlier agent left."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise BundleError(
                f"{path} is in the way: it is not a directory", hint="move it away and start the run again"
            ) from None


def _ignore_everything(path: Path) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with open(fd, "wb") as file:
        file.write(b"*\n")


def _near(prefix: str, runs: list[Path]) -> list[Path]:
    def shared(run: Path) -> int:
        same = [mine == theirs for mine, theirs in zip(prefix, run.name, strict=False)]
        return [*same, False].index(False)

    return sorted(runs, key=shared, reverse=True)[:_NEAR_RUNS]


def _names(runs: list[Path]) -> str:
    shown = [run.name for run in runs[:_NEAR_RUNS]]
    return ", ".join(shown) + (" and more" if len(runs) > len(shown) else "")
