"""What the fold makes of model calls and tool calls: sums, dollars of steps, waits, whose step it was."""

from __future__ import annotations

from decimal import Decimal

from microloop_cli.core.actions import ToolVerdict
from microloop_cli.core.traffic import ModelAnswered, Tokens, ToolAnswered
from microloop_cli.view.callsums import MODELS_KEPT, OTHER_MODELS
from microloop_cli.view.model import RunView
from microloop_cli.view.runview import run_view
from tests.view.ledgers import Story
from tests.view.talks import Talk, repair_story


def seen(talk: Story) -> RunView:
    return run_view(talk.entries)


def test_the_sums_are_those_of_the_calls() -> None:
    model = seen(repair_story()).model
    assert (model.calls, model.failed, model.refused, model.unpriced) == (4, 1, 1, 1)
    assert model.cost_usd == Decimal("0.02")
    assert (model.tokens.input, model.tokens.cached, model.tokens.output) == (3000, 2400, 150)
    assert [(line.model, line.calls, line.cost_usd) for line in model.models] == [
        ("claude-sonnet-4-5", 3, Decimal("0.020")),
        ("claude-haiku-4-5", 1, None),
    ]
    assert (model.tools.calls, model.tools.answered, model.tools.nudged) == (4, 4, 1)


def test_a_run_without_model_calls_cost_nothing_that_is_known() -> None:
    view = seen(Story().finish())
    assert (view.model.calls, view.model.cost_usd, view.used.cost_usd) == (0, None, None)


def test_dollars_of_a_call_go_evenly_to_its_tools_and_their_steps() -> None:
    talk = Talk()
    talk.turn(("a", "Bash", "x; y"), ("b", "Bash", "z"), ("c", "Read", None), cost_usd="0.06")
    talk.ran("a", "x")
    talk.ran("a", "y")
    talk.ran("b", "z")
    talk.did("c", "Read calc.py")
    talk.turn(("d", "Bash", "z"), cost_usd=None)
    talk.ran("d", "z")
    assert [step.cost_usd for step in seen(talk).steps] == [
        Decimal("0.01"), Decimal("0.01"), Decimal("0.02"), Decimal("0.02"), None,
    ]  # fmt: skip


def test_a_share_that_is_not_even_is_rounded_to_a_billionth() -> None:
    talk = Talk()
    talk.turn(*((str(n), "Read", None) for n in range(3)), cost_usd="0.01")
    for n in range(3):
        talk.did(str(n), "Read")
    assert {str(step.cost_usd) for step in seen(talk).steps} == {"0.003333333"}


def test_steps_nobody_asked_for_are_the_agents_own_where_tool_calls_can_be_seen() -> None:
    assert [step.asked for step in seen(repair_story()).steps] == [False, True, True, True, True]
    talk = Talk()
    talk.turn()
    talk.step("make")
    assert [step.asked for step in seen(talk).steps] == [None]


def test_a_tool_call_that_no_process_ran_is_a_step() -> None:
    step = seen(repair_story()).steps[3]
    assert (step.kind, step.command, step.argv, step.exec_id) == ("tool", "Read calc.py", (), 0)
    assert (step.verdict, step.output_bytes, step.tool_call) == ("nudged", 300, "t3")
    assert "3 times" in step.message
    assert step.duration_seconds is not None
    assert len(step.findings) == 1


def test_a_refused_and_a_failed_tool_call_are_marked() -> None:
    talk = Talk()
    talk.turn(("a", "Edit", None), ("b", "Edit", None))
    talk.did("a", "Edit x", answer="replace", text="no")
    talk.did("b", "Edit y", failed=True)
    refused, failed = seen(talk).steps
    assert (refused.verdict, refused.failed, failed.verdict, failed.failed) == (
        "refused",
        False,
        "allowed",
        True,
    )


def test_the_answer_to_a_shells_tool_call_is_no_step() -> None:
    talk = Talk()
    talk.turn(("a", "Bash", "make"))
    talk.answered("a", 10, talk.ran("a", "make"))
    view = seen(talk)
    assert len(view.steps) == 1
    assert view.tool_calls["a"].steps == (1,)
    assert view.tool_calls["a"].result_bytes == 10


def test_waiting_for_a_rate_limit_is_no_working_time() -> None:
    model = seen(repair_story()).model
    assert model.rate_limited_seconds == 30.0
    assert model.waiting_seconds == 6.1
    assert model.working_seconds == 9.0


def test_calls_side_by_side_are_waited_for_once() -> None:
    talk = Talk()
    first, second = talk.ask(), talk.ask()
    talk.answer(first, seconds=2.0)
    talk.answer(second, seconds=1.0)
    assert seen(talk).model.waiting_seconds == 3.0


def test_a_rate_limit_that_nobody_asked_again_after_lasts_to_the_end() -> None:
    talk = Talk()
    talk.answer(talk.ask(), status=529, seconds=1.0)
    talk.at += 8.0
    talk.finish()
    assert seen(talk).model.rate_limited_seconds == 9.0


def test_who_waits_for_a_model_is_not_idle() -> None:
    talk = Talk()
    talk.answer(talk.ask(), seconds=100.0)
    talk.at += 3.0
    talk.finish()
    assert seen(talk).used.idle_seconds == 4.0


def test_an_error_answer_is_no_call_without_a_price() -> None:
    talk = Talk()
    for status in (0, 429, 500):
        talk.answer(talk.ask(), status=status)
    model = seen(talk).model
    assert (model.calls, model.failed, model.unpriced, model.cost_usd) == (3, 3, 0, None)


def test_an_open_call_counts_and_has_no_price_yet() -> None:
    talk = Talk()
    talk.ask()
    model = seen(talk).model
    assert (model.calls, model.failed, model.unpriced) == (1, 0, 0)


def test_a_flood_of_model_names_is_summed_up() -> None:
    talk = Talk()
    for n in range(MODELS_KEPT + 50):
        talk.turn(model=f"m{n}")
    lines = seen(talk).model.models
    assert len(lines) == MODELS_KEPT + 1
    assert (lines[-1].model, lines[-1].calls) == (OTHER_MODELS, 50)


def test_results_of_an_older_conversation_belong_to_no_call() -> None:
    talk = Talk()
    talk.say(ToolAnswered(call=1, id="old", bytes=5), ToolVerdict(id="old"))
    talk.turn()
    view = seen(talk)
    assert view.calls[0].tools == ()
    assert view.tool_calls["old"].call == 0


def test_numbers_that_no_call_has_are_cut() -> None:
    talk = Talk()
    tokens = Tokens(input=2**63 - 1, cached=-5, output=2**63 - 1)
    for _ in range(20):
        talk.say(ModelAnswered(call=7, status=200, tokens=tokens, cost_usd="1e500", seconds=1e308))
    model = seen(talk).model
    assert model.tokens.input + model.tokens.output < 2**62
    assert model.tokens.cached == 0
    assert model.cost_usd == Decimal(10) ** 12
