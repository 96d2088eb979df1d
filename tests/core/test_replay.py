"""Replay is the same fold: what was recorded comes again, to the letter."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.actions import AnyDecision, Finding, Verdict, WakeAt
from microloop_cli.core.events import AgentExited, AnyFact
from microloop_cli.core.replay import replay
from microloop_cli.core.settings import Ladder, Progress, Settings
from tests.core.story import Story

COMMANDS = st.sampled_from(["pytest -q", "ls", "make", "sleep 1"])
TURNS = st.lists(st.tuples(COMMANDS, st.sampled_from(["a", "b"]), st.booleans()), max_size=30)


def recorded(story: Story) -> list[tuple[float, AnyFact | AnyDecision]]:
    return [(at, event) for at, event in story.told if not isinstance(event, WakeAt)]


@given(TURNS)
def test_every_story_is_decided_the_same_way_again(turns: list[tuple[str, str, bool]]) -> None:
    story = Story()
    for number, (command, output, changes) in enumerate(turns):
        story.run(command, output)
        if changes:
            story.change(f"e{number}")
    story.tell(AgentExited(exit_code=0))
    again = replay(Settings(), recorded(story))
    assert again.difference is None
    assert again.state == story.state


def test_another_policy_differs_where_it_would_have_answered() -> None:
    story = Story()
    for _ in range(4):
        story.run("pytest -q")
    difference = replay(Settings(progress=Progress(repeat=Ladder(2, 4, 6))), recorded(story)).difference
    assert difference is not None
    assert any(
        isinstance(decision, Finding) and decision.answer == "nudge" for decision in difference.replayed
    )


def test_a_changed_verdict_in_the_record_is_noticed() -> None:
    story = Story()
    story.run("rm -rf build")
    events = recorded(story)
    index = next(i for i, (_, e) in enumerate(events) if isinstance(e, Verdict) and e.step == 1)
    at, verdict = events[index]
    assert isinstance(verdict, Verdict)
    events[index] = (at, msgspec.structs.replace(verdict, allow=False))
    assert replay(Settings(), events).difference is not None


def test_a_record_torn_in_the_middle_is_no_difference() -> None:
    story = Story()
    for _ in range(4):
        story.run("pytest -q")
    events = recorded(story)
    assert any(isinstance(event, Finding) for _, event in events)
    assert all(replay(Settings(), events[:cut]).difference is None for cut in range(len(events)))
