"""The fold: `step(state, at, fact)` gives the next state and what is to be done. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from microloop_cli.core import limits
from microloop_cli.core.actions import Ended, Outcome, Stop, Verdict
from microloop_cli.core.events import (
    AgentExited,
    AgentNotStarted,
    AnyFact,
    ExecCancelled,
    ExecStarted,
    GuardFailed,
    Interrupted,
    ResourceSample,
    RunStarted,
    StepEnded,
    Tick,
    WorkspaceChanged,
)
from microloop_cli.core.judging import Result, begin_step, end_step, refusal
from microloop_cli.core.lineage import classify, remember
from microloop_cli.core.spending import (
    check_grace,
    limit_stop,
    model_answered,
    model_asked,
    model_refused,
    wake,
)
from microloop_cli.core.state import State
from microloop_cli.core.tool_judging import tool_answered, tool_called
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, ModelRefused, ToolAnswered, ToolCalled

CHANGED_PATHS_KEPT = 16


def step(state: State, at: float, fact: AnyFact) -> Result:
    """Fold one fact in. Facts without a rule change nothing; after `Ended` nothing changes at all."""
    handler = _HANDLERS.get(type(fact))
    if handler is None or state.ended:
        return state, ()
    return handler(state, at, fact)


def _run_started(state: State, at: float, fact: RunStarted) -> Result:
    state = replace(
        state, workspace=fact.workspace, epoch=fact.epoch, limits=limits.touched(state.limits, at)
    )
    return state, wake(state, at)


def _exec(state: State, at: float, fact: ExecStarted) -> Result:
    state = _active(state, at)
    if not fact.awaiting:
        return state, ()
    classified = classify(state.family, fact, state.settings.agent)
    state = replace(state, family=remember(state.family, fact, classified))
    if classified.kind == "step":
        return begin_step(state, at, fact)
    if state.stop is not None:
        return state, (refusal(fact, classified.kind, state.stop.reason),)
    return state, (Verdict(exec_id=fact.exec_id, kind=classified.kind, allow=True),)


def _step_ended(state: State, at: float, fact: StepEnded) -> Result:
    return end_step(_active(state, at), fact)


def _exec_cancelled(state: State, at: float, fact: ExecCancelled) -> Result:
    left = {n: value for n, value in state.open_steps.items() if value.exec_id != fact.exec_id}
    return replace(state, open_steps=left), ()


def _workspace_changed(state: State, at: float, fact: WorkspaceChanged) -> Result:
    changed = (*state.changed, *fact.paths)[:CHANGED_PATHS_KEPT]
    return replace(_active(state, at), epoch=fact.epoch, changed=changed), ()


def _sampled(state: State, at: float, fact: ResourceSample) -> Result:
    """CPU used while a step is open is activity; processes that ended take their share out of the sum."""
    used = fact.cpu_seconds - state.cpu_seconds
    quiet = at - state.limits.last_activity
    state = replace(state, cpu_seconds=fact.cpu_seconds)
    busy = bool(state.open_steps) and limits.computes(used, quiet)
    return (_active(state, at) if busy else state), ()


def _tick(state: State, at: float, fact: Tick) -> Result:
    if state.stop is not None:
        return state, ()
    waiting = bool(state.money.running)
    limit_state, actions = limits.check_time(state.settings.limits, state.limits, at, waiting=waiting)
    stop = next((action for action in actions if isinstance(action, Stop)), None)
    state = replace(state, limits=limit_state, stop=stop)
    if stop is None:
        state, more = check_grace(state, at)
        actions += more
    return state, actions + wake(state, at)


def _interrupted(state: State, at: float, fact: Interrupted) -> Result:
    if state.stop is not None:
        return state, ()
    name = {1: "SIGHUP", 2: "^C", 15: "SIGTERM"}.get(fact.signal, f"signal {fact.signal}")
    stop = Stop(outcome="interrupted", exit_code=128 + fact.signal, reason=f"interrupted by {name}")
    return replace(state, stop=stop), (stop,)


def _agent_exited(state: State, at: float, fact: AgentExited) -> Result:
    """An agent that heard of a limit and ended by itself was ended by the limit."""
    stop = state.stop or limit_stop(state)
    state = replace(state, stop=stop)
    if fact.signal is not None:
        return _end(state, "ended", 128 + fact.signal, f"the agent was killed by signal {fact.signal}")
    return _end(state, "ended", fact.exit_code or 0, f"the agent ended with exit code {fact.exit_code}")


def _agent_not_started(state: State, at: float, fact: AgentNotStarted) -> Result:
    if fact.reason == "not_found":
        return _end(state, "failed", 127, f"{fact.path}: not found in the sandbox")
    return _end(state, "failed", 126, f"{fact.path}: cannot be executed in the sandbox")


def _guard_failed(state: State, at: float, fact: GuardFailed) -> Result:
    return _end(state, "failed", 125, fact.reason)


def _end(state: State, outcome: Outcome, exit_code: int, reason: str) -> Result:
    """The first stop wins over however the agent then ended."""
    stop = state.stop or Stop(outcome=outcome, exit_code=exit_code, reason=reason)
    ended = Ended(outcome=stop.outcome, exit_code=stop.exit_code, reason=stop.reason)
    return replace(state, ended=True), (ended,)


def _active(state: State, at: float) -> State:
    return replace(state, limits=limits.touched(state.limits, at))


def _heard(handler: Callable[[State, float, Any], Result]) -> Callable[[State, float, Any], Result]:
    """Traffic is activity: idle time starts anew."""
    return lambda state, at, fact: handler(_active(state, at), at, fact)


_HANDLERS: dict[type, Callable[[State, float, Any], Result]] = {
    RunStarted: _run_started,
    ExecStarted: _exec,
    StepEnded: _step_ended,
    ExecCancelled: _exec_cancelled,
    WorkspaceChanged: _workspace_changed,
    ResourceSample: _sampled,
    Tick: _tick,
    Interrupted: _interrupted,
    AgentExited: _agent_exited,
    AgentNotStarted: _agent_not_started,
    GuardFailed: _guard_failed,
    ModelAsked: _heard(model_asked),
    ModelAnswered: _heard(model_answered),
    ModelRefused: _heard(model_refused),
    ToolCalled: _heard(tool_called),
    ToolAnswered: _heard(tool_answered),
}
