"""The workspace before the run: what every file was, contents of small text files, the epoch."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from microloop_cli.bundle.redaction import Redactor
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
HOLDS_SECRET = "not kept: holds a secret"
NAMES_SECRET = "not kept: its name holds a secret"
_PROGRESS_EVERY = 1000
_EPOCH_BITS = 128
_BUFFER_BYTES = 1024 * 1024


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of before.jsonl: a file, or a directory that could not be looked into.

    `pack` is offset and length in before.pack; `path_hex` the bytes of a name that is no UTF-8. `not_kept`
    says why the content is not there, where a small text file's would be.
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
    not_kept: str = ""


@dataclass(frozen=True)
class Snapshot:
    """`files` by path from `root`, bytes that are no UTF-8 surrogate-escaped; `dirs` all that were entered.

    `packed` says where in the pack a file's content (or a link's target) lies; `unlisted` which directories
    could not be looked into, and why; `redactor` finds what nothing may hold
    that is kept, `withheld` are the files for which that was so.
    """

    root: str
    rules: IgnoreRules
    files: dict[str, FileState]
    dirs: list[str]
    total: int
    packed: dict[str, tuple[int, int]]
    unlisted: dict[str, str]
    store: Path
    redactor: Redactor | None = None
    withheld: set[str] = field(default_factory=set)

    @property
    def epoch(self) -> str:
        return epoch_name(self.total)

    def secret_in(self, path: str, *contents: bytes) -> str | None:
        """Why a file of this name with these contents is not kept; None when it may be."""
        if self.redactor is None:
            return None
        if any(self.redactor.holds_secret(content) for content in contents):
            return HOLDS_SECRET
        return NAMES_SECRET if self.redactor.holds_secret(os.fsencode(path)) else None

    def shown(self, path: str) -> tuple[str, str]:
        """A path as it is written down, and its bytes in hex when they are no UTF-8; without secrets."""
        safe = path if self.redactor is None else self.redactor.text(path)
        return outward(safe), "" if is_utf8(path) or safe != path else os.fsencode(path).hex()

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
    workspace: Path,
    rules: IgnoreRules,
    store: Path,
    progress: Callable[[int], None] | None = None,
    redactor: Redactor | None = None,
) -> Snapshot:
    """Read the whole workspace into before.jsonl and before.pack in the directory `store`.

    `progress` is called with the number of files done so far, now and then. Files that vanish, cannot be read
    or are no files are recorded; of those that hold a secret (see `redactor`) only the hash is kept; nothing
    in the workspace raises. UsageError when the workspace is no directory, BundleError when the store cannot
    be written.
    """
    root = os.path.realpath(workspace)
    if not workspace.is_dir():
        raise UsageError(f"the workspace {workspace} is not a directory", hint="give one that exists")
    try:
        with _new(store / LIST_NAME) as listing, _new(store / PACK_NAME) as pack:
            return _Taking(root, rules, store, listing, pack, redactor).take(progress)
    except OSError as error:
        raise BundleError(
            f"cannot write the snapshot of the workspace to {store}: {error.strerror}",
            hint=f"make room on the disk of {store}, or ignore large paths in the policy",
        ) from error


class _Taking:
    """A snapshot in the making."""

    def __init__(
        self,
        root: str,
        rules: IgnoreRules,
        store: Path,
        listing: BinaryIO,
        pack: BinaryIO,
        redactor: Redactor | None,
    ) -> None:
        self._listing, self._pack = listing, pack
        self._packed_bytes = 0
        self._encoder = msgspec.json.Encoder()
        self._made = Snapshot(root, rules, {}, [], 0, {}, {}, store, redactor)

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
        return replace(made, total=total)

    def _record(self, path: str, state: FileState, content: bytes) -> None:
        pack, not_kept = self._keep(path, state, content)
        shown, path_hex = self._made.shown(path)
        line = Listed(
            shown,
            state.kind,
            f"{state.mode:04o}",
            state.size,
            state.mtime_ns,
            state.digest.hex(),
            state.hashed,
            pack,
            path_hex,
            state.error,
            not_kept,
        )
        self._listing.write(self._encoder.encode(line) + b"\n")

    def _keep(self, path: str, state: FileState, content: bytes) -> tuple[tuple[int, int] | None, str]:
        """Where the content is kept, or a word on why it is not."""
        if state.hashed != "whole" or (state.size and not content) or not is_text(content):
            return None, ""
        if self._packed_bytes + len(content) > PACK_LIMIT_BYTES:
            return None, ""
        secret = self._made.secret_in(path, content)
        if secret is not None:
            self._made.withheld.add(path)
            return None, secret
        place = (self._packed_bytes, len(content))
        self._pack.write(content)
        self._packed_bytes += len(content)
        self._made.packed[path] = place
        return place, ""

    def _unlisted(self, path: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        self._made.unlisted[path] = reason
        shown, path_hex = self._made.shown(path)
        line = Listed(shown, "directory", "", 0, 0, hashed="none", path_hex=path_hex, error=reason)
        self._listing.write(self._encoder.encode(line) + b"\n")


def _new(path: Path) -> BinaryIO:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return open(fd, "wb", buffering=_BUFFER_BYTES)
