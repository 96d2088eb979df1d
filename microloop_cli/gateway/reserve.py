"""The limits of one run over its model calls: begin, progress, end. Pure: each returns the next state.

Before a call its worst case is held (input and all the output it may have); after it, what it used is
charged. A worst case is seldom met: 64,000 tokens are allowed for and 1,000 come. So by default a call is
admitted while what is charged, what running calls have come to so far, and the new call's input leave
something of the limit. A stream is cut by the first chunk that takes the sum over the limit; where an answer
is not streamed, `Admitted.cap_output_tokens` is to be written into the request.

The bound: total - limit <= the sum, over the calls running when the limit is crossed, of what each can add
unseen: its input above what was expected of it (a missed cache, a low estimate), and one chunk if it is
streamed and shows all its output, else the output it may still have, which its cap keeps to what was left
when it began. So a run that makes one call at a time ends over its limit by one input and, streaming, one
chunk at most; n calls at once that are not streamed by n inputs and n - 1 times what was left. No call begins
over a limit; that of calls is exact.

With `tight="refuse"` a call begins only when its worst case fits beside all that is held: then nothing is
overspent with a server that keeps to its max_tokens, at the price of stopping early.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from microloop_cli.gateway.cost import MAX_TOKENS, affordable_output, cost, count, shown_usd
from microloop_cli.gateway.model import Price, Usage
from microloop_cli.gateway.running import final_usage, learned, new_call, seen_so_far
from microloop_cli.gateway.spending import (
    NOTHING,
    Admitted,
    Charge,
    LimitName,
    NearLimit,
    Refused,
    RunLimits,
    Running,
    Spending,
    refused,
)

# Held when a request does not say how long its answer may be.
UNSTATED_OUTPUT_TOKENS = 16_384
# No model answers at such length when it is not told to.
LARGEST_OUTPUT_TOKENS = 131_072
# An answer shorter than this is no use, and some servers take no smaller max_tokens.
LEAST_OUTPUT_TOKENS = 16


def begin(
    limits: RunLimits,
    state: Spending,
    *,
    input_tokens: int,
    max_output_tokens: int | None,
    price: Price | None,
) -> tuple[Spending, Admitted | Refused]:
    """Ask for a call; input_tokens is an estimate. price None: not known, which no cost limit allows."""
    asked = count(UNSTATED_OUTPUT_TOKENS if max_output_tokens is None else max_output_tokens)
    call = new_call(state.shares, price, count(input_tokens), asked)
    covered = _fits(limits, state, call)
    no = _refusal(limits, state, call, asked)
    if no is None and limits.tight == "refuse" and not covered:
        no = _uncovered(limits, state, call)
    if no is not None:
        return state, no
    number = state.begun + 1
    admitted = Admitted(
        number=number,
        cap_output_tokens=_cap(limits, state, call, max_output_tokens),
        covered=covered,
        held_usd=call.held_usd,
    )
    return _exchange(replace(state, begun=number), number, None, call), admitted


def progress(
    limits: RunLimits, state: Spending, number: int, seen_output_tokens: int, usage: Usage | None = None
) -> tuple[Spending, Refused | None]:
    """Count what has passed of a call. Refused: cut it now. usage: what its stream has told of it so far."""
    call = state.running.get(number)
    if call is None:
        return state, None
    later = seen_so_far(call, seen_output_tokens, usage)
    if later is not call:
        state = _exchange(state, number, call, later)
    return state, over(limits, state)


def revise(state: Spending, number: int, input_tokens: int) -> Spending:
    """A call's request was changed before it was sent: another estimate of its input."""
    call = state.running.get(number)
    if call is None:
        return state
    output_tokens = call.held_tokens - call.input_tokens
    return _exchange(
        state, number, call, new_call(state.shares, call.price, count(input_tokens), output_tokens)
    )


def over(limits: RunLimits, state: Spending) -> Refused | None:
    """Whether what is charged and what running calls have come to is more than a limit."""
    if limits.max_cost_usd is not None and state.used_usd > limits.max_cost_usd:
        return refused("cost_usd", state.used_usd, limits.max_cost_usd)
    if limits.max_tokens is not None and state.used_tokens > limits.max_tokens:
        return refused("tokens", state.used_tokens, limits.max_tokens)
    return None


def end(
    state: Spending, number: int, usage: Usage | None, *, whole: bool = True
) -> tuple[Spending, Charge | None]:
    """Charge a call. usage None: never told, so what was expected and seen is charged, and marked estimated.

    whole False: the answer was cut or broke off, so its usage may lag behind what was seen. Returns None for
    a call that is not running (it was ended before): nothing is charged twice.
    """
    call = state.running.get(number)
    if call is None:
        return state, None
    used = final_usage(call, usage, whole)
    paid = None if call.price is None else cost(call.price, used)
    told = usage is not None and whole and not used.estimated
    state = replace(
        _exchange(state, number, call, None),
        ended=state.ended + 1,
        tokens=state.tokens + used.input_tokens + used.output_tokens,
        cost_usd=state.cost_usd + (paid or NOTHING),
        unpriced_calls=state.unpriced_calls + (paid is None),
        shares=learned(state.shares, call, used) if told else state.shares,
    )
    return state, Charge(used, paid)


def release(state: Spending, number: int) -> Spending:
    """A call came to nothing (refused or not reached upstream): it is not charged and not counted."""
    call = state.running.get(number)
    return state if call is None else _exchange(state, number, call, None)


def near(limits: RunLimits, state: Spending) -> tuple[Spending, tuple[NearLimit, ...]]:
    """Warnings that are due; each limit warns once."""
    levels: tuple[tuple[LimitName, Decimal, Decimal | int | None], ...] = (
        ("cost_usd", state.used_usd, limits.max_cost_usd),
        ("tokens", Decimal(state.used_tokens), limits.max_tokens),
        ("model_calls", Decimal(state.calls), limits.max_calls),
    )
    due = tuple(
        NearLimit(limit=name, used=used, allowed=Decimal(allowed))
        for name, used, allowed in levels
        if allowed is not None and name not in state.warned and used >= limits.warn_at * allowed
    )
    if not due:
        return state, ()
    return replace(state, warned=state.warned | {warning.limit for warning in due}), due


def _refusal(limits: RunLimits, state: Spending, call: Running, asked: int) -> Refused | None:
    if limits.max_calls is not None and state.calls >= limits.max_calls:
        return refused("model_calls", state.calls, limits.max_calls)
    if limits.max_cost_usd is not None and call.price is None:
        return _unpriced(state, limits.max_cost_usd)
    least = min(LEAST_OUTPUT_TOKENS, asked)
    left_tokens = _left_tokens(limits, state, call)
    if limits.max_tokens is not None and (left_tokens < least or state.used_tokens >= limits.max_tokens):
        wanted = f", and the next call's input has about {call.expected_input_tokens}"
        return refused("tokens", state.used_tokens, limits.max_tokens, wanted)
    by_cost = _affordable_by_cost(limits, state, call)
    if limits.max_cost_usd is not None and by_cost < max(1, least):
        wanted = f", and the next call's input costs about {shown_usd(call.expected_input_usd)}"
        return refused("cost_usd", state.used_usd, limits.max_cost_usd, wanted)
    return None


def _uncovered(limits: RunLimits, state: Spending, call: Running) -> Refused:
    """The worst case does not fit, and the policy wants no overshoot at all."""
    if (
        limits.max_cost_usd is not None
        and state.cost_usd + state.held_usd + call.held_usd > limits.max_cost_usd
    ):
        held, next_call = shown_usd(state.held_usd), shown_usd(call.held_usd)
        wanted = f", {held} held for running calls, and the next may cost {next_call}"
        return refused("cost_usd", state.cost_usd, limits.max_cost_usd, wanted)
    wanted = f", {state.held_tokens} held for running calls, and the next may use {call.held_tokens}"
    return refused("tokens", state.tokens, limits.max_tokens or 0, wanted)


def _unpriced(state: Spending, allowed: Decimal) -> Refused:
    message = (
        "microloop: this run has a cost limit (--max-cost), and the model that was asked for has no price"
    )
    return Refused(limit="price", used=state.used_usd, allowed=allowed, message=message)


def _fits(limits: RunLimits, state: Spending, call: Running) -> bool:
    by_cost = limits.max_cost_usd is None or (
        call.price is not None and state.cost_usd + state.held_usd + call.held_usd <= limits.max_cost_usd
    )
    held = state.tokens + state.held_tokens + call.held_tokens
    return by_cost and (limits.max_tokens is None or held <= limits.max_tokens)


def _cap(limits: RunLimits, state: Spending, call: Running, asked: int | None) -> int | None:
    pays_for = min(_left_tokens(limits, state, call), _affordable_by_cost(limits, state, call))
    return pays_for if pays_for < (LARGEST_OUTPUT_TOKENS if asked is None else asked) else None


def _left_tokens(limits: RunLimits, state: Spending, call: Running) -> int:
    if limits.max_tokens is None:
        return MAX_TOKENS
    return limits.max_tokens - state.used_tokens - call.expected_input_tokens


def _affordable_by_cost(limits: RunLimits, state: Spending, call: Running) -> int:
    if limits.max_cost_usd is None or call.price is None or not call.held_usd:
        return MAX_TOKENS
    left = limits.max_cost_usd - state.used_usd - call.expected_input_usd
    return affordable_output(call.price, call.input_tokens, left)


def _exchange(state: Spending, number: int, old: Running | None, new: Running | None) -> Spending:
    """Put a running call in the place of its former self; the totals follow."""
    running = dict(state.running)
    old = _NO_CALL if old is None else old
    if new is None:
        running.pop(number)
        new = _NO_CALL
    else:
        running[number] = new
    return replace(
        state,
        running=running,
        counted_tokens=state.counted_tokens - old.counted_tokens + new.counted_tokens,
        counted_usd=state.counted_usd - old.counted_usd + new.counted_usd,
        held_tokens=state.held_tokens - old.held_tokens + new.held_tokens,
        held_usd=state.held_usd - old.held_usd + new.held_usd,
    )


_NO_CALL = new_call({}, None, 0, 0)
