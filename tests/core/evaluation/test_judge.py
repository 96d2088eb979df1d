"""Foreign runs judged by the real engine, and what would have been saved."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from microloop_cli.core.evaluation.hindsight import hindsight
from microloop_cli.core.evaluation.judge import judge
from microloop_cli.core.evaluation.trajectory import Trajectory
from microloop_cli.core.settings import Progress
from tests.core.evaluation.made import run_of, step

RULES = Progress()
LOOP = run_of(*[("cat missing", "cat: missing: No such file or directory")] * 12)


def test_a_loop_is_nudged_then_refused_then_stopped() -> None:
    answers = [item.answer for item in judge(LOOP, RULES).found]
    assert list(dict.fromkeys(answers)) == ["nudge", "refuse", "stop"]


def test_a_run_is_judged_to_its_end_unless_the_first_stop_ends_it() -> None:
    whole, cut = judge(LOOP, RULES), judge(LOOP, RULES, until_stop=True)
    assert (whole.steps, cut.steps) == (12, cut.found[-1].step)
    assert [item.answer for item in cut.found].count("stop") == 1
    assert cut.stopped_before


def test_a_harness_that_asks_for_a_command_again_and_again_is_a_loop() -> None:
    steps = tuple(
        step(n, f"<message> thought {n}", "one action, please", None, "message") for n in range(1, 8)
    )
    judged = judge(Trajectory(id="m", steps=steps), RULES)
    assert [(item.step, item.answer) for item in judged.found] == [(4, "nudge"), (7, "stop")]


def test_a_message_nobody_answered_is_no_step_but_numbers_stay() -> None:
    steps = [step(n, "cat missing", "no such file", 1) for n in (2, 4, 6)]
    talk = [step(n, "<message> hm", "", None, "message") for n in (1, 3, 5)]
    run = Trajectory(id="m", steps=tuple(sorted([*steps, *talk], key=lambda one: one.step)))
    judged = judge(run, RULES)
    assert (judged.steps, [item.step for item in judged.found]) == (3, [6])
    assert judged.found[0].steps == (2, 4, 6)


def test_only_recording_finds_without_answering() -> None:
    judged = judge(LOOP, Progress(answers="record"))
    assert {item.answer for item in judged.found} == {"record"}


def test_output_that_goes_on_is_no_loop() -> None:
    run = run_of(*[("sleep 5; tail -n 1 build.log", f"[{n}%] compiling") for n in range(10, 100, 7)])
    assert judge(run, RULES).found == ()


def test_what_came_after_the_stop_would_have_been_saved() -> None:
    run = replace(LOOP, steps=tuple(replace(one, seconds=2.0, cost_usd=0.25) for one in LOOP.steps))
    seen = hindsight(run, RULES)
    assert seen.halt is not None
    assert (seen.steps, seen.saved.steps) == (12, 12 - seen.halt.step + 1 + seen.saved.refused_steps)
    assert seen.saved.seconds == 2.0 * seen.saved.steps
    assert seen.saved.cost_usd == 0.25 * (12 - seen.halt.step)


def test_what_the_record_does_not_tell_is_not_known() -> None:
    saved = hindsight(LOOP, RULES).saved
    assert (saved.seconds, saved.cost_usd) == (None, None)
    assert saved.steps > 0


TEXT = st.text(max_size=200) | st.sampled_from(
    ["ls", "pytest -q", "sed -i s/a/b/ f", "cat > f <<'E'\nx\nE", "read {\"path\": \"f\"}", "FAILED a::b - X\n1 failed"]
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            TEXT,
            TEXT,
            st.none() | st.integers(-255, 255),
            st.sampled_from(["bash", "edit", "read", "message"]),
        ),
        max_size=25,
    )
)
@settings(deadline=None, max_examples=60)
def test_any_run_can_be_judged(steps: list[tuple[str, str, int | None, str]]) -> None:
    run = Trajectory(
        id="any",
        steps=tuple(step(n, *given[:3], tool=given[3]) for n, given in enumerate(steps, start=1)),
    )
    judged = judge(run, RULES)
    assert judged.bugs == ()
    assert judge(run, RULES) == judged
