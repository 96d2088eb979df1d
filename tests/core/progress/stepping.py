"""Steps told to the progress engine, one line each, and the answers that come back."""

from __future__ import annotations

import hashlib
from typing import Any

from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.engine import Judged, Memory, attempted, finished
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.progress.outcomes.build import build_outcome
from microloop_cli.core.progress.signals import ErrorSignature, FailedTest, Meaning, Signals, TestOutcome
from microloop_cli.core.settings import Progress


class Run:
    """A run as the engine sees it. `edit` changes the state of the files; every `do` is one step."""

    def __init__(self, rules: Progress | None = None) -> None:
        self.rules = rules or Progress()
        self.memory = Memory()
        self.step = 0
        self.epoch = "e0"
        self.seen: set[str] = set()
        self.found: list[Found] = []

    def do(
        self,
        action: str,
        output: str | None = "words",
        *,
        exit_code: int = 0,
        epoch: str | None = None,
        tests: TestOutcome | None = None,
        error: ErrorSignature | None = None,
        trouble: Any = None,
        new_lines: int | None = None,
        **meaning: Any,
    ) -> str:
        """One step; `epoch` is the state after it. The answer: `-`, or what a finding was answered with."""
        self.step += 1
        meaning.setdefault("kind", "run")
        attempt = Attempt(
            step=self.step, command=action, meaning=Meaning(action=action, **meaning), epoch=self.epoch
        )
        judged = self._take(attempted(self.memory, self.rules, attempt))
        if judged.finding is not None:
            return judged.finding.answer
        signals = None
        if output is not None:
            new = 0 if output in self.seen else 10
            self.seen.add(output)
            digest = hashlib.blake2b(output.encode(), digest_size=32).hexdigest()
            signals = Signals(
                output_digest=digest,
                lines=10,
                new_lines=new if new_lines is None else new_lines,
                tests=tests,
                error=error,
                trouble=trouble,
            )
        self.epoch = epoch or self.epoch
        judged = self._take(
            finished(self.memory, self.rules, attempt, epoch=self.epoch, signals=signals, exit_code=exit_code)
        )
        return judged.finding.answer if judged.finding else "-"

    def edit(self, name: str, epoch: str | None = None) -> str:
        """An edit that leads to the state `epoch`, a new one when none is given."""
        return self.do(
            f"edit {name}", f"edited {name}", kind="edit", writes="yes", epoch=epoch or f"e{self.step + 1}"
        )

    def test(self, *failing: str, command: str = "pytest", **more: Any) -> str:
        """A test run with these failures: `id` or `id: message`. Its words are never the same twice."""
        failed = [_failed(text) for text in failing]
        outcome = build_outcome("pytest", failed, passed=10)
        words = f"{len(failed)} failed, run at {self.step}"
        return self.do(command, words, kind="test", exit_code=int(bool(failed)), tests=outcome, **more)

    def _take(self, judged: Judged) -> Judged:
        assert judged.bugs == ()
        self.memory = judged.memory
        if judged.finding is not None:
            self.found.append(judged.finding)
        return judged


def _failed(text: str) -> FailedTest:
    name, _, message = text.partition(": ")
    return FailedTest(name, "AssertionError", message)
