"""The inbox: one stamp, recorded before acted on, one way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from microloop_cli.core.actions import Action, AnyDecision, Ended, Verdict, WakeAt
from microloop_cli.core.events import AgentExited, AnyFact, Tick
from microloop_cli.core.settings import Limits, Settings
from microloop_cli.core.state import initial
from microloop_cli.errors import BundleError
from microloop_cli.run.inbox import Inbox
from microloop_cli.testing.clock import FakeClock
from tests.core.story import exec_fact


class World:
    """Writes down what reached the ledger and what was performed, in order."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.log: list[tuple[str, float, object]] = []
        self.full = False
        self.clock = FakeClock()
        self.inbox = Inbox(initial(settings or Settings()), self, self.clock, self.perform)

    def append(self, at: float, *events: AnyFact | AnyDecision) -> None:
        if self.full:
            raise BundleError("the disk is full")
        self.log += [("ledger", at, event) for event in events]

    def perform(self, actions: Sequence[Action]) -> None:
        self.log += [("act", 0.0, action) for action in actions]


def test_a_verdict_is_in_the_ledger_before_it_is_acted_on() -> None:
    world = World()
    world.inbox.put(exec_fact(1, "agent", lineage="root"))
    kinds = [(where, type(what).__name__) for where, _, what in world.log]
    assert kinds == [("ledger", "ExecStarted"), ("ledger", "Verdict"), ("act", "Verdict")]


def test_nothing_is_acted_on_when_the_ledger_cannot_be_written() -> None:
    world = World()
    world.full = True
    with pytest.raises(BundleError):
        world.inbox.put(exec_fact(1, "agent", lineage="root"))
    assert world.log == []


def test_time_never_goes_back_even_when_the_clock_does() -> None:
    world = World()
    world.clock.advance(5)
    world.inbox.put(Tick())
    world.clock.jump_back(3)
    world.inbox.put(Tick())
    assert [at for _, at, _ in world.log] == [5.0, 5.0]


def test_facts_put_together_share_their_moment_and_keep_their_order() -> None:
    world = World()
    world.inbox.put(exec_fact(1, "agent", lineage="root"), AgentExited(exit_code=3))
    events = [what for where, _, what in world.log if where == "ledger"]
    assert [type(event).__name__ for event in events] == ["ExecStarted", "Verdict", "AgentExited", "Ended"]
    assert isinstance(events[-1], Ended)
    assert isinstance(events[1], Verdict)


def test_wake_ups_are_performed_but_not_recorded() -> None:
    world = World(Settings(limits=Limits(wall_seconds=10)))
    world.inbox.put(Tick())
    assert ("act", 0.0, WakeAt(at=8.0)) in world.log
    assert [type(what).__name__ for where, _, what in world.log if where == "ledger"] == ["Tick"]
