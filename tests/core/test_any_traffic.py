"""Whatever passes the doors, in whatever order: nothing raises, memory is bounded, a replay is the same."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from microloop_cli.core.actions import Stop, ToolVerdict
from microloop_cli.core.evaluation.refold import refold
from microloop_cli.core.events import AgentExited, AnyFact, StepEnded, Tick, WorkspaceChanged
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.replay import replay
from microloop_cli.core.settings import Limits, Settings
from microloop_cli.core.tools import LINKED_STEPS, OPEN_CALLS, UNLINKED_STEPS
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelRefused,
    Tokens,
    ToolAnswered,
    ToolCalled,
)
from tests.core.story import exec_fact, only
from tests.core.test_replay import recorded
from tests.core.traffic_story import TrafficStory

LIMITS = Limits(cost_usd=Decimal("2.5"), tokens=50, model_calls=6, steps=40, idle_seconds=30)
CALLS = st.integers(-1, 5)
IDS = st.sampled_from(["a", "b", "c", ""])
COMMANDS = st.sampled_from([None, "ls", "pytest -q", "", "cd src && ls | head", "'"])
WORDS = st.sampled_from(["{}", '{"path": "a.py"}', '{"command": [1]}', "[", "", "*** Begin Patch"])
FACTS: st.SearchStrategy[AnyFact] = st.one_of(
    st.builds(ModelAsked, call=CALLS, provider=st.just("x"), surface=st.just("chat"), model=st.text(max_size=3)),
    st.builds(
        ModelAnswered, call=CALLS, status=st.integers(-1, 600), seconds=st.just(1.0), cut=st.booleans(),
        tokens=st.builds(Tokens, input=st.integers(-5, 30), output=st.integers()),
        cost_usd=st.sampled_from([None, "0.1", "1", "nan", "-1", "x", "9e99"]),
    ),
    st.builds(ModelRefused, limit=st.sampled_from(["cost_usd", "budget", "price", "tokens"]), message=st.text(max_size=3)),
    st.builds(ToolCalled, call=CALLS, id=IDS, tool=st.sampled_from(["Read", "bash", "", "Edit"]), arguments=WORDS, command=COMMANDS),
    st.builds(
        ToolAnswered, call=CALLS, id=IDS, bytes=st.integers(-1, 9), failed=st.booleans(),
        signals=st.none() | st.builds(Signals, output_digest=st.sampled_from(["d", "e"]), lines=st.integers(0, 2)),
    ),
    st.builds(lambda n, c: exec_fact(n, "sh", "-c", c or "ls"), st.integers(2, 9), COMMANDS),
    st.builds(StepEnded, step=st.integers(1, 9), exit_code=st.just(1), held=st.booleans()),
    st.builds(WorkspaceChanged, epoch=st.sampled_from(["e0", "e1"]), paths=st.just(()), count=st.just(1)),
    st.just(Tick()),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(FACTS, st.sampled_from([0.0, 0.1, 9.0])), max_size=50))
def test_no_traffic_breaks_the_fold(facts: list[tuple[AnyFact, float]]) -> None:
    story = TrafficStory(limits=LIMITS)
    for fact, after in facts:
        said = story.tell(fact, after=after)
        assert len(only(ToolVerdict, said)) == isinstance(fact, ToolAnswered)
    story.tell(AgentExited(exit_code=0))
    assert len(only(Stop, [action for _, action in story.heard])) <= 1
    again = replay(story.settings, recorded(story))
    assert again.difference is None
    assert again.state == story.state
    for rules in (story.settings, Settings(), Settings(limits=LIMITS)):
        refold(rules, recorded(story), own_policy=False)


@settings(max_examples=4, deadline=None)
@given(st.lists(FACTS, min_size=1, max_size=4))
def test_what_is_remembered_is_bounded(some: list[AnyFact]) -> None:
    story = TrafficStory()
    for number in range(400):
        story.called("bash", f"echo {number}")
        story.ask()
        story.tell(*some)
        story.starts("sh", "-c", f"echo {number % 7}")
        story.starts("sh", "-c", f"true {number}")
    tools = story.state.tools
    assert len(tools.open) <= OPEN_CALLS
    assert len(tools.unlinked) <= UNLINKED_STEPS
    assert all(len(call.steps) <= LINKED_STEPS for call in tools.open.values())
    assert len(story.state.money.running) <= 1_024
