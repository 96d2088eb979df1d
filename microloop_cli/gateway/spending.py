"""What one run may spend on models and has spent: limits, running calls, totals. Pure data."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from microloop_cli.core.traffic import ModelLimit
from microloop_cli.gateway.cost import shown_usd
from microloop_cli.gateway.model import Price, Usage

LimitName = ModelLimit
NOTHING = Decimal(0)
OPTIONS: dict[str, str] = {
    "cost_usd": "--max-cost",
    "tokens": "--max-tokens",
    "model_calls": "--max-model-calls",
}


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Upper bounds of one run; None: no limit. A warning comes at `warn_at` of each.

    tight, when a call's worst case does not fit into what is left: "admit" it all the same, or "refuse" it.
    """

    max_cost_usd: Decimal | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    warn_at: Decimal = Decimal("0.8")
    tight: Literal["admit", "refuse"] = "admit"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A call that has begun. Counted is what it is known or expected to use so far, held its worst case.

    input_tokens is the estimate until its stream has told better.
    """

    price: Price | None
    estimated_input_tokens: int
    input_tokens: int
    expected_input_tokens: int
    expected_input_usd: Decimal
    counted_tokens: int
    counted_usd: Decimal
    held_tokens: int
    held_usd: Decimal
    seen_output_tokens: int = 0


class InputShare(msgspec.Struct, frozen=True):
    """How much of its estimate, and of that at full price, the input of the last call came to (caches)."""

    tokens: Decimal = Decimal(1)
    usd: Decimal = Decimal(1)


Shares = dict[Price | None, InputShare]


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """All calls of a run so far. cost_usd and tokens are of ended calls; counted and held of running ones.

    unpriced_calls ended without a price: they are not in cost_usd. The mappings are replaced, never changed.
    """

    begun: int = 0
    ended: int = 0
    tokens: int = 0
    cost_usd: Decimal = NOTHING
    unpriced_calls: int = 0
    running: dict[int, Running] = {}
    counted_tokens: int = 0
    counted_usd: Decimal = NOTHING
    held_tokens: int = 0
    held_usd: Decimal = NOTHING
    shares: Shares = {}
    warned: frozenset[str] = frozenset()

    @property
    def used_usd(self) -> Decimal:
        return self.cost_usd + self.counted_usd

    @property
    def used_tokens(self) -> int:
        return self.tokens + self.counted_tokens

    @property
    def calls(self) -> int:
        return self.ended + len(self.running)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is answered by the gateway, or a stream cut, in the names of `core.traffic.ModelLimit`.

    cost_usd, tokens and model_calls are limits of the run, budget is one beyond it: of those used and allowed
    say how far it is used up. price: the model has none, or what it does cannot be counted; unavailable: the
    budgets could not be read; stopped: the run was stopped for another reason.
    """

    limit: LimitName
    used: Decimal
    allowed: Decimal
    message: str


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A call may begin. covered: its worst case fits beside the worst cases of all that is running.

    cap_output_tokens: what is left pays for no longer an answer than this; None: for all that it may have.
    """

    number: int
    cap_output_tokens: int | None
    covered: bool
    held_usd: Decimal


class NearLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The warning before a limit."""

    limit: LimitName
    used: Decimal
    allowed: Decimal


class Charge(msgspec.Struct, frozen=True):
    """What an ended call came to; cost_usd None: its model has no price."""

    usage: Usage
    cost_usd: Decimal | None


def refused(limit: LimitName, used: Decimal | int, allowed: Decimal | int, wanted: str = "") -> Refused:
    """The refusal in words that say whose limit it is; `wanted` says what the next call would need."""
    money = limit == "cost_usd"
    have, most = (shown_usd(Decimal(amount)) if money else f"{amount}" for amount in (used, allowed))
    name = {"cost_usd": "cost limit", "tokens": "token limit"}.get(limit, "limit of model calls")
    message = f"microloop: this run's {name} of {most} ({OPTIONS[limit]}) is reached: {have} used{wanted}"
    return Refused(limit=limit, used=Decimal(used), allowed=Decimal(allowed), message=message)
