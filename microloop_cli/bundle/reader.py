"""Reading a bundle, complete or left by a crash; whatever it holds, an error and never a hang."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from microloop_cli.bundle.contained import open_inside, read_inside
from microloop_cli.bundle.ledger import LINE_LIMIT_BYTES, Entry, LedgerProblem, parse_line
from microloop_cli.bundle.manifest import LEDGER_NAME, Manifest, read_manifest, refuse_later_schema
from microloop_cli.core.events import RunStarted, Stream
from microloop_cli.errors import BundleError

_JSON_LIMIT_BYTES = 64 * 1024 * 1024
_STEP_JSON_LIMIT_BYTES = 64 * 1024
OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024


class StepStreams(msgspec.Struct, frozen=True):
    """step.json: what was captured of a step; None for a stream that was not."""

    n: int
    stdout: Stream | None = None
    stderr: Stream | None = None


class Damage(msgspec.Struct, frozen=True):
    """Where the ledger stops being readable. `torn` says that only the last line is cut off."""

    line: int
    detail: str
    torn: bool


class Bundle:
    """One run's bundle. `damage` is known once `entries` has been read to its end."""

    def __init__(self, path: Path, manifest: Manifest | None) -> None:
        self.path = path
        self.manifest = manifest
        self.damage: Damage | None = None

    @property
    def run_id(self) -> str:
        return self.path.name if self.manifest is None else self.manifest.run_id

    @property
    def complete(self) -> bool:
        """Whether the run wrote its manifest; False after a crash, and while it is still going on."""
        return self.manifest is not None

    def entries(self) -> Iterator[Entry]:
        """The ledger line by line, up to the first line that cannot be read; that one is told by `damage`.

        BundleError when there is no ledger. The chain is not checked: `verify` does that.
        """
        self.damage = None
        number = 0
        for number, raw in enumerate(ledger_lines(self.path), start=1):
            if not raw.endswith(b"\n"):
                self.damage = Damage(number, _unended(raw), torn=len(raw) <= LINE_LIMIT_BYTES)
                return
            try:
                entry = parse_line(raw[:-1])
            except LedgerProblem as problem:
                self.damage = Damage(number, problem.message, torn=False)
                return
            yield entry

    def environment(self) -> Any:
        """environment.json as plain data, None when there is none; BundleError when it is damaged."""
        return self._json("environment.json")

    def summary(self) -> Any:
        """summary.json as plain data, None when there is none; BundleError when it is damaged."""
        return self._json("summary.json")

    def changes(self) -> Any:
        """workspace/changes.json as plain data, None when there is none; BundleError when it is damaged."""
        return self._json("workspace/changes.json")

    def text(self, name: str) -> str | None:
        """A text file of the bundle (policy.yaml), bytes that are no UTF-8 written as `\\xNN`; or None."""
        if not self._there(name):
            return None
        return read_inside(self.path, name, _JSON_LIMIT_BYTES).decode("utf-8", "backslashreplace")

    def step_streams(self, n: int) -> StepStreams | None:
        """What was captured of step `n`, None when nothing was kept; BundleError when it is damaged."""
        name = f"steps/{n:04d}/step.json"
        if not self._there(name):
            return None
        content = read_inside(self.path, name, _STEP_JSON_LIMIT_BYTES)
        try:
            return msgspec.json.decode(content, type=StepStreams)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BundleError(f"{self.path / name} is damaged: {error}") from error

    def step_output(self, n: int, stream: Literal["stdout", "stderr"]) -> bytes | None:
        """The kept bytes of a step's stream, head then tail; None when it was not captured. BundleError."""
        name = f"steps/{n:04d}/{stream}"
        return read_inside(self.path, name, OUTPUT_LIMIT_BYTES) if self._there(name) else None

    def _there(self, name: str) -> bool:
        path = self.path / name
        return path.exists() or path.is_symlink()

    def _json(self, name: str) -> Any:
        if not self._there(name):
            return None
        try:
            return msgspec.json.decode(read_inside(self.path, name, _JSON_LIMIT_BYTES))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BundleError(f"{self.path / name} is damaged: {error}") from error


def open_bundle(path: Path) -> Bundle:
    """The bundle in `path`. BundleError when it is none, is damaged at its start, or is of a later schema."""
    if not path.is_dir():
        raise BundleError(f"{path} is not the directory of a run", hint="`microloop ls` shows the runs")
    _refuse_later_ledger(path)
    return Bundle(path, read_manifest(path))


def ledger_lines(root: Path) -> Iterator[bytes]:
    """The ledger's lines, newlines kept; one that is too long comes cut off as the last. BundleError."""
    try:
        fd = open_inside(root, LEDGER_NAME)
    except OSError as error:
        raise BundleError(
            f"cannot read the ledger {root / LEDGER_NAME}: {error.strerror}",
            hint="without it nothing is known of the run",
        ) from error
    with open(fd, "rb") as file:
        while raw := file.readline(LINE_LIMIT_BYTES + 1):
            yield raw
            if not raw.endswith(b"\n"):
                return


def _refuse_later_ledger(root: Path) -> None:
    """The first event tells which schema and which microloop wrote the bundle, also when it crashed."""
    first = next(ledger_lines(root), b"")
    try:
        event = parse_line(first.rstrip(b"\n")).event
    except LedgerProblem:
        return
    if isinstance(event, RunStarted):
        refuse_later_schema(root, event.schema, event.microloop_version)


def _unended(raw: bytes) -> str:
    if len(raw) > LINE_LIMIT_BYTES:
        return f"the line is longer than {LINE_LIMIT_BYTES} bytes"
    return f"the last line is cut off after {len(raw)} bytes"
