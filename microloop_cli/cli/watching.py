"""Follows a run for the status line: counts steps and findings, says what is worth a line."""

from __future__ import annotations

from collections.abc import Sequence

from microloop_cli.cli.live import StatusLine
from microloop_cli.core.actions import AnyDecision, Finding, LimitWarning, Stop, Verdict
from microloop_cli.core.events import AnyFact, GuardNotice, WatchDegraded

SNAPSHOT_LINE_SECONDS = 3.0


class Watching:
    """A `run.execute.Observer` over a StatusLine."""

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._steps = 0
        self._findings = 0
        self._command = ""
        self._say_snapshot_at = SNAPSHOT_LINE_SECONDS

    def began(self, run_id: str, backend: str) -> None:
        self._line.start(run_id, backend)

    def snapshotting(self, seconds: float, files: int) -> None:
        """Said only when it takes long: before the start there is nothing else to look at."""
        if seconds >= self._say_snapshot_at:
            self._say_snapshot_at = seconds + SNAPSHOT_LINE_SECONDS
            self._line.say(f"reading the workspace before the start: {files:,} files so far")

    def recorded(self, at: float, events: Sequence[AnyFact | AnyDecision]) -> None:
        for event in events:
            if isinstance(event, Verdict) and event.step is not None:
                self._steps, self._command = event.step, event.command or ""
            elif isinstance(event, Finding):
                self._findings += 1
            said = worth_saying(event)
            if said:
                self._line.say(said)

    def ticked(self, at: float) -> None:
        self._line.update(
            elapsed_seconds=at, steps=self._steps, findings=self._findings, last_command=self._command
        )


def worth_saying(event: AnyFact | AnyDecision) -> str:
    """The line an event deserves; empty for most."""
    if isinstance(event, Finding):
        # The whole text stands in the agent's output; a stop is said by its own event.
        last, before = event.steps[-1], ", ".join(map(str, event.steps[:-1]))
        done = {"nudge": "nudged", "refuse": "refused", "record": "noted", "stop": ""}[event.answer]
        return f"step {last} {done}: {event.detector} of {before}" if done else ""
    if isinstance(event, LimitWarning):
        name = {"steps": "steps", "wall_seconds": "seconds", "idle_seconds": "idle seconds"}[event.limit]
        return f"{event.used:.4g} of {event.allowed:g} {name} are used"
    if isinstance(event, Stop):
        return f"stopping: {event.reason}"
    if isinstance(event, GuardNotice):
        return f"notice: {event.text}"
    if isinstance(event, WatchDegraded):
        return f"notice: {event.reason}; {event.how}"
    return ""
