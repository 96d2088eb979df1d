"""Findings and runs made by hand."""

from __future__ import annotations

from microloop_cli.core.evaluation.scoring import ScoredRun
from microloop_cli.core.evaluation.trajectory import ForeignStep, Label, Trajectory
from microloop_cli.core.progress.ladder import Answer, Found


def found(step: int, answer: Answer = "nudge", detector: str = "repeat") -> Found:
    return Found(
        detector=detector, answer=answer, step=step, steps=(1, step), text=f"seen at {step}", confidence=0.9
    )


def scored(label: Label | None, *, onset: int | None = None, run_id: str = "r", kind: str = "k") -> ScoredRun:
    return ScoredRun(id=run_id, source="made", steps=10, kind=kind, label=label, onset_step=onset)


def step(
    number: int, action: str, observation: str = "", exit_code: int | None = 0, tool: str = "bash"
) -> ForeignStep:
    return ForeignStep(step=number, action=action, observation=observation, exit_code=exit_code, tool=tool)


def run_of(*actions: tuple[str, str]) -> Trajectory:
    """A run of (action, observation) pairs, each ended with 0."""
    steps = tuple(step(number, action, output) for number, (action, output) in enumerate(actions, start=1))
    return Trajectory(id="made", steps=steps)
