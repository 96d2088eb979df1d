"""A step about to run, and the record of it that the detectors see once its result is known. Pure."""

from __future__ import annotations

import msgspec

from microloop_cli.core.progress.history import Record
from microloop_cli.core.progress.signals import Meaning, Signals

NOT_SEEN = Signals(output_digest="")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A step about to run: its number, the command as shown, what it means, the state of the files."""

    step: int
    command: str
    meaning: Meaning
    epoch: str


def record_of(attempt: Attempt, epoch: str, signals: Signals | None, exit_code: int | None) -> Record:
    """The step as the detectors see it."""
    meaning = attempt.meaning
    seen = signals if signals is not None else NOT_SEEN
    return Record(
        step=attempt.step,
        action=meaning.action,
        command=attempt.command,
        kind=meaning.kind,
        polls=meaning.polls,
        elsewhere=meaning.elsewhere,
        epoch=attempt.epoch,
        epoch_after=epoch,
        result=None if signals is None else _result(signals, exit_code),
        failed=bool(exit_code) or seen.error is not None,
        lines=seen.lines,
        new_lines=seen.new_lines,
        outcome=seen.tests,
        error=seen.error,
        trouble=seen.trouble,
        paths=meaning.paths,
    )


def _result(signals: Signals, exit_code: int | None) -> str:
    """The same words tell more than the code: `| tail` hides it. Without words the code is all there is."""
    return signals.output_digest if signals.lines else f"{signals.output_digest}:{exit_code}"
