"""Model calls in the fold: sums and warnings; what becomes of a run that goes on after a limit. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from microloop_cli.core import limits, money
from microloop_cli.core.actions import Action, LimitWarning, Stop, WakeAt
from microloop_cli.core.state import State
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, ModelRefused

Result = tuple[State, tuple[Action, ...]]

RUN_LIMITS = frozenset({"cost_usd", "tokens", "model_calls", "budget"})
# An agent that heard of its limit may end by itself; it is stopped when it asks this often, or after so long.
REFUSALS_HEARD = 3
GRACE_SECONDS = 10.0
# So many errors of the gateway's own in a row: an agent that only repeats a call that cannot be made.
ERRORS_IN_A_ROW = 20


def model_asked(state: State, at: float, fact: ModelAsked) -> Result:
    return _warned(replace(state, money=money.begun(state.money, fact.call)))


def model_answered(state: State, at: float, fact: ModelAnswered) -> Result:
    """Idle time runs again from here, so the clock is to be judged anew."""
    state, warnings = _warned(replace(state, money=money.charged(state.money, fact)))
    return state, (*warnings, *wake(state, at))


def model_refused(state: State, at: float, fact: ModelRefused) -> Result:
    """The agent hears of it first; what a limit means for the run follows when it asks on, or in a while."""
    if fact.limit not in RUN_LIMITS:
        errors = state.money.errors + 1
        state = replace(state, money=replace(state.money, errors=errors))
        return _spinning(state, fact) if errors > ERRORS_IN_A_ROW else (state, ())
    first = state.money.reached is None
    spent = replace(state.money, refusals=state.money.refusals + 1)
    if first:
        spent = replace(spent, reached=fact.limit, refused_at=at, told=fact.message)
    state = replace(state, money=spent)
    if spent.refusals > REFUSALS_HEARD:
        return _stopped(state)
    return state, (wake(state, at) if first else ())


def check_grace(state: State, at: float) -> Result:
    """A Tick: the time to end by itself may be over."""
    over = state.money.reached is not None and at >= state.money.refused_at + GRACE_SECONDS
    return _stopped(state) if over else (state, ())


def limit_stop(state: State) -> Stop | None:
    """How a run ends on its limit, whether stopped or by itself; None when none is reached."""
    if state.money.reached is None:
        return None
    why = money.reason(state.settings.limits, state.money)
    return Stop(outcome="cost_limit", exit_code=122, reason=why)


def wake(state: State, at: float) -> tuple[WakeAt, ...]:
    """When the clock has to be judged next; nothing once the run is stopping."""
    if state.stop is not None:
        return ()
    also = () if state.money.reached is None else (state.money.refused_at + GRACE_SECONDS,)
    waiting = bool(state.money.running)
    return limits.next_wake(state.settings.limits, state.limits, at, waiting=waiting, also=also)


def _warned(state: State) -> Result:
    share = Decimal(str(state.settings.limits.warn_at))
    said: tuple[Action, ...] = ()
    known = state.limits
    for name, used, allowed in money.shares(state.settings.limits, state.money):
        if used >= share * allowed:
            warning = LimitWarning(limit=name, used=float(used), allowed=float(allowed))
            known, more = limits.warn(known, warning)
            said += more
    return replace(state, limits=known), said


def _stopped(state: State) -> Result:
    stop = limit_stop(state)
    if stop is None or state.stop is not None:
        return state, ()
    return replace(state, stop=stop), (stop,)


def _spinning(state: State, fact: ModelRefused) -> Result:
    if state.stop is not None:
        return state, ()
    why = fact.message.removeprefix("microloop: ") or fact.limit
    stop = Stop(
        outcome="policy_stop",
        exit_code=123,
        reason=f"{state.money.errors} model calls in a row could not be made: {why}",
    )
    return replace(state, stop=stop), (stop,)
