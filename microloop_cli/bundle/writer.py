"""Writing a bundle: the ledger handed to the OS at once and synced in batches, files, the manifest last."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from microloop_cli.bundle.behind import Behind
from microloop_cli.bundle.contained import inside_parts
from microloop_cli.bundle.files import write_whole
from microloop_cli.bundle.ledger import FIRST_PREV, encode_line
from microloop_cli.bundle.manifest import BUNDLE_SCHEMA, LEDGER_NAME, MANIFEST_NAME, Manifest, records_of
from microloop_cli.bundle.model_records import FOLDER, About, file_names
from microloop_cli.bundle.redaction import Redactor
from microloop_cli.core.actions import Decision
from microloop_cli.core.events import Stream
from microloop_cli.core.fact import Fact
from microloop_cli.errors import BundleError

SYNC_AFTER_SECONDS = 0.15
_LEDGER = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class KeptOutput(msgspec.Struct, frozen=True):
    """One stream of a step: what is known of the whole, and the bytes that were kept of it."""

    stream: Stream
    head: bytes
    tail: bytes = b""


class BundleWriter:
    """Writes one run's bundle into a directory of its own. One thread appends; another only syncs."""

    def __init__(self, run_dir: Path, redactor: Redactor | None = None) -> None:
        """redactor: takes the secrets out of documents; events and outputs must come without them."""
        self._redactor = redactor
        self.path = run_dir
        self.run_id = run_dir.name
        self._ledger_path = run_dir / LEDGER_NAME
        self._seq = 0
        self._at = 0.0
        self._head = FIRST_PREV
        self._written_bytes = 0
        try:
            self._fd = os.open(self._ledger_path, _LEDGER, 0o600)
        except OSError as error:
            raise _cannot_write(self._ledger_path, error) from error
        self._syncer = _Syncer(self._fd)
        self._behind = Behind()
        self._closed = False

    def __enter__(self) -> BundleWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def events(self) -> int:
        """How many events the ledger holds."""
        return self._seq

    @property
    def chain_head(self) -> str:
        return self._head

    def append(self, at: float, *events: Fact | Decision) -> list[int]:
        """Put events of one moment (seconds of the run) at the ledger's end; their seq numbers.

        When this returns the OS has them: they survive the end of this process. BundleError when they
        cannot be written, or when something written before could not be brought to the disk; the ledger then
        holds none of these events and stays readable. ValueError for a time before the last one.
        """
        if at < self._at:
            raise ValueError(f"the ledger's time cannot go back from {self._at} to {at}")
        if self._closed:
            raise BundleError(f"{self._ledger_path} is closed", hint="this is a defect of microloop")
        self._raise_failures()
        seq, head = self._seq, self._head
        lines = []
        for event in events:
            seq += 1
            line, head = encode_line(seq, at, event, head)
            lines.append(line)
        self._write(b"".join(lines))
        numbers = list(range(self._seq + 1, seq + 1))
        self._seq, self._head, self._at = seq, head, at
        self._syncer.written()
        return numbers

    def write_step_output(
        self, n: int, *, stdout: KeptOutput | None = None, stderr: KeptOutput | None = None
    ) -> None:
        """`steps/NNNN/` of step `n`: the kept bytes of each captured stream, and step.json about both.

        Written soon, by another thread; what fails is raised by a later append, or by close. A step without
        output has no folder: the ledger says so.
        """
        kept = {name: value for name, value in (("stdout", stdout), ("stderr", stderr)) if value is not None}
        if any(value.stream.bytes for value in kept.values()):
            self._behind.put(lambda: self._write_step(n, kept))

    def write_model_record(self, about: About, request: bytes, answer: bytes) -> None:
        """A model request and its answer, without secrets; by the other thread, as step outputs are."""
        self._behind.put(lambda: self._write_record(about, request, answer))

    def write_json(self, name: str, value: Any) -> None:
        """Plain data as a document, without secrets."""
        if self._redactor is not None:
            value = self._redactor.plain(msgspec.to_builtins(value, enc_hook=str))
        self.write_bytes(name, _document(value))

    def write_text(self, name: str, text: str) -> None:
        """A document, without secrets."""
        text = text if self._redactor is None else self._redactor.text(text)
        self.write_bytes(name, text.encode("utf-8", "backslashreplace"))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` (a path from the bundle's root) whole, mode 0600; BundleError."""
        path = self._place(name)
        try:
            write_whole(path, content)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def folder(self, name: str) -> Path:
        """Make a directory of the bundle (0700) for a part that writes its own files; BundleError."""
        try:
            return _private_folder(self.path, *inside_parts(name))
        except OSError as error:
            raise _cannot_write(Path(error.filename or self.path), error) from error

    def finish(self) -> None:
        """Complete the bundle: the ledger on the disk, then the manifest, whole or not. BundleError."""
        self.close()
        target = self.path / MANIFEST_NAME
        draft = self.path / f".{MANIFEST_NAME}.new"
        try:
            manifest = Manifest(BUNDLE_SCHEMA, self.run_id, records_of(self.path), self._head, self._seq)
            write_whole(
                draft, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n", sync=True
            )
            draft.replace(target)
            _sync_directory(self.path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _cannot_write(target, error) from error

    def close(self) -> None:
        """Bring the ledger to the disk and let it go; BundleError when it cannot. Harmless a second time."""
        if self._closed:
            return
        self._closed = True
        self._behind.finish()
        self._syncer.stop()
        os.close(self._fd)
        self._raise_failures()

    def _write_step(self, n: int, kept: dict[str, KeptOutput]) -> None:
        folder = _private_folder(self.path, "steps", f"{n:04d}")
        for name, output in kept.items():
            if output.stream.bytes:
                write_whole(folder / name, output.head + output.tail)
        described: dict[str, Any] = {"n": n, "stdout": None, "stderr": None}
        described |= {name: output.stream for name, output in kept.items()}
        write_whole(folder / "step.json", _document(described))

    def _write_record(self, about: About, request: bytes, answer: bytes) -> None:
        _private_folder(self.path, FOLDER)
        said: Any = msgspec.to_builtins(about)
        if self._redactor is not None:  # a key may stand in a query, too
            said = self._redactor.plain(said)
            request, answer = self._redactor.data(request), self._redactor.data(answer)
        for name, content in zip(file_names(about.n), (_document(said), request, answer), strict=True):
            write_whole(self.path / name, content)

    def _place(self, name: str) -> Path:
        parts = inside_parts(name)
        if len(parts) > 1:
            self.folder("/".join(parts[:-1]))
        return self.path.joinpath(*parts)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self._cut_torn_line()
            raise _cannot_write(self._ledger_path, error) from error
        self._written_bytes += len(data)

    def _cut_torn_line(self) -> None:
        """Take back the part of a line a full disk let through; if that fails, readers report it as torn."""
        try:
            os.ftruncate(self._fd, self._written_bytes)
        except OSError:
            return

    def _raise_failures(self) -> None:
        """What failed in the other threads since the last time."""
        failure = self._syncer.take_failure()
        if failure is not None:
            raise _cannot_write(self._ledger_path, failure) from failure
        failure = self._behind.take_failure()
        if failure is not None:
            raise _cannot_write(Path(failure.filename or self.path / "steps"), failure) from failure


class _Syncer:
    """Calls fsync in a thread of its own, at most SYNC_AFTER_SECONDS after a write and once at the end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._failure: OSError | None = None
        self._thread: threading.Thread | None = None

    def written(self) -> None:
        if not self._dirty.is_set():
            self._dirty.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="microloop-ledger-sync", daemon=True)
            self._thread.start()

    def take_failure(self) -> OSError | None:
        failure, self._failure = self._failure, None
        return failure

    def stop(self) -> None:
        self._stopping.set()
        self._dirty.set()
        if self._thread is not None:
            self._thread.join()
        self._sync()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._dirty.wait()
            self._stopping.wait(SYNC_AFTER_SECONDS)
            self._dirty.clear()
            if not self._stopping.is_set():
                self._sync()

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._failure = self._failure or error


def _private_folder(root: Path, *parts: str) -> Path:
    """Made with all above it up to `root`, each with mode 0700, which `parents` would not give them."""
    for part in parts:
        root = root / part
        root.mkdir(mode=0o700, exist_ok=True)
    return root


def _document(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _cannot_write(path: Path, error: OSError) -> BundleError:
    return BundleError(
        f"cannot write {path}: {error.strerror}",
        hint=f"what was written before is kept; make room on the disk of {path.parent} and run again",
    )
