"""What the engine says to whole runs: loops are nudged, refused and stopped, work is left alone."""

from __future__ import annotations

import pytest

from microloop_cli.core.progress import engine
from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.detectors.registry import DETECTORS
from microloop_cli.core.progress.engine import Memory, attempted
from microloop_cli.core.progress.signals import ErrorSignature, Meaning
from microloop_cli.core.settings import Ladder, Progress
from tests.core.progress.stepping import Run


def test_equal_results_are_nudged_refused_and_stopped() -> None:
    run = Run()
    assert [run.do("ls") for _ in range(6)] == ["-", "-", "nudge", "refuse", "refuse", "stop"]
    assert "(steps 1, 2 and 3)" in run.found[0].text
    assert "allowed again as soon as a file changes" in run.found[1].text


def test_a_loop_on_what_was_read_first_is_found_although_much_was_read_since() -> None:
    run = Run()
    for name in ("a", "b", "c"):
        run.do(f"cat {name}", name)
    assert [run.do("cat a", "a") for _ in range(5)] == ["-", "-", "nudge", "refuse", "refuse"]


def test_a_changed_file_ends_a_refusal() -> None:
    run = Run()
    for _ in range(4):
        run.do("ls")
    run.edit("x.py")
    assert [run.do("ls") for _ in range(3)] == ["-", "-", "nudge"]


def test_a_revert_is_the_earlier_state_again() -> None:
    run = Run()
    run.do("ls")
    run.do("ls")
    run.edit("x.py", "e1")
    run.edit("undo", "e0")
    assert run.do("ls") == "nudge"


def test_a_command_that_rewrites_its_own_report_each_time_is_found_too() -> None:
    run = Run()
    answers = [run.do("make report", "done", epoch=f"report {n}") for n in range(8)]
    assert answers == ["-", "-", "-", "-", "nudge", "refuse", "refuse", "stop"]
    assert "no file but those it writes itself" in run.found[0].text


def test_another_output_is_progress() -> None:
    run = Run()
    assert {run.do("make", f"built {n}") for n in range(20)} == {"-"}


def test_reading_a_file_again_while_exploring_is_no_loop() -> None:
    run = Run()
    answers = [
        answer
        for n in range(12)
        for answer in (
            run.do("view a.py", "a"),
            run.do(f"view {n}.py", f"{n}"),
            run.do(f"grep {n}", f"hits {n}"),
        )
    ]
    assert set(answers) == {"-"}


def test_polls_may_stay_unchanged_three_times() -> None:
    run = Run()
    answers = [run.do("tail build.log", "42 %", polls=True) for _ in range(9)]
    assert answers == ["-", "-", "-", "nudge", "-", "refuse", "refuse", "refuse", "stop"]


def test_a_network_error_deserves_more_tries() -> None:
    run = Run()
    down = ErrorSignature("curl", "could not resolve host")
    answers = [
        run.do("pip install x", "no network", exit_code=1, error=down, trouble="network") for _ in range(5)
    ]
    assert answers == ["-", "-", "-", "-", "nudge"]


def test_two_commands_in_turn_are_a_cycle() -> None:
    run = Run()
    answers = [run.do("ab"[n % 2], "ab"[n % 2]) for n in range(12)]
    assert answers.index("nudge") <= 5
    assert "refuse" in answers
    assert "stop" in answers
    assert answers[:4] == ["-"] * 4


@pytest.mark.parametrize("period", [2, 3, 4])
def test_cycles_of_two_to_four_commands_are_seen(period: int) -> None:
    run = Run()
    answers = [run.do(f"command {n % period}", f"output {n % period}") for n in range(6 * period)]
    assert answers.index("nudge") < 3 * period
    assert "stop" in answers


def test_checks_between_edits_of_ones_own_are_no_cycle() -> None:
    """The edits are made inside the agent: only the files' state tells."""
    run = Run()
    answers = []
    for n in range(8):
        answers += [run.do("pytest", "5 passed", kind="test"), run.do("git status", "x.py modified")]
        run.epoch = f"edited {n}"
    assert set(answers) == {"-"}


def test_the_same_failures_without_an_edit_are_nudged_at_the_third_run() -> None:
    run = Run()
    answers = [run.test("test_a: 1 != 2", "test_b") for _ in range(3)]
    assert answers == ["-", "-", "nudge"]
    assert "2 tests (test_a, test_b)" in run.found[0].text


def test_the_same_failures_of_other_commands_get_one_more_try() -> None:
    run = Run()
    answers = [run.test("test_a", command=f"pytest -W {n}") for n in range(4)]
    assert answers == ["-", "-", "-", "nudge"]


def test_the_same_failures_through_edits_are_nudged_at_the_fourth_run() -> None:
    run = Run()
    answers = []
    run.edit("first")
    for n in range(8):
        answers.append(run.test("test_a: 1 != 2"))
        run.edit(f"line {n}")
    assert answers[:4] == ["-", "-", "-", "nudge"]
    assert answers[5] == "refuse"
    assert answers[7] == "stop"
    assert "through 3 edits" in run.found[0].text


def test_fewer_failures_clear_the_record() -> None:
    run = Run()
    run.edit("first")
    for n in range(3):
        run.test("test_a", "test_b")
        run.edit(f"line {n}")
    assert run.test("test_a") == "-"
    run.edit("next")
    assert [run.test("test_a"), run.edit("more"), run.test("test_a")] == ["-", "-", "-"]


def test_a_new_error_of_the_same_test_is_progress() -> None:
    run = Run()
    run.edit("first")
    answers = []
    for n in range(10):
        answers += [run.test(f"test_a: got {n}"), run.edit(f"line {n}")]
    assert set(answers) == {"-"}


def test_what_failed_before_the_first_edit_gets_more_patience() -> None:
    run = Run()
    answers = []
    for n in range(6):
        answers.append(run.test("test_old"))
        run.edit(f"line {n}")
    assert answers == ["-", "-", "-", "-", "-", "nudge"]


def test_runs_on_another_state_of_the_code_are_not_held_against_the_agent() -> None:
    run = Run()
    answers = [run.test("test_a", elsewhere=True) for _ in range(6)]
    assert set(answers) == {"-"}


def test_one_error_through_many_attempts_is_found() -> None:
    run = Run()
    error = ErrorSignature("ModuleNotFoundError", "No module named 'x'")
    answers = [
        run.do(f"python try_{n}.py", f"try {n}", exit_code=1, error=error, new_lines=0) for n in range(5)
    ]
    assert answers == ["-", "-", "-", "-", "nudge"]
    assert "No module named 'x'" in run.found[0].text


def test_the_same_block_appended_again_and_again_is_found() -> None:
    run = Run()
    answers = [run.edit("append block") for _ in range(6)]
    assert answers == ["-", "-", "nudge", "refuse", "refuse", "stop"]


def test_edits_refused_for_one_reason_are_found_though_their_text_varies() -> None:
    run = Run()
    error = ErrorSignature("edit", "old text not found")
    answers = [
        run.do(f"edit {n}", f"not found: {n}", kind="edit", paths=("a.py",), exit_code=1, error=error)
        for n in range(3)
    ]
    assert answers == ["-", "-", "nudge"]


def test_going_to_and_fro_between_two_states_is_found() -> None:
    run = Run()
    answers = []
    for n in range(4):
        answers += [
            run.do(f"sed {n}", "", kind="edit", epoch="e1"),
            run.do(f"undo {n}", "", kind="edit", epoch="e0"),
        ]
    assert "nudge" in answers
    assert run.found[0].detector == "regress"


def test_steps_that_show_nothing_new_are_found() -> None:
    run = Run()
    answers = [run.do(f"grep {n}", "seen", new_lines=0 if n else 10) for n in range(14)]
    assert "nudge" in answers
    assert run.found[0].detector == "stale"


def test_one_nudge_per_finding() -> None:
    run = Run(Progress(repeat=Ladder(3, None, None), stale=Ladder(None, None, None)))
    assert [run.do("ls") for _ in range(50)].count("nudge") == 1


def test_observing_only_records() -> None:
    run = Run(Progress(answers="record"))
    answers = [run.do("ls") for _ in range(30)]
    assert set(answers) == {"-", "record"}
    assert answers.count("record") == 1


def test_waiting_is_no_step() -> None:
    run = Run()
    assert {run.do("sleep 5", "", kind="wait") for _ in range(20)} == {"-"}


def test_a_detector_that_raises_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(engine, "DETECTORS", (("broken", broken), *DETECTORS))
    memory, run = Memory(), Run()
    attempt = Attempt(step=1, command="ls", meaning=Meaning(action="ls", kind="list"), epoch="e0")
    judged = engine.finished(memory, run.rules, attempt, epoch="e0", signals=None, exit_code=0)
    (bug,) = judged.bugs
    assert (bug.detector, bug.step) == ("broken", 1)
    assert "KeyError" in bug.error
    # Beforehand nothing is judged as long as nothing can be refused.
    assert not attempted(judged.memory, run.rules, attempt).bugs
    assert attempted(judged.memory, Progress(cycle=Ladder(None, 3, 4)), attempt).bugs
