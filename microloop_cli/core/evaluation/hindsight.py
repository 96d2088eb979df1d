"""What would have happened in an old run, and what of it would not have been needed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from microloop_cli.core.evaluation.judge import judge
from microloop_cli.core.evaluation.trajectory import MESSAGE, Trajectory
from microloop_cli.core.progress.engine import DetectorBug
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.settings import Progress


class Occurrence(msgspec.Struct, frozen=True):
    """A finding and when it would have been made: seconds of the run, None where no times were recorded."""

    found: Found
    at_seconds: float | None = None


class Halt(msgspec.Struct, frozen=True):
    """The stop that would have come: at which step (0: before the first), why, and when."""

    step: int
    outcome: str
    reason: str
    at_seconds: float | None = None


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What the record did that would not have been done, had the agent gone on as it did up to the stop.

    steps: those that ran in the record and would not have, refused ones among them. seconds: all from the
    stop on, and the durations of refused steps before it. None: the record does not tell.
    """

    steps: int = 0
    refused_steps: int = 0
    seconds: float | None = None
    cost_usd: float | None = None


class Hindsight(msgspec.Struct, frozen=True, kw_only=True):
    """One old run judged again. `steps`: how many steps the record has; `unread_steps`: those the output of
    which was captured by a microloop that did not read it for signs of progress."""

    steps: int
    occurrences: tuple[Occurrence, ...]
    halt: Halt | None
    saved: Saved
    bugs: tuple[DetectorBug, ...] = ()
    unread_steps: int = 0


def hindsight(run: Trajectory, rules: Progress) -> Hindsight:
    """A foreign run judged again, up to the first stop. Limits of a policy do not apply: times are rare."""
    judged = judge(run, rules, until_stop=True)
    last = judged.found[-1] if judged.found and judged.found[-1].answer == "stop" else None
    halt = Halt(last.step, "no_progress", last.text) if last is not None else None
    return Hindsight(
        steps=sum(1 for step in run.steps if step.tool != MESSAGE),
        occurrences=tuple(Occurrence(found) for found in judged.found),
        halt=halt,
        saved=_saved(run, judged.found, None if halt is None else halt.step, judged.stopped_before),
        bugs=judged.bugs,
    )


def _saved(run: Trajectory, found: Sequence[Found], stopped_at: int | None, stopped_before: bool) -> Saved:
    refused = {item.step for item in found if item.answer == "refuse"}
    first_unrun = None if stopped_at is None else stopped_at if stopped_before else stopped_at + 1
    after = [step for step in run.steps if first_unrun is not None and step.step >= first_unrun]
    before = [step for step in run.steps if step.step in refused]
    unrun = [*before, *after]
    # The model was asked for the step that is stopped, and for refused ones; not for those that come after.
    unasked = [step for step in after if step.step != stopped_at]
    timed = any(step.seconds is not None for step in run.steps)
    priced = any(step.cost_usd is not None for step in run.steps)
    return Saved(
        steps=sum(1 for step in unrun if step.tool != MESSAGE),
        refused_steps=len(refused),
        seconds=sum(step.seconds or 0.0 for step in unrun) if timed else None,
        cost_usd=sum(step.cost_usd or 0.0 for step in unasked) if priced else None,
    )
