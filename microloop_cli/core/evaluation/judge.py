"""Judge a foreign run by the progress engine: two questions a step, its recorded output between them. Pure.

The agent of a record never reacts: a step that would have been refused is in it all the same, and its output
is judged as what the step gave.
"""

from __future__ import annotations

import msgspec

from microloop_cli.core.evaluation.deeds import Deed, deed_of
from microloop_cli.core.evaluation.epochs import InferredEpochs
from microloop_cli.core.evaluation.trajectory import MESSAGE, ForeignStep, Trajectory
from microloop_cli.core.progress import engine
from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.engine import EMPTY, DetectorBug, attempted, finished
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.settings import Progress


class Judged(msgspec.Struct, frozen=True):
    """All that would have been found, in order, and defects of detectors. `steps`: how many were judged.

    stopped_before: the first stop came before its step ran, not with its result.
    """

    found: tuple[Found, ...]
    bugs: tuple[DetectorBug, ...]
    steps: int
    stopped_before: bool


def judge(run: Trajectory, rules: Progress, *, until_stop: bool = False) -> Judged:
    """Judge a run from its first step to its last, or to the first stop: the steps after it would not be."""
    judging = _Judging(rules, until_stop)
    for step in run.steps:
        if step.tool == MESSAGE and not step.observation:
            continue  # the agent spoke, and nobody answered
        judging.step(step)
        if judging.over:
            break
    return Judged(tuple(judging.found), tuple(judging.bugs), judging.steps, judging.stopped_before)


class _Judging:
    def __init__(self, rules: Progress, until_stop: bool) -> None:
        self.found: list[Found] = []
        self.bugs: list[DetectorBug] = []
        self.steps = 0
        self.stopped = self.stopped_before = False
        self._rules = rules
        self._until_stop = until_stop
        self._memory = EMPTY
        self._epochs = InferredEpochs()
        self._reader = OutputReader()

    def step(self, step: ForeignStep) -> None:
        self.steps += 1
        deed = deed_of(step)
        tried = Attempt(
            step=step.step,
            command=deed.command,
            meaning=deed.meaning,
            epoch=self._epochs.before(deed),
        )
        self._take(attempted(self._memory, self._rules, tried))
        self.stopped_before = self.stopped_before or self.stopped
        if not self.over:
            self._end(step, deed, tried)

    @property
    def over(self) -> bool:
        return self._until_stop and self.stopped

    def _end(self, step: ForeignStep, deed: Deed, tried: Attempt) -> None:
        output = (step.observation or "").encode("utf-8", "backslashreplace")
        kept = Kept(output, b"", len(output))
        signals = self._reader.read(deed.meaning, deed.command, kept, exit_code=step.exit_code)
        epoch = self._epochs.after(deed, signals)
        self._take(
            finished(self._memory, self._rules, tried, epoch=epoch, signals=signals, exit_code=step.exit_code)
        )

    def _take(self, judged: engine.Judged) -> None:
        self._memory = judged.memory
        self.bugs += judged.bugs
        if judged.finding is not None:
            self.found.append(judged.finding)
            self.stopped = self.stopped or judged.finding.answer == "stop"
