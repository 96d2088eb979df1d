"""Recorded model and tool calls under another policy: where it would have ended, and the dollars saved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from microloop_cli.core.evaluation.refold import refold
from microloop_cli.core.events import AgentExited, Tick
from microloop_cli.core.settings import Ladder, Limits, Progress, Settings
from tests.core.test_replay import recorded
from tests.core.traffic_story import TrafficStory


def spending(calls: int, limits: Limits | None = None) -> TrafficStory:
    story = TrafficStory(limits=limits)
    for number in range(calls):
        story.ask(after=1.0)
        story.answer("0.25", tokens=10)
        story.tool("Read", f"{number}", file_path=f"{number}")
    return story


def test_a_cost_limit_would_have_stopped_it_and_saved_the_rest() -> None:
    story = spending(10)
    story.tell(AgentExited(exit_code=0))
    seen = refold(Settings(limits=Limits(cost_usd=Decimal("1.00"))), recorded(story), own_policy=False)
    assert seen.halt is not None
    assert (seen.halt.outcome, seen.halt.reason) == (
        "cost_limit",
        "the cost limit of $1.00 is reached ($1.00 used)",
    )
    assert seen.saved.cost_usd == pytest.approx(1.5)  # the fifth call would not have been let through
    assert seen.steps == 10
    assert seen.saved.steps == 3  # stopped at the fourth refusal, in the eighth turn


def test_under_its_own_policy_nothing_is_saved() -> None:
    story = spending(2, Limits(cost_usd=Decimal("0.5")))
    story.refuse()
    story.tell(AgentExited(exit_code=1))
    seen = refold(story.settings, recorded(story), own_policy=True)
    assert seen.halt is not None
    assert (seen.halt.outcome, seen.saved.cost_usd, seen.saved.steps) == ("cost_limit", None, 0)


def test_a_refusal_for_a_limit_that_this_policy_does_not_have_did_not_happen() -> None:
    story = spending(2, Limits(cost_usd=Decimal("0.5")))
    for _ in range(4):
        story.refuse()
    story.tell(Tick(), AgentExited(exit_code=1))
    assert refold(Settings(), recorded(story), own_policy=False).halt is None
    tight = Settings(limits=Limits(cost_usd=Decimal("0.6")))
    assert refold(tight, recorded(story), own_policy=False).halt is not None


def test_tool_loops_are_judged_by_the_other_ladder() -> None:
    story = TrafficStory(progress=Progress(answers="record"))
    for _ in range(8):
        story.ask()
        story.answer("0.5")
        story.tool("Read", file_path="a")
    story.tell(AgentExited(exit_code=0))
    strict = Settings(progress=Progress(repeat=Ladder(2, 3, 4)))
    seen = refold(strict, recorded(story), own_policy=False)
    assert [item.found.answer for item in seen.occurrences] == ["nudge", "refuse", "stop"]
    assert seen.halt is not None
    assert (seen.halt.step, seen.saved.steps, seen.saved.cost_usd) == (4, 4, 2.0)


def test_a_record_without_prices_tells_no_savings() -> None:
    story = TrafficStory()
    story.ask()
    story.answer(None)
    seen = refold(Settings(limits=Limits(steps=1)), recorded(story), own_policy=False)
    assert seen.saved.cost_usd is None
