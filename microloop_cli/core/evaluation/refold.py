"""A recorded run of our own folded again under any settings: what the core would have decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from microloop_cli.core.actions import (
    Action,
    AnyDecision,
    DetectorFailed,
    Ended,
    Finding,
    Stop,
    ToolVerdict,
    Verdict,
    WakeAt,
)
from microloop_cli.core.evaluation.hindsight import Halt, Hindsight, Occurrence, Saved
from microloop_cli.core.evaluation.refolded_calls import RefoldedCalls
from microloop_cli.core.events import AnyFact, ExecCancelled, ExecStarted, LateOutput, StepEnded, Tick
from microloop_cli.core.fact import Fact
from microloop_cli.core.progress.engine import DetectorBug
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.settings import Settings
from microloop_cli.core.state import initial
from microloop_cli.core.step import step

# A run has at most four moments at which a time limit is judged; more come of activity between them.
TICKS_BETWEEN_FACTS = 8


def refold(
    settings: Settings, events: Iterable[tuple[float, AnyFact | AnyDecision]], *, own_policy: bool
) -> Hindsight:
    """Fold the facts of `events` (at seconds, event; in ledger order).

    Under its own policy a run is folded as it was recorded. Under another one the clock ticks when the core
    asks for it, a step is held at its end when the core wants it held, and model calls beyond a limit are
    refused, as it would have been.
    """
    folding = _Folding(settings, own_policy)
    for at, event in events:
        if isinstance(event, Fact):
            folding.fact(at, event)
        elif isinstance(event, Verdict):
            folding.recorded(event)
        elif isinstance(event, ToolVerdict):
            folding.recorded_tool(event)
    return folding.result()


class _Run(msgspec.Struct):
    """A step of the record: its number there, what it would be now, when it ran."""

    recorded: int
    number: int
    allowed: bool
    after_stop: bool
    started_at: float
    seconds: float = 0.0


class _Folding:
    def __init__(self, settings: Settings, own_policy: bool) -> None:
        self._state = initial(settings)
        self._own_policy = own_policy
        self._at = 0.0
        self._wake: float | None = None
        self._judged: dict[int, tuple[Verdict, bool]] = {}
        self._started: dict[int, float] = {}
        self._ran: dict[int, _Run] = {}
        self._held: set[int] = set()
        self._calls = RefoldedCalls()
        self._steps = 0
        self._tools_after_stop = 0
        self._unread = 0
        self._occurrences: list[Occurrence] = []
        self._bugs: list[DetectorBug] = []
        self._halt: Halt | None = None

    def fact(self, at: float, fact: AnyFact) -> None:
        if not self._own_policy:
            self._tick_until(at)
            would_be = self._calls.as_it_would_be(self._state, self._as_it_would_be(fact))
            if would_be is None:
                return
            fact = would_be
        if isinstance(fact, ExecStarted) and fact.awaiting:
            self._started[fact.exec_id] = at
        elif isinstance(fact, ExecCancelled):
            self._started.pop(fact.exec_id, None)
        elif isinstance(fact, StepEnded) and fact.step in self._ran:
            run = self._ran[fact.step]
            run.seconds = at - run.started_at
        if isinstance(fact, StepEnded) and fact.signals is None and (fact.stdout or fact.stderr) is not None:
            self._unread += 1
        self._fold(at, fact)

    def recorded(self, verdict: Verdict) -> None:
        """The verdict that was given in the record, which stands behind its exec."""
        judged = self._judged.pop(verdict.exec_id, None)
        started_at = self._started.pop(verdict.exec_id, self._at)
        if verdict.kind != "step" or verdict.step is None:
            return
        self._steps += 1
        if verdict.allow and judged is not None and judged[0].step is not None:
            now, after_stop = judged
            self._ran[verdict.step] = _Run(verdict.step, now.step or 0, now.allow, after_stop, started_at)

    def recorded_tool(self, verdict: ToolVerdict) -> None:
        """A tool's call that was a step of its own: it has run when it is judged, so only a stop saves it."""
        if verdict.command is None:
            return
        self._steps += 1
        if self._halt is not None and self._state.steps > self._halt.step:
            self._tools_after_stop += 1

    def result(self) -> Hindsight:
        return Hindsight(
            steps=self._steps,
            occurrences=tuple(self._occurrences),
            halt=self._halt,
            saved=self._saved(),
            bugs=tuple(self._bugs),
            unread_steps=self._unread,
        )

    def _saved(self) -> Saved:
        if self._own_policy:
            return Saved(seconds=0.0)
        unrun = [run for run in self._ran.values() if not run.allowed]
        refused = [run for run in unrun if not run.after_stop]
        after = self._at - (self._halt.at_seconds or 0.0) if self._halt is not None else 0.0
        return Saved(
            steps=len(unrun) + self._tools_after_stop,
            refused_steps=len(refused),
            seconds=round(after + sum(run.seconds for run in refused), 6),
            cost_usd=float(self._calls.saved_usd) if self._calls.priced else None,
        )

    def _tick_until(self, at: float) -> None:
        for _ in range(TICKS_BETWEEN_FACTS):
            if self._wake is None or self._wake >= at:
                return
            due, self._wake = max(self._wake, self._at), None
            self._fold(due, Tick())

    def _as_it_would_be(self, fact: AnyFact) -> AnyFact:
        """Step numbers as they are now, and the end held when it was asked to be."""
        if not isinstance(fact, (StepEnded, LateOutput)) or fact.step not in self._ran:
            return fact
        number = self._ran[fact.step].number
        if isinstance(fact, LateOutput):
            return replace(fact, step=number)
        return replace(fact, step=number, held=number in self._held)

    def _fold(self, at: float, fact: AnyFact) -> None:
        self._at = max(self._at, at)
        self._state, actions = step(self._state, at, fact)
        for action in actions:
            self._take(at, action)

    def _take(self, at: float, action: Action) -> None:
        if isinstance(action, Verdict):
            self._judged[action.exec_id] = (action, self._halt is not None)
            if action.hold_end and action.step is not None:
                self._held.add(action.step)
        elif isinstance(action, Finding):
            self._occurrences.append(Occurrence(_found(action), at))
        elif isinstance(action, Stop):
            self._halt = self._halt or Halt(self._state.steps, action.outcome, action.reason, at)
        elif isinstance(action, Ended) and action.outcome == "cost_limit":
            at = self._state.money.refused_at
            self._halt = self._halt or Halt(self._state.steps, action.outcome, action.reason, at)
        elif isinstance(action, DetectorFailed):
            self._bugs.append(DetectorBug(detector=action.detector, step=action.step, error=action.error))
        elif isinstance(action, WakeAt):
            self._wake = action.at


def _found(finding: Finding) -> Found:
    return Found(
        detector=finding.detector,
        answer=finding.answer,
        step=max(finding.steps, default=0),
        steps=finding.steps,
        text=finding.text,
        confidence=finding.confidence,
    )
