"""Step, wall and idle limits: a warning at a share of each, then one stop."""

from __future__ import annotations

import msgspec

from microloop_cli.core.actions import Action, LimitWarning, Stop, WakeAt
from microloop_cli.core.settings import Limits

# This share of one CPU counts as activity.
BUSY_CPU_SHARE = 0.1


class LimitState(msgspec.Struct, frozen=True):
    """What the limits remember: warnings already said, and the second of the last activity."""

    warned: frozenset[str] = frozenset()
    last_activity: float = 0.0


def check_steps(limits: Limits, state: LimitState, steps: int) -> tuple[LimitState, tuple[Action, ...]]:
    """Judge the start of step number `steps`: past the limit it is a Stop, near it a warning."""
    if limits.steps is None:
        return state, ()
    if steps > limits.steps:
        reason = f"the limit of {limits.steps} steps is reached"
        return state, (Stop(outcome="step_limit", exit_code=121, reason=reason),)
    if steps >= limits.warn_at * limits.steps:
        return warn(state, LimitWarning(limit="steps", used=steps, allowed=limits.steps))
    return state, ()


def check_time(
    limits: Limits, state: LimitState, now: float, *, waiting: bool = False
) -> tuple[LimitState, tuple[Action, ...]]:
    """Judge the clock: wall time since the start, idle time since the last activity.

    waiting: for a model's answer; idle time does not run.
    """
    actions: tuple[Action, ...] = ()
    if limits.wall_seconds is not None:
        if now >= limits.wall_seconds:
            return state, (_time_stop(f"the time limit of {_seconds(limits.wall_seconds)} is reached"),)
        if now >= limits.warn_at * limits.wall_seconds:
            warning = LimitWarning(limit="wall_seconds", used=now, allowed=limits.wall_seconds)
            state, actions = warn(state, warning)
    if limits.idle_seconds is not None and not waiting:
        idle = now - state.last_activity
        if idle >= limits.idle_seconds:
            return state, (_time_stop(f"nothing happened for {_seconds(limits.idle_seconds)} (idle limit)"),)
        if idle >= limits.warn_at * limits.idle_seconds:
            warning = LimitWarning(limit="idle_seconds", used=idle, allowed=limits.idle_seconds)
            state, more = warn(state, warning)
            actions += more
    return state, actions


def next_wake(
    limits: Limits,
    state: LimitState,
    now: float,
    *,
    waiting: bool = False,
    also: tuple[float, ...] = (),
) -> tuple[WakeAt, ...]:
    """When the clock has to be judged again, `also` among it; empty when nothing depends on time."""
    moments: list[float] = [*also]
    if limits.wall_seconds is not None:
        moments += [limits.warn_at * limits.wall_seconds, limits.wall_seconds]
    if limits.idle_seconds is not None and not waiting:
        for share in (limits.warn_at, 1.0):
            moments.append(state.last_activity + share * limits.idle_seconds)
    ahead = [moment for moment in moments if moment > now]
    return (WakeAt(at=min(ahead)),) if ahead else ()


def computes(cpu_seconds: float, quiet_seconds: float) -> bool:
    """Whether CPU time used since the last sample is activity: a silent step that computes is not idle."""
    return cpu_seconds > BUSY_CPU_SHARE * min(quiet_seconds, 1.0)


def touched(state: LimitState, now: float) -> LimitState:
    """Something happened: idle time starts anew."""
    return LimitState(warned=state.warned, last_activity=now)


def warn(state: LimitState, warning: LimitWarning) -> tuple[LimitState, tuple[Action, ...]]:
    """The warning, unless it was said before."""
    if warning.limit in state.warned:
        return state, ()
    return msgspec.structs.replace(state, warned=state.warned | {warning.limit}), (warning,)


def _time_stop(reason: str) -> Stop:
    return Stop(outcome="time_limit", exit_code=124, reason=reason)


def _seconds(value: float) -> str:
    return f"{value:g} s"
