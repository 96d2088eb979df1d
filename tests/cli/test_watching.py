"""What is said on stderr while a run goes on: the things worth a line, and only those."""

from __future__ import annotations

import pytest

from microloop_cli.cli.watching import Watching, worth_saying
from microloop_cli.core.actions import AnyDecision, Finding, LimitWarning, Stop, Verdict
from microloop_cli.core.events import AnyFact, GuardNotice, Tick


class Line:
    """Stands for the StatusLine: keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: dict[str, object] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    def update(self, **shown: object) -> None:
        self.shown = shown


def finding(answer: str) -> Finding:
    return Finding(detector="repeat", steps=(1, 2, 3), answer=answer, text="long")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (finding("nudge"), "step 3 nudged: repeat of 1, 2"),
        (finding("refuse"), "step 3 refused: repeat of 1, 2"),
        (finding("record"), "step 3 noted: repeat of 1, 2"),
        (finding("stop"), ""),
        (Stop(outcome="no_progress", exit_code=120, reason="why"), "stopping: why"),
        (LimitWarning(limit="wall_seconds", used=8.00123, allowed=10), "8.001 of 10 seconds are used"),
        (GuardNotice(text="output is not captured"), "notice: output is not captured"),
        (Tick(), ""),
    ],
)
def test_only_what_a_person_would_want_to_know_is_said(event: AnyFact | AnyDecision, line: str) -> None:
    assert worth_saying(event) == line


def test_the_line_shows_steps_findings_and_the_last_command() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    watching.recorded(1.0, [Verdict(exec_id=5, kind="step", allow=True, step=4, command="pytest -q")])
    watching.recorded(2.0, [finding("nudge"), Tick()])
    watching.ticked(2.5)
    assert line.shown == {"elapsed_seconds": 2.5, "steps": 4, "findings": 1, "last_command": "pytest -q"}


def test_a_quick_snapshot_is_not_mentioned_and_a_slow_one_now_and_then() -> None:
    line = Line()
    watching = Watching(line)  # type: ignore[arg-type]
    for seconds in range(10):
        watching.snapshotting(float(seconds), seconds * 1000)
    assert [text.split(": ")[1] for text in line.said] == [
        "3,000 files so far", "6,000 files so far", "9,000 files so far",
    ]  # fmt: skip
