"""Judge recorded facts again: the same fold, compared with the decisions that were recorded."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from microloop_cli.core.actions import AnyDecision, WakeAt
from microloop_cli.core.events import AnyFact
from microloop_cli.core.fact import Fact
from microloop_cli.core.settings import Settings
from microloop_cli.core.state import State, initial
from microloop_cli.core.step import step


class Difference(msgspec.Struct, frozen=True):
    """Where a replay went another way: the fact's number (from 1), what was recorded and what came now."""

    fact: int
    recorded: tuple[AnyDecision, ...]
    replayed: tuple[AnyDecision, ...]


class Replay(msgspec.Struct, frozen=True):
    """The state at the end and the first difference, None when the record is met to the letter."""

    state: State
    facts: int
    difference: Difference | None


def replay(settings: Settings, events: Iterable[tuple[float, AnyFact | AnyDecision]]) -> Replay:
    """Fold the facts of `events` (at seconds, event; in ledger order) and compare decision by decision.

    A ledger that ends before the decisions of its last fact (a crash) is no difference.
    """
    state = initial(settings)
    facts = 0
    expected: tuple[AnyDecision, ...] = ()
    recorded: list[AnyDecision] = []
    for at, event in events:
        if not isinstance(event, Fact):
            recorded.append(event)
            continue
        if tuple(recorded) != expected:
            return Replay(state, facts, Difference(facts, tuple(recorded), expected))
        state, actions = step(state, at, event)
        facts += 1
        recorded = []
        expected = tuple(action for action in actions if not isinstance(action, WakeAt))
    if tuple(recorded) != expected[: len(recorded)]:
        return Replay(state, facts, Difference(facts, tuple(recorded), expected))
    return Replay(state, facts, None)
