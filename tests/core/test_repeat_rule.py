"""The repeat rule as an agent meets it."""

from __future__ import annotations

import pytest

from microloop_cli.core.actions import Finding, Release, Stop, Verdict
from microloop_cli.core.progress.engine import REMEMBERED_FINDINGS
from microloop_cli.core.progress.history import RECENT_STEPS
from microloop_cli.core.settings import Ladder, Progress
from tests.core.story import Story, only


def answers(story: Story, command: str, times: int, output: str | None = "same") -> list[str]:
    return [
        "+".join(finding.answer for finding in only(Finding, story.run(command, output))) or "-"
        for _ in range(times)
    ]


def test_the_third_equal_result_is_nudged_then_refused_then_the_run_is_stopped() -> None:
    assert answers(Story(), "pytest -q", 6) == ["-", "-", "nudge", "refuse", "refuse", "stop"]


def test_the_nudge_is_written_into_the_output_of_the_step_it_is_about() -> None:
    story = Story()
    assert [release.text for _ in range(2) for release in only(Release, story.run("pytest -q"))] == [""]
    (release,) = only(Release, story.run("pytest -q"))
    assert release.step == 3
    assert "`pytest -q`" in release.text
    assert "steps 1, 2 and 3" in release.text


def test_a_refusal_explains_itself_and_names_the_evidence() -> None:
    story = Story()
    for _ in range(3):
        story.run("pytest -q")
    (verdict,) = only(Verdict, story.run("pytest -q"))
    assert not verdict.allow
    assert "3 times" in verdict.message
    assert "as soon as a file changes" in verdict.message


def test_a_changed_file_makes_the_command_allowed_again() -> None:
    story = Story()
    for _ in range(4):
        story.run("pytest -q")
    story.change("e1")
    assert answers(story, "pytest -q", 3) == ["-", "-", "nudge"]


def test_in_an_earlier_state_again_what_was_seen_in_it_counts() -> None:
    story = Story()
    story.run("pytest -q")
    story.change("e1")
    story.run("pytest -q")
    story.change("e0")
    assert answers(story, "pytest -q", 2) == ["-", "nudge"]


def test_another_output_is_progress() -> None:
    story = Story()
    assert [answers(story, "pytest -q", 1, output=str(n)) for n in range(8)] == [["-"]] * 8


def test_other_commands_in_between_do_not_hide_the_repeat() -> None:
    story = Story()
    story.run("cat file", output="content")
    seen = []
    for n in range(3):
        seen += answers(story, "pytest -q", 1)
        story.run(f"cat file{n}", output="content")
    assert seen == ["-", "-", "nudge"]


@pytest.mark.parametrize("command", ["sleep 5", "/bin/sleep 0.4", "true"])
def test_waiting_is_never_a_loop(command: str) -> None:
    assert answers(Story(), command, 8) == ["-"] * 8


def test_output_that_was_not_captured_is_not_judged() -> None:
    assert answers(Story(), "vim", 8, output=None) == ["-"] * 8


def test_a_command_half_of_whose_output_goes_to_a_terminal_is_not_judged() -> None:
    story = Story()
    story.fds = ("null", "tty", "pipe")
    assert answers(story, "make", 8) == ["-"] * 8


def test_record_only_finds_once_and_never_answers() -> None:
    story = Story(progress=Progress(answers="record"))
    assert answers(story, "pytest -q", 8) == ["-", "-", "record", "-", "-", "-", "-", "-"]
    assert all(verdict.allow for verdict in only(Verdict, [action for _, action in story.heard]))


def test_each_answer_can_be_switched_off() -> None:
    only_stop = Progress(repeat=Ladder(None, None, 4))
    assert answers(Story(progress=only_stop), "x", 4) == ["-", "-", "-", "stop"]
    nothing = Progress(repeat=Ladder(None, None, None))
    assert answers(Story(progress=nothing), "x", 20) == ["-"] * 20


def test_the_stop_for_no_progress_has_its_own_exit_code_and_is_made_once() -> None:
    story = Story()
    for _ in range(8):
        story.run("pytest -q")
    (stop,) = only(Stop, [action for _, action in story.heard])
    assert (stop.outcome, stop.exit_code) == ("no_progress", 120)


def test_memory_of_commands_is_bounded() -> None:
    story = Story()
    for n in range(400):
        story.run(f"cat {n}", output=str(n))
    history = story.state.memory.history
    assert len(history.recent) == RECENT_STEPS
    assert len(story.state.memory.given) <= REMEMBERED_FINDINGS
