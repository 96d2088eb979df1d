"""Loops in tools that are no processes are nudged, refused and stopped at the counts of steps."""

from __future__ import annotations

from typing import Any

import pytest

from microloop_cli.core.actions import Action, Finding, LimitWarning, Stop
from microloop_cli.core.events import Interrupted
from microloop_cli.core.replay import replay
from microloop_cli.core.settings import Limits, Progress
from microloop_cli.core.traffic import ToolAnswered
from tests.core.story import only
from tests.core.test_replay import recorded
from tests.core.traffic_story import TrafficStory, verdict_in

READ = {"file_path": "/repo/a.py"}


def answers(story: TrafficStory, times: int, tool: str = "Read", **arguments: Any) -> list[str]:
    return [verdict_in(story.tool(tool, **(arguments or READ))).answer for _ in range(times)]


def test_reading_one_file_again_and_again_is_nudged_refused_and_stopped() -> None:
    story = TrafficStory()
    assert answers(story, 6) == ["pass", "pass", "append", "replace", "replace", "pass"]
    findings = only(Finding, [action for _, action in story.heard])
    assert [(f.detector, f.answer) for f in findings] == [
        ("repeat", "nudge"), ("repeat", "refuse"), ("repeat", "refuse"), ("repeat", "stop"),
    ]  # fmt: skip
    assert findings[0].steps == (1, 2, 3)
    (stop,) = only(Stop, [action for _, action in story.heard])
    assert (stop.outcome, stop.exit_code) == ("no_progress", 120)


def test_processes_and_tools_are_answered_at_the_same_counts() -> None:
    steps, tools = TrafficStory(), TrafficStory()
    for _ in range(6):
        steps.run("cat a.py", exit_code=0)
        tools.tool("Read", **READ)
    answered = [
        [f.answer for f in only(Finding, [action for _, action in story.heard])] for story in (steps, tools)
    ]
    assert answered[0] == answered[1]


def test_the_texts_read_well_inside_a_result() -> None:
    story = TrafficStory()
    texts = [verdict_in(story.tool("Read", **READ)).text for _ in range(4)]
    assert texts[2] == (
        "microloop: `Read /repo/a.py` has given the same result 3 times (steps 1, 2 and 3) and no file in the "
        "workspace has changed in between. Running it again will give the same; change something first, or try "
        "another way."
    )
    assert "4 times" in texts[3]
    assert "so the result is not shown." in texts[3]
    assert "not run" not in texts[3]


def test_a_refused_tool_is_let_through_when_it_gives_something_else_after_all() -> None:
    story = TrafficStory()
    answers(story, 4, "get_status", id="7")
    assert verdict_in(story.tool("get_status", "done", id="7")).answer == "pass"


def test_a_refusal_ends_when_a_file_changes() -> None:
    story = TrafficStory()
    assert answers(story, 4)[-1] == "replace"
    story.change("e1")
    assert answers(story, 2) == ["pass", "pass"]


@pytest.mark.parametrize(
    "arguments",
    [{"path": "a.py", "old_string": "x", "new_string": "y"}, {"file_path": "a.py", "content": "x"}],
    ids=["edit", "write"],
)
def test_the_same_edit_again_is_a_loop(arguments: dict[str, str]) -> None:
    story = TrafficStory()
    assert answers(story, 6, "edit_file", **arguments)[2:5] == ["append", "replace", "replace"]
    assert only(Stop, [action for _, action in story.heard]) != []


def test_edits_that_grow_a_file_by_the_same_block_are_refused_each_time() -> None:
    story = TrafficStory()
    heard = []
    for number in range(6):
        call = story.called("insert", path="a.py", insert_line=1, new_str="x")
        story.change(f"e{number + 1}")
        heard.append(verdict_in(story.returned(call)).answer)
    assert heard[:5] == ["pass", "pass", "append", "replace", "replace"]
    assert story.state.stop is not None


def test_a_round_of_tools_and_commands_is_a_loop() -> None:
    story = TrafficStory()
    for _ in range(3):
        story.run("pytest -q", "failed")
        story.tool("Read", "text", **READ)
    (found,) = only(Finding, [action for _, action in story.heard])
    assert (found.steps, found.answer) == ((2, 4, 6), "nudge")


def test_work_with_tools_is_not_disturbed() -> None:
    story = TrafficStory()
    for number in range(30):
        story.tool("Read", f"text {number}", **READ)
        call = story.called("Edit", file_path="/repo/a.py", old_string=f"{number}", new_string="b")
        story.change(f"e{number}")
        story.returned(call, "edited")
        story.run("pytest -q", f"{number} failed")
    assert only(Finding, [action for _, action in story.heard]) == []


def test_edits_made_at_once_share_one_change() -> None:
    story = TrafficStory()
    for turn in range(6):
        calls = [
            story.called("Edit", path=f"{name}.py", old_string=f"{turn}", new_string="b") for name in "abcd"
        ]
        story.change(f"e{turn}")
        for call in calls:
            assert verdict_in(story.returned(call, "ok")).answer == "pass"


def test_observing_only_records() -> None:
    story = TrafficStory(progress=Progress(answers="record"))
    assert set(answers(story, 8)) == {"pass"}
    assert [f.answer for f in only(Finding, [action for _, action in story.heard])] == ["record"]


def test_tool_calls_count_as_steps_for_the_limit() -> None:
    story = TrafficStory(limits=Limits(steps=5))
    said: list[Action] = []
    for number in range(6):
        said = story.tool("Read", str(number), file_path=f"{number}")
    assert [stop.exit_code for stop in only(Stop, said)] == [121]
    assert verdict_in(said).answer == "pass"
    assert len(only(LimitWarning, [action for _, action in story.heard])) == 1


def test_once_stopping_results_pass() -> None:
    story = TrafficStory()
    answers(story, 3)
    story.tell(Interrupted(signal=2))
    assert answers(story, 2) == ["pass", "pass"]


def test_a_result_that_was_not_read_is_never_a_repeat() -> None:
    story = TrafficStory()
    for _ in range(8):
        story.tell(ToolAnswered(call=0, id=story.called("Read", **READ), bytes=4))
    assert only(Finding, [action for _, action in story.heard]) == []


def test_a_replay_decides_the_same() -> None:
    story = TrafficStory()
    for _ in range(4):
        call = story.called("bash", "pytest -q")
        story.run("pytest -q")
        story.returned(call)
        story.tool("Read", **READ)
    again = replay(story.settings, recorded(story))
    assert again.difference is None
    assert again.state == story.state
