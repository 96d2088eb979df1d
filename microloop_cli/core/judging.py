"""A step at its two moments, before it runs and when it has ended: limits, then the progress engine. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from microloop_cli.core import limits, tools
from microloop_cli.core.actions import Action, DetectorFailed, ExecKind, Finding, Release, Stop, Verdict
from microloop_cli.core.events import ExecStarted, StepEnded
from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.command import canonical
from microloop_cli.core.progress.engine import Judged, attempted, finished, may_be_nudged
from microloop_cli.core.progress.ladder import Found
from microloop_cli.core.state import OpenStep, State

Result = tuple[State, tuple[Action, ...]]


def begin_step(state: State, at: float, fact: ExecStarted) -> Result:
    """Number the step and answer its exec: allowed, or refused with the reason."""
    from microloop_cli.core.progress.commands.meaning import meaning  # with its parser: at the first step

    number = state.steps + 1
    command = canonical(fact.argv, state.settings.agent)
    known = meaning(command, state.workspace)
    links, call = tools.linked(state.tools, number, command, known)
    state = replace(state, steps=number, tools=links)
    if state.stop is not None:
        return state, (refusal(fact, "step", state.stop.reason, number, command, call),)
    limit_state, said = limits.check_steps(state.settings.limits, state.limits, number)
    state = replace(state, limits=limit_state)
    stop = next((action for action in said if isinstance(action, Stop)), None)
    if stop is not None:
        return replace(state, stop=stop), (*said, refusal(fact, "step", stop.reason, number, command, call))
    attempt = Attempt(step=number, command=command, meaning=known, epoch=state.epoch)
    judged = attempted(state.memory, state.settings.progress, attempt)
    state = replace(state, memory=judged.memory, changed=())
    state, actions = _answer_start(state, at, fact, attempt, judged.finding, call)
    return state, (*said, *bugs_of(judged), *actions)


def _answer_start(
    state: State, at: float, fact: ExecStarted, attempt: Attempt, found: Found | None, call: str | None
) -> Result:
    if found is None:
        return _let_run(state, at, fact, attempt, call)
    if found.answer == "stop":
        stop = stop_of(found)
        refused = refusal(fact, "step", stop.reason, attempt.step, attempt.command, call)
        return replace(state, stop=stop), (finding_of(found, attempt.step), stop, refused)
    refused = Verdict(
        exec_id=fact.exec_id,
        kind="step",
        allow=False,
        step=attempt.step,
        command=attempt.command,
        message=found.text,
        tool_call=call,
    )
    return state, (finding_of(found, attempt.step), refused)


def _let_run(state: State, at: float, fact: ExecStarted, attempt: Attempt, call: str | None) -> Result:
    seen = _output_seen(fact)
    opened = {**state.open_steps, attempt.step: OpenStep(fact.exec_id, attempt, fact.cwd, at, seen)}
    allowed = Verdict(
        exec_id=fact.exec_id,
        kind="step",
        allow=True,
        step=attempt.step,
        command=attempt.command,
        hold_end=seen and may_be_nudged(state.memory, state.settings.progress, attempt),
        tool_call=call,
    )
    return replace(state, open_steps=opened), (allowed,)


def end_step(state: State, fact: StepEnded) -> Result:
    """Judge what it came to. A nudge can only be given to a step that is still held; else it is recorded."""
    opened = state.open_steps.get(fact.step)
    if opened is None:
        return state, ((Release(step=fact.step),) if fact.held else ())
    left = {number: value for number, value in state.open_steps.items() if number != fact.step}
    judged = finished(
        state.memory,
        state.settings.progress,
        opened.attempt,
        epoch=state.epoch,
        signals=fact.signals if opened.output_seen else None,
        exit_code=fact.exit_code if fact.signal is None else -fact.signal,
    )
    links = tools.judged(state.tools, state.epoch)
    state = replace(state, open_steps=left, memory=judged.memory, tools=links)
    state, actions = _answer_end(state, fact, judged.finding)
    return state, (*bugs_of(judged), *actions)


def _answer_end(state: State, fact: StepEnded, found: Found | None) -> Result:
    released = (Release(step=fact.step),) if fact.held else ()
    if found is None:
        return state, released
    if found.answer == "stop":
        if state.stop is not None:
            return state, released
        stop = stop_of(found)
        return replace(state, stop=stop), (finding_of(found), stop, *released)
    if found.answer == "nudge" and fact.held:
        return state, (finding_of(found), Release(step=fact.step, text=found.text))
    return state, (finding_of(replace(found, answer="record")), *released)


def _output_seen(fact: ExecStarted) -> bool:
    """A terminal is left alone by the guard: what was written there is not known."""
    return not {"tty", "other"} & set(fact.fds[1:])


def stop_of(found: Found) -> Stop:
    return Stop(outcome="no_progress", exit_code=120, reason=found.text)


def finding_of(found: Found, *more: int) -> Finding:
    return Finding(
        detector=found.detector,
        steps=(*found.steps, *more),
        answer=found.answer,
        confidence=found.confidence,
        text=found.text,
    )


def bugs_of(judged: Judged) -> tuple[DetectorFailed, ...]:
    return tuple(DetectorFailed(detector=bug.detector, step=bug.step, error=bug.error) for bug in judged.bugs)


def refusal(
    fact: ExecStarted,
    kind: ExecKind,
    reason: str,
    number: int | None = None,
    command: str | None = None,
    call: str | None = None,
) -> Verdict:
    """The verdict on an exec that comes while the run is being stopped."""
    return Verdict(
        exec_id=fact.exec_id,
        kind=kind,
        allow=False,
        step=number,
        command=command,
        message=f"microloop: refused: the run is being stopped: {reason}",
        tool_call=call,
    )
