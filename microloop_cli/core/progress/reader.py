"""One step's output read for all it says about progress. Keeps which lines a run has shown; else pure."""

from __future__ import annotations

import functools

import msgspec

from microloop_cli.core.progress.errors import error_signature
from microloop_cli.core.progress.normalise import Kept, Normalised, digest_of
from microloop_cli.core.progress.novelty import SeenLines
from microloop_cli.core.progress.outcomes.read import read_outcome
from microloop_cli.core.progress.refusals import edit_error
from microloop_cli.core.progress.signals import ErrorSignature, Meaning, Signals, TestOutcome
from microloop_cli.core.progress.trouble import trouble

# An edit tool that refuses often exits with 0; what it says is short.
EDIT_ERROR_BYTES = 16_384


class Words(msgspec.Struct, frozen=True):
    """What a step wrote: `raw` as kept, `normalised`, and the digest that equal outputs share."""

    raw: bytes
    normalised: bytes
    digest: str

    @classmethod
    def of(cls, stdout: Kept | None, stderr: Kept | None) -> Words:
        """Both streams after one another; the middle of a long one is not known."""
        if not (stdout and stdout.total_bytes) and not (stderr and stderr.total_bytes):
            return _silence(stdout is None, stderr is None)
        streams = Normalised.of(stdout), Normalised.of(stderr)
        raw = [stream.head + stream.tail for stream in (stdout, stderr) if stream is not None]
        parts = [part for stream in streams for part in stream.parts]
        return cls(b"\n".join(raw), b"\n".join(parts), digest_of(*streams))


@functools.cache
def _silence(no_stdout: bool, no_stderr: bool) -> Words:
    """Most edits and many checks say nothing."""
    streams = (Normalised() if missing else Normalised((b"",)) for missing in (no_stdout, no_stderr))
    return Words(b"", b"", digest_of(*streams))


class OutputReader:
    """Reads the outputs of one run in the order its steps ended."""

    def __init__(self) -> None:
        self._seen = SeenLines()

    def read(
        self,
        meaning: Meaning,
        command: str,
        stdout: Kept | None,
        stderr: Kept | None = None,
        *,
        exit_code: int | None = None,
        report: TestOutcome | None = None,
    ) -> Signals | None:
        """The signals of one step; None when no stream was captured. See `signals`."""
        if stdout is None and stderr is None:
            return None
        return self.signals(meaning, command, Words.of(stdout, stderr), exit_code=exit_code, report=report)

    def signals(
        self,
        meaning: Meaning,
        command: str,
        words: Words,
        *,
        exit_code: int | None = None,
        report: TestOutcome | None = None,
    ) -> Signals:
        """What the words say.

        exit_code: None when it is not known (a foreign record). report: the outcome as told by the
        report files that the step wrote; they are surer than its words.
        """
        lines, new_lines = self._seen.gain(words.normalised)
        tests = report or _outcome(meaning, command, words)
        # Of a command that ended well only an edit is read for an error.
        silent = exit_code == 0 and meaning.kind not in ("edit", "test")
        text = "" if silent else words.normalised.decode("utf-8", "replace")
        return Signals(
            output_digest=words.digest,
            lines=lines,
            new_lines=new_lines,
            tests=tests,
            error=None if silent else _error(meaning, text, exit_code, tests),
            trouble=None if exit_code == 0 else trouble(text),
        )


def _outcome(meaning: Meaning, command: str, words: Words) -> TestOutcome | None:
    """Runners' numbers and times are read as they were printed; the masks would hide some."""
    return read_outcome(command, words.raw.decode("utf-8", "replace"), meaning.kind)


def _error(
    meaning: Meaning, text: str, exit_code: int | None, tests: TestOutcome | None
) -> ErrorSignature | None:
    if meaning.kind == "edit" and len(text) <= EDIT_ERROR_BYTES:
        refused = edit_error(text)
        if refused is not None:
            return ErrorSignature("edit", refused)
    if tests is None and meaning.kind == "test" and meaning.filtered:
        return error_signature(text, exit_code or None)  # the code is that of `| tail`
    return error_signature(text, exit_code) if exit_code else None
