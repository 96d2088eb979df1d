"""Reading corpora of recorded runs, one JSON object a line, gzip or not; one line at a time, however many."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from microloop_cli.core.evaluation.formats import FormatProblem, parse_run
from microloop_cli.core.evaluation.trajectory import Trajectory
from microloop_cli.errors import UsageError

LINE_LIMIT_BYTES = 64 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


def read_corpus(path: Path) -> Iterator[Trajectory]:
    """The runs of a file, in order: loopbench lines, or one JSON document over many lines (`*.traj.json`).

    UsageError, with file and line, for what cannot be read, is too long, no JSON, or no run.
    """
    found = False
    with _opened(path) as file:
        number = 0
        while line := _read(file, path, number + 1):
            number += 1
            if not line.strip():
                continue
            if not found and _goes_on_below(line):
                yield _parsed(line + _read(file, path, number, whole=True), path, number)
                return
            found = True
            yield _parsed(line, path, number)
    if not found:
        raise UsageError(f"{path} holds no runs", hint="one JSON object a line, one line a run")


def _parsed(data: bytes, path: Path, number: int) -> Trajectory:
    try:
        return parse_run(data, path.name.partition(".")[0])
    except FormatProblem as problem:
        raise UsageError(f"{path}:{number}: {problem.message}", hint=problem.hint) from None


def _goes_on_below(line: bytes) -> bool:
    """Whether a line is only the start of an object that is written over several."""
    return line.lstrip().startswith(b"{") and not line.rstrip().endswith(b"}")


def _read(file: BinaryIO, path: Path, number: int, *, whole: bool = False) -> bytes:
    """The next line, or all that is left."""
    try:
        data = file.read(LINE_LIMIT_BYTES + 1) if whole else file.readline(LINE_LIMIT_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(
            f"{path}:{number}: the gzip data is damaged: {error}", hint="`gzip -t` tells more; fetch it again"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}:{number}: cannot be read: {error.strerror or error}") from None
    if len(data) > LINE_LIMIT_BYTES:
        limit = LINE_LIMIT_BYTES // 1024 // 1024
        raise UsageError(f"{path}:{number}: longer than {limit} MiB in one piece, and not read")
    return data


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's content, unpacked when it is gzip, whatever its name; opened once, so a pipe will do."""
    try:
        raw = path.open("rb")
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {said}") from None
    with raw:
        try:
            packed = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        if packed:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield raw
