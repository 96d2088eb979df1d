"""Where a run happens on the host: the workspace checked, the private directory of the channel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from microloop_cli.backends.environment import SEED_NAME
from microloop_cli.errors import HostError, UsageError

# A Unix socket's path has 107 bytes; a long TMPDIR leaves no room for it.
LONGEST_BASE_BYTES = 60


def checked_workspace(given: Path) -> Path:
    """The real, absolute path of the workspace; UsageError when it is missing or not writable."""
    workspace = given.resolve()
    if not workspace.exists():
        raise UsageError(
            f"the workspace {workspace} does not exist", hint="give a directory with --workspace"
        )
    if not workspace.is_dir():
        raise UsageError(f"the workspace {workspace} is not a directory", hint="give one with --workspace")
    if not os.access(workspace, os.W_OK | os.X_OK):
        raise UsageError(
            f"the workspace {workspace} is not writable by you",
            hint="the run's bundle is written there; change its permissions or copy it",
        )
    if workspace == Path("/"):
        raise UsageError("the whole file system cannot be a workspace", hint="run in a project's directory")
    return workspace


def channel_base(environ: dict[str, str]) -> Path:
    """The directory private ones are made in: the user's runtime directory, else the temporary one."""
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        base = environ.get(name, "")
        if base and len(os.fsencode(base)) <= LONGEST_BASE_BYTES and os.access(base, os.W_OK | os.X_OK):
            return Path(base)
    return Path("/tmp")  # a directory of mode 0700 with a random name is made in it


@contextmanager
def channel_dir(path: Path) -> Iterator[Path]:
    """The directory `path` (0700, must not exist) for as long as the run lasts; HostError."""
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise HostError(
            f"cannot make the channel's directory {path}: {error.strerror}",
            hint="set TMPDIR to a writable one",
        ) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def seed_home(folder: Path, files: Mapping[str, str]) -> None:
    """Files (path below HOME to content) that the agent is to find there, as `folder/home`; HostError.

    Others must be able to read them, whatever the umask is: the agent may be another user. `folder` itself is
    open to nobody else on the host.
    """
    for name, content in files.items():
        path = folder / SEED_NAME / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o644)
            for place in path.parents:
                if place == folder:
                    break
                place.chmod(0o755)
        except OSError as error:
            raise HostError(f"cannot write {path}: {error.strerror}", hint="make room there") from error
