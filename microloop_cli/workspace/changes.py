"""What differs between the snapshot and the workspace as it is now, file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from microloop_cli.workspace.fingerprint import (
    FileState,
    fingerprint,
    same_stat,
    weight,
)
from microloop_cli.workspace.snapshot import Snapshot
from microloop_cli.workspace.walk import below, walk


class Difference(NamedTuple):
    """A path whose state is not the one of the snapshot; `content` is a small file's or link's new one."""

    path: str
    before: FileState | None
    after: FileState | None
    content: bytes


class FileChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of changes.json. "mode" is a change of the execute bit alone.

    Of `before` and `after` those are there that apply. `in_patch` is False with the reason in `left_out`.
    """

    path: str
    kind: Literal["added", "modified", "deleted", "mode"]
    type_before: str = ""
    type_after: str = ""
    bytes_before: int | None = None
    bytes_after: int | None = None
    sha256_before: str = ""
    sha256_after: str = ""
    mode_before: str = ""
    mode_after: str = ""
    path_hex: str = ""
    in_patch: bool = False
    left_out: str = ""


def differences(snapshot: Snapshot, hidden: list[str]) -> Iterator[Difference]:
    """Compare the whole workspace: first what is there and differs, then what is gone.

    `hidden` is filled with the directories that cannot be looked into; what was there is not compared.
    """
    gone = dict(snapshot.files)
    for folder in walk(snapshot.root, snapshot.rules, failed=lambda path, _: hidden.append(path)):
        for entry in folder.entries:
            path = below(folder.path, entry.name)
            before = gone.pop(path, None)
            if before is not None and _untouched(before, entry):
                continue
            after, content = fingerprint(entry.name, folder.fd)
            if _weight(path, before) != _weight(path, after):
                yield Difference(path, before, after, content)
    for path, before in gone.items():
        if not _is_below(path, hidden):
            yield Difference(path, before, None, b"")


def described(snapshot: Snapshot, difference: Difference, left_out: str | None) -> FileChange:
    """The line of changes.json; `left_out` None for a change that is in the patch."""
    path, before, after, _ = difference
    shown, path_hex = snapshot.shown(path)
    return FileChange(
        shown,
        _kind(before, after),
        type_before=before.kind if before else "",
        type_after=after.kind if after else "",
        bytes_before=before.size if before else None,
        bytes_after=after.size if after else None,
        sha256_before=before.digest.hex() if before else "",
        sha256_after=after.digest.hex() if after else "",
        mode_before=f"{before.mode:04o}" if before else "",
        mode_after=f"{after.mode:04o}" if after else "",
        path_hex=path_hex,
        in_patch=left_out is None,
        left_out=left_out or "",
    )


def only_mode(before: FileState | None, after: FileState | None) -> bool:
    """Whether a file is the same but for its execute bit."""
    return (
        before is not None
        and after is not None
        and before.kind == after.kind == "file"
        and before.hashed == after.hashed != "none"
        and before.digest == after.digest
    )


def _kind(
    before: FileState | None, after: FileState | None
) -> Literal["added", "modified", "deleted", "mode"]:
    if before is None:
        return "added"
    if after is None:
        return "deleted"
    return "mode" if only_mode(before, after) else "modified"


def _weight(path: str, state: FileState | None) -> int:
    return 0 if state is None else weight(path, state)


def _untouched(before: FileState, entry: os.DirEntry[str]) -> bool:
    try:
        return same_stat(before, entry.stat(follow_symlinks=False))
    except OSError:
        return False


def _is_below(path: str, folders: list[str]) -> bool:
    """What lies in a directory that cannot be listed any more is not known to be gone."""
    return any(not folder or path.startswith(folder + "/") for folder in folders)
