"""The one inbox: stamps a fact's time, folds it, records fact and decisions, then has them performed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from microloop_cli.core.actions import Action, AnyDecision, WakeAt
from microloop_cli.core.events import AnyFact
from microloop_cli.core.state import State
from microloop_cli.core.step import step
from microloop_cli.run.clock import Clock


class Ledger(Protocol):
    """Where events are handed to the OS before they are acted on."""

    def append(self, at: float, *events: AnyFact | AnyDecision) -> object:
        """Write all events, stamped with the same second of the run; raises BundleError."""


class Inbox:
    """Facts in, actions out; synchronous, so that the order of facts is the order of decisions."""

    def __init__(
        self,
        state: State,
        ledger: Ledger,
        clock: Clock,
        perform: Callable[[Sequence[Action]], None],
        redact: Callable[[AnyFact], AnyFact] | None = None,
    ) -> None:
        """redact: takes secrets out of a fact before it is judged, so that a replay judges the very same."""
        self.state = state
        self._ledger = ledger
        self._clock = clock
        self._perform = perform
        self._redact = redact
        self._origin = clock.monotonic()
        self._last = 0.0
        self.watchers: list[Callable[[float, Sequence[AnyFact | AnyDecision]], None]] = []

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run's start, never going back, as the ledger stamps them."""
        self._last = max(self._last, round(self._clock.monotonic() - self._origin, 6))
        return self._last

    def why_no_more_calls(self) -> str:
        """Why no more model calls are made: the stop's reason; "" as long as they are. Limits of models say
        no by themselves, in words of their own."""
        stop = self.state.stop
        return "" if stop is None or stop.outcome == "cost_limit" else stop.reason

    def put(self, *facts: AnyFact) -> tuple[Action, ...]:
        """Take facts in, in this order. Recorded with their decisions in one write, then acted on.

        The decisions: some are for who brought the facts.
        """
        at = self.elapsed_seconds
        recorded: list[AnyFact | AnyDecision] = []
        actions: list[Action] = []
        for fact in facts if self._redact is None else map(self._redact, facts):
            self.state, decided = step(self.state, at, fact)
            recorded.append(fact)
            recorded += [action for action in decided if not isinstance(action, WakeAt)]
            actions += decided
        self._ledger.append(at, *recorded)
        self._perform(actions)
        for watcher in self.watchers:
            watcher(at, recorded)
        return tuple(actions)
