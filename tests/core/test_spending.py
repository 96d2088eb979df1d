"""What models cost: warned of once, the run ends with 122, idle time does not run while a model answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from microloop_cli.core.actions import Ended, LimitWarning, Stop, WakeAt
from microloop_cli.core.events import AgentExited, GuardFailed, Interrupted, Tick
from microloop_cli.core.replay import replay
from microloop_cli.core.settings import Limits
from microloop_cli.core.traffic import ModelLimit
from tests.core.story import only
from tests.core.test_replay import recorded
from tests.core.traffic_story import TrafficStory

DOLLAR = Limits(cost_usd=Decimal("1.00"))


def warnings(story: TrafficStory) -> list[tuple[str, float, float]]:
    return [(w.limit, w.used, w.allowed) for w in only(LimitWarning, [a for _, a in story.heard])]


def test_each_limit_of_models_is_warned_of_once_at_80_percent() -> None:
    story = TrafficStory(limits=Limits(cost_usd=Decimal("1.00"), tokens=100, model_calls=10))
    for _ in range(10):
        story.ask()
        story.answer("0.1", tokens=8)
    assert warnings(story) == [("model_calls", 8, 10), ("cost_usd", 0.8, 1), ("tokens", 80, 100)]


def test_cents_are_added_up_exactly() -> None:
    story = TrafficStory(limits=DOLLAR)
    for _ in range(8):
        story.ask()
        story.answer("0.1")  # in binary 0.7999999999999999
    assert warnings(story) == [("cost_usd", 0.8, 1.0)]
    assert story.state.money.cost_usd == Decimal("0.8")


def test_an_agent_that_ends_by_itself_after_a_limit_was_ended_by_it() -> None:
    story = TrafficStory(limits=DOLLAR)
    story.ask()
    story.answer("1.0125")
    assert only(Stop, story.refuse()) == []
    (ended,) = only(Ended, story.tell(AgentExited(exit_code=1)))
    assert (ended.outcome, ended.exit_code) == ("cost_limit", 122)
    assert ended.reason == "the cost limit of $1.00 is reached ($1.0125 used)"


def test_it_is_stopped_when_it_is_refused_for_the_fourth_time() -> None:
    story = TrafficStory(limits=DOLLAR)
    assert [len(only(Stop, story.refuse())) for _ in range(6)] == [0, 0, 0, 1, 0, 0]
    (stop,) = only(Stop, [action for _, action in story.heard])
    assert (stop.outcome, stop.exit_code) == ("cost_limit", 122)


def test_streams_that_are_cut_together_are_no_agent_that_asks_on() -> None:
    story = TrafficStory(limits=DOLLAR)
    for _ in range(8):
        story.ask()
    for call in range(1, 9):
        assert only(Stop, [*story.refuse(), *story.answer("0.2", call=call, cut=True)]) == []
    assert [len(only(Stop, story.refuse())) for _ in range(4)] == [0, 0, 0, 1]


def test_it_is_stopped_ten_seconds_after_its_first_refusal_and_steps_run_until_then() -> None:
    story = TrafficStory(limits=DOLLAR)
    assert only(WakeAt, story.refuse(after=5.0)) == [WakeAt(at=story.at + 10)]
    assert story.starts("sh", "-c", "echo last words").allow
    assert only(Stop, story.tell(Tick(), after=9.9)) == []
    assert [stop.exit_code for stop in only(Stop, story.tell(Tick(), after=0.1))] == [122]
    assert not story.starts("sh", "-c", "echo more").allow


def test_a_wake_up_for_another_limit_does_not_lose_the_grace() -> None:
    story = TrafficStory(limits=Limits(cost_usd=Decimal(1), wall_seconds=10))
    story.refuse(after=1.0)
    at = story.state.money.refused_at
    (wake,) = only(WakeAt, story.tell(Tick(), after=7.5))
    assert wake.at == 10  # the wall limit comes first
    assert at + 10 > 10


@pytest.mark.parametrize(
    ("limit", "limits", "words"),
    [
        ("tokens", Limits(tokens=1000), "the limit of 1000 tokens is reached (7 used)"),
        ("model_calls", Limits(model_calls=3), "the limit of 3 model calls is reached"),
        ("budget", Limits(), "no more of it"),
        ("cost_usd", Limits(), "no more of it"),
    ],
)
def test_the_end_says_which_limit_it_was(limit: ModelLimit, limits: Limits, words: str) -> None:
    story = TrafficStory(limits=limits)
    story.ask()
    story.answer(tokens=7)
    story.refuse(limit)
    (ended,) = only(Ended, story.tell(AgentExited(exit_code=0)))
    assert (ended.exit_code, ended.reason) == (122, words)


def test_a_stop_that_was_made_before_keeps() -> None:
    story = TrafficStory(limits=DOLLAR)
    story.tell(Interrupted(signal=2))
    for _ in range(5):
        assert only(Stop, story.refuse()) == []
    assert [end.exit_code for end in only(Ended, story.tell(AgentExited(signal=9)))] == [130]


def test_a_broken_sandbox_is_no_cost_limit() -> None:
    story = TrafficStory(limits=DOLLAR)
    story.refuse()
    assert [end.exit_code for end in only(Ended, story.tell(GuardFailed(reason="gone")))] == [125]


@pytest.mark.parametrize("why", ["price", "replay", "unavailable"])
def test_a_call_that_cannot_be_made_ends_no_run_by_itself(why: ModelLimit) -> None:
    story = TrafficStory(limits=DOLLAR)
    story.refuse(why)
    story.tell(Tick(), after=60)
    assert [end.exit_code for end in only(Ended, story.tell(AgentExited(exit_code=3)))] == [3]


def test_an_agent_that_only_repeats_an_impossible_call_is_stopped() -> None:
    story = TrafficStory()
    assert [only(Stop, story.refuse("price")) for _ in range(20)] == [[]] * 20
    story.ask()  # one that can be made: the count starts anew
    assert [only(Stop, story.refuse("price")) for _ in range(20)] == [[]] * 20
    (stop,) = only(Stop, story.refuse("price"))
    assert (stop.outcome, stop.exit_code) == ("policy_stop", 123)
    assert stop.reason == "21 model calls in a row could not be made: no more of it"


def test_waiting_for_a_model_is_not_idle_and_its_end_starts_idle_time_anew() -> None:
    story = TrafficStory(limits=Limits(idle_seconds=10))
    story.ask()
    for _ in range(10):
        assert story.tell(Tick(), after=30.0) == []
    assert only(WakeAt, story.answer()) == [WakeAt(at=story.at + 8)]
    assert only(Stop, story.tell(Tick(), after=9.0)) == []
    assert [stop.exit_code for stop in only(Stop, story.tell(Tick(), after=1.0))] == [124]


def test_with_two_calls_running_idle_time_waits_for_both() -> None:
    story = TrafficStory(limits=Limits(idle_seconds=10))
    story.ask()
    story.ask()
    story.answer(call=1)
    assert only(Stop, story.tell(Tick(), after=30.0)) == []
    story.answer(call=2)
    assert only(Stop, story.tell(Tick(), after=11.0)) != []


@pytest.mark.parametrize("cost", ["abc", "NaN", "-5", "Infinity", "1e999999", "", None])
def test_an_amount_that_is_none_costs_nothing_and_breaks_nothing(cost: str | None) -> None:
    story = TrafficStory(limits=DOLLAR)
    story.ask()
    story.answer(cost)
    assert story.state.money.cost_usd == 0


def test_a_replay_ends_the_same_way() -> None:
    story = TrafficStory(limits=DOLLAR)
    story.ask()
    story.answer("1.5")
    story.refuse()
    story.tell(Tick(), after=11)
    story.tell(AgentExited(signal=9))
    again = replay(story.settings, recorded(story))
    assert again.difference is None
    assert again.state == story.state
