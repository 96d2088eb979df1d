"""changes.json and changes.patch: what the run did to the workspace, in a form `git apply` takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

from microloop_cli.bundle.files import write_whole
from microloop_cli.bundle.harmless import harmless
from microloop_cli.errors import BundleError
from microloop_cli.workspace.changes import FileChange, described, differences
from microloop_cli.workspace.fingerprint import weight
from microloop_cli.workspace.snapshot import HOLDS_SECRET, NAMES_SECRET, Snapshot, epoch_name
from microloop_cli.workspace.staging import STAGED_LIMIT_BYTES, Staging

PATCH_NAME = "changes.patch"
CHANGES_NAME = "changes.json"
MOST_NAMED = 100
GIT_SECONDS = 60.0
_DIFF = [
    "diff",
    "--no-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--no-prefix",
    "--text",
]


class Changes(msgspec.Struct, frozen=True, omit_defaults=True):
    """changes.json. `patch` is the patch file's name, or None with the reason in `no_patch`.

    `cut` says that there was more than a patch may hold: `left_out` of a change names each such file.
    `hidden` are directories that could not be looked into at the end.
    """

    epoch_before: str
    epoch_after: str
    changes: tuple[FileChange, ...]
    patch: str | None = None
    no_patch: str = ""
    cut: bool = False
    hidden: tuple[str, ...] = ()


def make_patch(snapshot: Snapshot, out_dir: Path, *, limit_bytes: int = STAGED_LIMIT_BYTES) -> Changes:
    """Compare the workspace with `snapshot`; write changes.json and, where text changed, changes.patch.

    Applied with `git apply` to the workspace as it was, the patch gives it as it is, but for the files that
    changes.json says are not in it: those with secrets are not, and its first lines name them. git runs over
    copies, with nobody's configuration. BundleError when `out_dir` cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="microloop-") as folder:
            changes = _compare(snapshot, Path(os.path.realpath(folder)), out_dir, limit_bytes)
        write_whole(
            out_dir / CHANGES_NAME, msgspec.json.format(msgspec.json.encode(changes), indent=1) + b"\n"
        )
    except OSError as error:
        raise BundleError(
            f"cannot write the changes of the workspace to {out_dir}: {error.strerror}",
            hint=f"make room on the disks of {out_dir} and {tempfile.gettempdir()}",
        ) from error
    return changes


def _compare(snapshot: Snapshot, folder: Path, out_dir: Path, limit_bytes: int) -> Changes:
    staging = Staging(folder, snapshot, limit_bytes)
    total, found = snapshot.total, []
    hidden: list[str] = []
    for difference in differences(snapshot, hidden):
        path, before, after, _ = difference
        total += (weight(path, after) if after else 0) - (weight(path, before) if before else 0)
        found.append(described(snapshot, difference, staging.add(difference)))
    found.sort(key=lambda change: change.path)
    not_seen = tuple(snapshot.shown(path)[0] for path in hidden)
    changes = Changes(snapshot.epoch, epoch_name(total), tuple(found), cut=staging.cut, hidden=not_seen)
    if not any(change.in_patch for change in found):
        return changes
    secret = [change.path for change in found if change.left_out in {HOLDS_SECRET, NAMES_SECRET}]
    failure = _diff(snapshot.root, folder, staging, out_dir / PATCH_NAME, _header(secret))
    if failure is None:
        return msgspec.structs.replace(changes, patch=PATCH_NAME)
    unpatched = tuple(
        msgspec.structs.replace(change, in_patch=False, left_out=change.left_out or failure)
        for change in found
    )
    return msgspec.structs.replace(changes, changes=unpatched, no_patch=failure)


def _header(secret: list[str]) -> bytes:
    """What `git apply` passes over: the files of which nothing is told, for secrets are in them."""
    shown = [harmless(path).replace("\n", "\\n") for path in secret[:MOST_NAMED]]
    lines = [f"# not in this patch, for it holds a secret: {path}\n" for path in shown]
    if len(secret) > MOST_NAMED:
        lines.append(f"# and {len(secret) - MOST_NAMED} more: see {CHANGES_NAME}\n")
    return "".join(lines).encode("utf-8", "backslashreplace")


def _diff(root: str, folder: Path, staging: Staging, target: Path, header: bytes) -> str | None:
    """Write the patch from the staged directories; None, or why there is none."""
    git = _find_git(root)
    if git is None:
        return "git is not installed"
    draft = folder / "patch"
    with draft.open("wb") as patch:
        try:
            done = subprocess.run(
                [git, "-c", "core.attributesFile=/dev/null", *_DIFF, "a", "b"],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=patch,
                stderr=subprocess.PIPE,
                timeout=GIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"git needed more than {GIT_SECONDS:.0f} seconds"
        except OSError as error:
            return f"git cannot be run: {error.strerror}"
    if done.returncode not in {0, 1}:
        return f"git failed: {done.stderr.decode(errors='backslashreplace').strip()[:500]}"
    content = draft.read_bytes()
    if staging.renamed:
        content = content.replace(staging.neutral_name.encode(), b".gitattributes")
    write_whole(target, header + content)
    return None


def _environment(folder: Path) -> dict[str, str]:
    """No configuration, attributes or repository of anybody: each of them can name programs to run."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_DIR": str(folder / "no-repository"),
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_PAGER": "cat",
    }


def _find_git(root: str) -> str | None:
    """git from the user's PATH, but never from the workspace: the agent could have put it there."""
    safe = [
        folder
        for folder in os.get_exec_path()
        if folder.startswith("/") and not f"{os.path.realpath(folder)}/".startswith(f"{root}/")
    ]
    return shutil.which("git", path=os.pathsep.join(safe)) if safe else None
