"""One model call while it runs: what is expected of it, was seen of it, and is charged for it. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from microloop_cli.gateway.cost import at_size, cost, count, dearest_cost
from microloop_cli.gateway.model import Price, Usage
from microloop_cli.gateway.spending import NOTHING, InputShare, Running, Shares

# Expectations are rounded to this, so that sums over running calls stay exact.
_STEP_USD = Decimal("1e-9")
_MAX_SHARES = 16


def new_call(shares: Shares, price: Price | None, input_tokens: int, output_tokens: int) -> Running:
    """A call before it begins: its worst case, and the input expected by the last call at the same price."""
    share = shares.get(price, InputShare())
    tokens = int(input_tokens * share.tokens)
    usd, worst_usd = NOTHING, NOTHING
    if price is not None:
        full = cost(price, Usage(input_tokens=input_tokens)) * share.usd
        usd = min(full.quantize(_STEP_USD), dearest_cost(price, input_tokens, 0))
        worst_usd = dearest_cost(price, input_tokens, output_tokens)
    return Running(
        price=price,
        input_tokens=input_tokens,
        estimated_input_tokens=input_tokens,
        expected_input_tokens=tokens,
        expected_input_usd=usd,
        counted_tokens=tokens,
        counted_usd=usd,
        held_tokens=input_tokens + output_tokens,
        held_usd=worst_usd,
    )


def seen_so_far(call: Running, output_tokens: int, usage: Usage | None) -> Running:
    """The call after more of its answer has passed; what its stream tells goes before guesses."""
    seen = max(call.seen_output_tokens, count(output_tokens))
    if usage is not None:
        seen = max(seen, count(usage.output_tokens), count(usage.reasoning_tokens))
        call = _with_told_input(call, usage)
    elif seen == call.seen_output_tokens:
        return call
    tokens = call.expected_input_tokens + seen
    rate = NOTHING if call.price is None else at_size(call.price, call.input_tokens).output_usd
    usd = call.expected_input_usd + seen * rate / 1_000_000
    return replace(
        call,
        seen_output_tokens=seen,
        counted_tokens=tokens,
        counted_usd=usd,
        held_tokens=max(call.held_tokens, tokens),
        held_usd=max(call.held_usd, usd),
    )


def final_usage(call: Running, usage: Usage | None, whole: bool) -> Usage:
    """What is charged: as told, but gaps are guessed, and all that was seen of a cut answer counts."""
    if usage is None:
        return Usage(input_tokens=call.input_tokens, output_tokens=call.seen_output_tokens, estimated=True)
    given = count(usage.input_tokens)
    output = max(count(usage.output_tokens), count(usage.reasoning_tokens))
    if not whole or not output:
        output = max(output, call.seen_output_tokens)
    guessed = usage.estimated or not given or output > max(usage.output_tokens, usage.reasoning_tokens)
    return replace(usage, input_tokens=given or call.input_tokens, output_tokens=output, estimated=guessed)


def _with_told_input(call: Running, usage: Usage) -> Running:
    untold = usage.estimated and usage.input_tokens == call.estimated_input_tokens
    if usage.input_tokens <= 0 or untold:  # our own estimate knows of no caches
        return call
    return replace(
        call,
        input_tokens=count(usage.input_tokens),
        expected_input_tokens=count(usage.input_tokens),
        expected_input_usd=_input_usd(call.price, usage),
    )


def _input_usd(price: Price | None, usage: Usage) -> Decimal:
    return NOTHING if price is None else cost(price, replace(usage, output_tokens=0, reasoning_tokens=0))


def learned(shares: Shares, call: Running, used: Usage) -> Shares:
    """With what the next call at this price is expected to need of its input estimate."""
    if not call.estimated_input_tokens:
        return shares
    full = _input_usd(call.price, Usage(input_tokens=call.estimated_input_tokens))
    paid = _input_usd(call.price, used)
    share = InputShare(
        tokens=min(Decimal(used.input_tokens) / call.estimated_input_tokens, Decimal(1)),
        usd=min(paid / full, Decimal(2)) if full else Decimal(1),
    )
    kept = {} if len(shares) >= _MAX_SHARES else shares
    return {**kept, call.price: share}
