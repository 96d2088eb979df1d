"""Two directories, a/ and b/, with the changed files as they were and as they are, for git to compare."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from microloop_cli.workspace.changes import Difference, only_mode
from microloop_cli.workspace.fingerprint import FileState, is_text
from microloop_cli.workspace.snapshot import HOLDS_SECRET, Snapshot

STAGED_LIMIT_BYTES = 64 * 1024 * 1024
_ATTRIBUTES = ".gitattributes"


class Staging:
    """Puts differences into `folder`/a and `folder`/b, as much as fits."""

    def __init__(self, folder: Path, snapshot: Snapshot, limit_bytes: int = STAGED_LIMIT_BYTES) -> None:
        self._folder, self._snapshot = folder, snapshot
        self._free_bytes = limit_bytes
        self.cut = False
        self.neutral_name = f".neutral-{secrets.token_hex(16)}"
        """Stands for `.gitattributes`, which git would obey where it lies."""
        self.renamed = False
        for side in ("a", "b"):
            (folder / side).mkdir()

    def add(self, difference: Difference) -> str | None:
        """Stage one difference; None when that was done, else why it is not in the patch."""
        path, before, after, content = difference
        if only_mode(before, after) and self._snapshot.secret_in(path) is None:
            return self._put(path, before, b"", after, b"")
        for state in (before, after):
            if state is not None and state.kind not in {"file", "symlink"}:
                return f"a {state.kind}"
            if state is not None and state.hashed == "none":
                return state.error or "unreadable"
        old = self._snapshot.content(path)
        if path in self._snapshot.withheld:
            return HOLDS_SECRET
        if before is not None and old is None:
            return "binary or large"
        if after is not None and not _is_whole(after, content):
            return "large"
        if after is not None and not is_text(content):
            return "binary"
        secret = self._snapshot.secret_in(path, content)
        if secret is not None:
            return secret
        return self._put(path, before, old or b"", after, content)

    def _put(
        self, path: str, before: FileState | None, old: bytes, after: FileState | None, new: bytes
    ) -> str | None:
        if len(old) + len(new) > self._free_bytes:
            self.cut = True
            return "the patch is full"
        self._free_bytes -= len(old) + len(new)
        name = self._neutral(path)
        try:
            self._write("a", name, before, old)
            self._write("b", name, after, new)
        except OSError as error:
            for side in ("a", "b"):
                (self._folder / side / name).unlink(missing_ok=True)
            return f"cannot be compared: {error.strerror}"
        return None

    def _neutral(self, path: str) -> str:
        parts = path.split("/")
        if _ATTRIBUTES not in parts:
            return path
        self.renamed = True
        return "/".join(self.neutral_name if part == _ATTRIBUTES else part for part in parts)

    def _write(self, side: str, name: str, state: FileState | None, content: bytes) -> None:
        if state is None:
            return
        path = self._folder / side / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if state.kind == "symlink":
            path.symlink_to(os.fsdecode(content))
            return
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o700 if state.mode & 0o100 else 0o600)


def _is_whole(state: FileState, content: bytes) -> bool:
    return state.hashed == "whole" and (state.size == 0 or bool(content))
