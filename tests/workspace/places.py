"""A workspace and what watches it, for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.patch import Changes, make_patch
from microloop_cli.workspace.snapshot import Snapshot, take_snapshot
from microloop_cli.workspace.watch import NAMED_PATHS, WorkspaceWatch

PATTERNS = ("node_modules/", "__pycache__/", "*.pyc", "!kept.pyc")


def snapshot_of(place: Path, patterns: Iterable[str] = PATTERNS, store: str = "store") -> Snapshot:
    folder = place.parent / store
    folder.mkdir(exist_ok=True)
    for name in ("before.jsonl", "before.pack"):
        (folder / name).unlink(missing_ok=True)
    return take_snapshot(place, IgnoreRules(patterns), folder)


def epoch_of(place: Path) -> str:
    """The epoch a fresh snapshot gives: what every watch must agree with."""
    return snapshot_of(place, store="fresh").epoch


def changes_of(snapshot: Snapshot) -> Changes:
    out = snapshot.store.parent / "out"
    out.mkdir(exist_ok=True)
    for name in ("changes.json", "changes.patch"):
        (out / name).unlink(missing_ok=True)
    return make_patch(snapshot, out)


@dataclass
class Watched:
    """A workspace with a running watch."""

    place: Path
    watch: WorkspaceWatch

    def write(self, name: str, content: str | bytes = "x") -> Path:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def changed(self) -> list[str]:
        """The paths of the change that settling gives; the epoch must be that of a fresh snapshot."""
        before = self.watch.epoch
        change = self.watch.settle()
        assert self.watch.epoch == epoch_of(self.place)
        if change is None:
            assert self.watch.epoch == before
            return []
        assert change.epoch == self.watch.epoch
        assert len(change.deltas) == len(change.paths) == min(change.count, NAMED_PATHS)
        if change.count <= NAMED_PATHS:
            assert less(change.epoch, *change.deltas) == before
        return list(change.paths)


def less(epoch: str, *deltas: str) -> str:
    """An epoch without some changes: the arithmetic that WorkspaceChanged promises."""
    return f"{(int(epoch, 16) - sum(int(delta, 16) for delta in deltas)) % (1 << 128):032x}"


def ordinary_user() -> int:
    """A user id that is not root, for what root may always do."""
    return 65534 if os.geteuid() == 0 else os.geteuid()
