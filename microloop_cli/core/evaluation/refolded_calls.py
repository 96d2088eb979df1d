"""Model calls of a record under other settings: which would not have been made, and what they cost. Pure."""

from __future__ import annotations

from decimal import Decimal

from microloop_cli.core import money
from microloop_cli.core.events import AnyFact
from microloop_cli.core.state import State
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, ModelRefused


class RefoldedCalls:
    """Told of all facts of a record in their order. `saved_usd`: of calls that would not have been made;
    `priced`: the record tells costs at all."""

    def __init__(self) -> None:
        self.saved_usd = money.NOTHING
        self.priced = False
        self._unmade: set[int] = set()

    def as_it_would_be(self, state: State, fact: AnyFact) -> AnyFact | None:
        """The fact under these settings: a call beyond a limit is refused, one after the stop is not made,
        and a refusal for a limit that is far from reached now does not come. None: nothing happens."""
        if isinstance(fact, ModelAsked):
            return self._asked(state, fact)
        if isinstance(fact, ModelAnswered):
            return self._answered(fact)
        if isinstance(fact, ModelRefused):
            return fact if _is_near(state, fact) else None
        return fact

    def _asked(self, state: State, fact: ModelAsked) -> AnyFact | None:
        limit = money.used_up(state.settings.limits, state.money)
        if state.stop is None and limit is None:
            return fact
        self._unmade.add(fact.call)
        return None if state.stop is not None or limit is None else ModelRefused(limit=limit, message="")

    def _answered(self, fact: ModelAnswered) -> AnyFact | None:
        cost = money.amount(fact.cost_usd)
        self.priced = self.priced or cost is not None
        if fact.call not in self._unmade:
            return fact
        self.saved_usd += cost or money.NOTHING
        return None


def _is_near(state: State, fact: ModelRefused) -> bool:
    """A call may be refused before its limit is reached, when its worst case is more than what is left."""
    limits = state.settings.limits
    known = {name: (used, allowed) for name, used, allowed in money.shares(limits, state.money)}
    if fact.limit in ("cost_usd", "tokens", "model_calls"):
        used, allowed = known.get(fact.limit, (Decimal(0), Decimal(1)))
        return used >= Decimal(str(limits.warn_at)) * allowed
    return True
