"""Limits warn once at 80 % and stop once; the end has the exit code of DESIGN."""

from __future__ import annotations

import pytest

from microloop_cli.core.actions import Ended, LimitWarning, Stop, Verdict, WakeAt
from microloop_cli.core.events import (
    AgentExited,
    AgentNotStarted,
    AnyFact,
    GuardFailed,
    Interrupted,
    ResourceSample,
    Tick,
)
from microloop_cli.core.settings import Limits
from tests.core.story import Story, exec_fact, only


def test_the_step_limit_warns_once_at_80_percent_and_refuses_the_step_beyond_it() -> None:
    story = Story(limits=Limits(steps=10))
    for n in range(10):
        story.run(f"echo {n}", output=str(n))
    said = story.run("echo more")
    assert [(w.limit, w.used) for w in only(LimitWarning, [a for _, a in story.heard])] == [("steps", 8.0)]
    assert [(s.outcome, s.exit_code) for s in only(Stop, said)] == [("step_limit", 121)]
    assert [v.allow for v in only(Verdict, said)] == [False]


def test_the_wall_limit_wakes_up_warns_and_stops() -> None:
    story = Story(limits=Limits(wall_seconds=10))
    assert [wake.at for wake in only(WakeAt, [a for _, a in story.heard])] == [8.0]
    (warning, wake) = story.tell(Tick(), after=8.0)
    assert isinstance(warning, LimitWarning)
    assert wake == WakeAt(at=10)
    (stop,) = story.tell(Tick(), after=2.0)
    assert isinstance(stop, Stop)
    assert (stop.outcome, stop.exit_code) == ("time_limit", 124)


def test_any_activity_puts_the_idle_limit_off() -> None:
    story = Story(limits=Limits(idle_seconds=10))
    story.tell(exec_fact(50, "ls", lineage="nested", awaiting=False), after=9.0)
    assert only(Stop, story.tell(Tick(), after=9.0)) == []
    assert [s.exit_code for s in only(Stop, story.tell(Tick(), after=2.0))] == [124]


def test_a_silent_step_that_computes_is_not_idle() -> None:
    story = Story(limits=Limits(idle_seconds=10))
    story.tell(exec_fact(50, "make"))
    for second in range(1, 40):
        sample = ResourceSample(cpu_seconds=float(second), rss_bytes=1, processes=1)
        assert only(Stop, story.tell(sample, Tick(), after=0.5)) == []


def test_the_first_stop_wins() -> None:
    story = Story(limits=Limits(wall_seconds=10))
    story.tell(Interrupted(signal=15))
    story.tell(Tick(), after=60)
    (ended,) = only(Ended, story.tell(AgentExited(signal=9)))
    assert (ended.outcome, ended.exit_code) == ("interrupted", 143)


@pytest.mark.parametrize(
    ("fact", "outcome", "exit_code"),
    [
        (AgentExited(exit_code=0), "ended", 0),
        (AgentExited(exit_code=42), "ended", 42),
        (AgentExited(signal=11), "ended", 139),
        (AgentNotStarted(reason="not_found", path="nope"), "failed", 127),
        (AgentNotStarted(reason="not_executable", path="README"), "failed", 126),
        (GuardFailed(reason="the guard is gone"), "failed", 125),
    ],
)
def test_how_the_run_ends_gives_the_exit_code(fact: AnyFact, outcome: str, exit_code: int) -> None:
    (ended,) = only(Ended, Story().tell(fact))
    assert (ended.outcome, ended.exit_code) == (outcome, exit_code)


def test_after_the_end_nothing_is_decided_any_more() -> None:
    story = Story()
    story.tell(AgentExited(exit_code=0))
    assert story.tell(exec_fact(9, "late"), Interrupted(signal=2)) == []


def test_once_stopping_every_start_is_refused_with_the_reason() -> None:
    story = Story()
    story.tell(Interrupted(signal=2))
    (verdict,) = only(Verdict, story.run("echo hi"))
    assert not verdict.allow
    assert "interrupted by ^C" in verdict.message
