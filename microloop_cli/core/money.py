"""What a run's model calls came to so far: sums, exact, and which limit is reached. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from microloop_cli.core.settings import Limits
from microloop_cli.core.traffic import ModelAnswered, ModelLimit

NOTHING = Decimal(0)
# No amount of a call is beyond this; text that says so is no amount.
MOST_USD = Decimal(10) ** 12
RUNNING_CALLS = 1_024

RunLimit = Literal["cost_usd", "tokens", "model_calls"]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """calls: how many were let through. running: those without an answer. tokens, cost_usd: of ended ones.

    reached: the limit of the first refusal, at second `refused_at`, in its own words `told`. refusals:
    requests that a limit did not let through. errors: those refused otherwise since one was let through.
    """

    calls: int = 0
    running: frozenset[int] = frozenset()
    tokens: int = 0
    cost_usd: Decimal = NOTHING
    reached: ModelLimit | None = None
    refused_at: float = 0.0
    told: str = ""
    refusals: int = 0
    errors: int = 0


def begun(money: Money, call: int) -> Money:
    running = money.running if len(money.running) < RUNNING_CALLS else money.running - {min(money.running)}
    return msgspec.structs.replace(money, calls=money.calls + 1, running=running | {call}, errors=0)


def charged(money: Money, answer: ModelAnswered) -> Money:
    """A call that ended; without a price it costs nothing here, its tokens count all the same. One that was
    cut was refused for that, which is no request that was made after the limit was reached.
    """
    return msgspec.structs.replace(
        money,
        running=money.running - {answer.call},
        tokens=money.tokens + max(0, answer.tokens.input) + max(0, answer.tokens.output),
        cost_usd=money.cost_usd + (amount(answer.cost_usd) or NOTHING),
        refusals=max(0, money.refusals - answer.cut),
    )


def amount(text: str | None) -> Decimal | None:
    """Dollars as a fact has them; None when there are none, or no sensible ones."""
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and 0 <= value <= MOST_USD else None


def shares(limits: Limits, money: Money) -> list[tuple[RunLimit, Decimal, Decimal]]:
    """Each limit that is set: its name, how much is used, how much is allowed."""
    found: list[tuple[RunLimit, Decimal, Decimal]] = []
    if limits.cost_usd is not None:
        found.append(("cost_usd", money.cost_usd, limits.cost_usd))
    if limits.tokens is not None:
        found.append(("tokens", Decimal(money.tokens), Decimal(limits.tokens)))
    if limits.model_calls is not None:
        found.append(("model_calls", Decimal(money.calls), Decimal(limits.model_calls)))
    return found


def used_up(limits: Limits, money: Money) -> RunLimit | None:
    """The first limit of which nothing is left for another call."""
    return next((name for name, used, allowed in shares(limits, money) if used >= allowed), None)


def reason(limits: Limits, money: Money) -> str:
    """Which limit is reached, in words; a budget speaks for itself."""
    for name, used, allowed in shares(limits, money):
        if name == money.reached:
            return _WORDS[name](used, allowed)
    return money.told.removeprefix("microloop: ") or f"the limit {money.reached} is reached"


def shown_usd(value: Decimal) -> str:
    """Exact dollars, two decimals at least: `$1.20`, `$0.0125`."""
    whole, _, part = format(value, "f").partition(".")
    return f"${whole}.{part.rstrip('0').ljust(2, '0')}"


_WORDS: dict[str, Callable[[Decimal, Decimal], str]] = {
    "cost_usd": lambda used, allowed: (
        f"the cost limit of {shown_usd(allowed)} is reached ({shown_usd(used)} used)"
    ),
    "tokens": lambda used, allowed: f"the limit of {allowed} tokens is reached ({used} used)",
    "model_calls": lambda used, allowed: f"the limit of {allowed} model calls is reached",
}
