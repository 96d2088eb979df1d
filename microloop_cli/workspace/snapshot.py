"""The workspace before the run: what every file was, contents of small text files, the epoch."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from microloop_cli.errors import BundleError, UsageError
from microloop_cli.workspace.fingerprint import (
    FileState,
    clock_of,
    fingerprint,
    is_text,
    is_utf8,
    outward,
    weight,
)
from microloop_cli.workspace.ignore import IgnoreRules
from microloop_cli.workspace.walk import below, walk

PACK_NAME = "before.pack"
LIST_NAME = "before.jsonl"
PACK_LIMIT_BYTES = 1024 * 1024 * 1024
_PROGRESS_EVERY = 1000
_EPOCH_BITS = 128
_BUFFER_BYTES = 1024 * 1024


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of before.jsonl: a file, or a directory that could not be looked into.

    `pack` is offset and length in before.pack; `path_hex` the bytes of a name that is no UTF-8.
    """

    path: str
    kind: str
    mode: str
    bytes: int
    mtime_ns: int
    sha256: str = ""
    hashed: str = "whole"
    pack: tuple[int, int] | None = None
    path_hex: str = ""
    error: str = ""


@dataclass(frozen=True)
class Snapshot:
    """`files` by path from `root`, bytes that are no UTF-8 surrogate-escaped; `dirs` all that were entered.

    `packed` says where in the pack a file's content (or a link's target) lies; `unlisted` which directories
    could not be looked into, and why.
    """

    root: str
    rules: IgnoreRules
    files: dict[str, FileState]
    dirs: list[str]
    total: int
    packed: dict[str, tuple[int, int]]
    unlisted: dict[str, str]
    store: Path

    @property
    def epoch(self) -> str:
        return epoch_name(self.total)

    def content(self, path: str) -> bytes | None:
        """What a file (or a link's target) was, None when it was not kept; BundleError."""
        if path not in self.packed:
            return None
        offset, length = self.packed[path]
        try:
            with (self.store / PACK_NAME).open("rb") as pack:
                pack.seek(offset)
                return pack.read(length)
        except OSError as error:
            raise BundleError(f"cannot read {self.store / PACK_NAME}: {error.strerror}") from error


def epoch_name(total: int) -> str:
    """The name of a state of the workspace: the sum of its files' weights, whatever their order."""
    return f"{total % (1 << _EPOCH_BITS):032x}"


def take_snapshot(
    workspace: Path, rules: IgnoreRules, store: Path, progress: Callable[[int], None] | None = None
) -> Snapshot:
    """Read the whole workspace into before.jsonl and before.pack in the directory `store`.

    `progress` is called with the number of files done so far, now and then. Files that vanish, cannot be read
    or are no files are recorded; nothing in the workspace raises. UsageError when the workspace is no
    directory, BundleError when the store cannot be written.
    """
    root = os.path.realpath(workspace)
    if not workspace.is_dir():
        raise UsageError(f"the workspace {workspace} is not a directory", hint="give one that exists")
    try:
        with _new(store / LIST_NAME) as listing, _new(store / PACK_NAME) as pack:
            return _Taking(root, rules, store, listing, pack).take(progress)
    except OSError as error:
        raise BundleError(
            f"cannot write the snapshot of the workspace to {store}: {error.strerror}",
            hint=f"make room on the disk of {store}, or ignore large paths in the policy",
        ) from error


class _Taking:
    """A snapshot in the making."""

    def __init__(self, root: str, rules: IgnoreRules, store: Path, listing: BinaryIO, pack: BinaryIO) -> None:
        self._listing, self._pack = listing, pack
        self._packed_bytes = 0
        self._encoder = msgspec.json.Encoder()
        self._made = Snapshot(root, rules, {}, [], 0, {}, {}, store)

    def take(self, progress: Callable[[int], None] | None) -> Snapshot:
        made, total = self._made, 0
        clock_ns = clock_of(self._listing.fileno())
        for folder in walk(made.root, made.rules, failed=self._unlisted):
            made.dirs.append(folder.path)
            for entry in folder.entries:
                path = below(folder.path, entry.name)
                state, content = fingerprint(entry.name, folder.fd, clock_ns)
                if state is None:
                    continue
                made.files[path] = state
                total += weight(path, state)
                self._record(path, state, content)
                if progress is not None and len(made.files) % _PROGRESS_EVERY == 0:
                    progress(len(made.files))
        return Snapshot(
            made.root, made.rules, made.files, made.dirs, total, made.packed, made.unlisted, made.store
        )

    def _record(self, path: str, state: FileState, content: bytes) -> None:
        pack = self._keep(path, state, content)
        line = Listed(
            outward(path),
            state.kind,
            f"{state.mode:04o}",
            state.size,
            state.mtime_ns,
            state.digest.hex(),
            state.hashed,
            pack,
            "" if is_utf8(path) else os.fsencode(path).hex(),
            state.error,
        )
        self._listing.write(self._encoder.encode(line) + b"\n")

    def _keep(self, path: str, state: FileState, content: bytes) -> tuple[int, int] | None:
        if state.hashed != "whole" or (state.size and not content) or not is_text(content):
            return None
        if self._packed_bytes + len(content) > PACK_LIMIT_BYTES:
            return None
        place = (self._packed_bytes, len(content))
        self._pack.write(content)
        self._packed_bytes += len(content)
        self._made.packed[path] = place
        return place

    def _unlisted(self, path: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        self._made.unlisted[path] = reason
        name_hex = "" if is_utf8(path) else os.fsencode(path).hex()
        line = Listed(outward(path), "directory", "", 0, 0, hashed="none", path_hex=name_hex, error=reason)
        self._listing.write(self._encoder.encode(line) + b"\n")


def _new(path: Path) -> BinaryIO:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return open(fd, "wb", buffering=_BUFFER_BYTES)
