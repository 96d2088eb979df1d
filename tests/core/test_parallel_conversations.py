"""Subagents side by side: each may look at what the others have looked at; none may go in circles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microloop_cli.core.actions import Finding
from microloop_cli.core.replay import replay
from microloop_cli.core.traffic import ToolCalled
from tests.core.story import only
from tests.core.test_replay import recorded
from tests.core.traffic_story import TrafficStory, verdict_in

FILES = [f"/repo/{name}.py" for name in "abcdefg"]


class Talks(TrafficStory):
    """`use` is one tool call of a conversation, from call to result."""

    def begin(self, conversation: int, tool: str, **arguments: Any) -> str:
        self.made += 1
        call_id = f"call-{self.made}"
        text = json.dumps(arguments)
        self.tell(ToolCalled(call=1, id=call_id, tool=tool, arguments=text, conversation=conversation))
        return call_id

    def use(self, conversation: int, tool: str, output: str = "same", **arguments: Any) -> str:
        call_id = self.begin(conversation, tool, **arguments)
        return verdict_in(self.returned(call_id, output)).answer

    def read(self, conversation: int, path: str = FILES[0]) -> str:
        return self.use(conversation, "Read", f"text of {path}", file_path=path)

    @property
    def findings(self) -> list[Finding]:
        return only(Finding, [action for _, action in self.heard])


def test_four_subagents_that_begin_with_the_same_file_are_left_alone() -> None:
    story = Talks()
    calls = [story.begin(number, "Read", file_path=FILES[0]) for number in (3, 4, 5, 6)]
    assert [verdict_in(story.returned(each)).answer for each in calls] == ["pass"] * 4
    assert story.findings == []


def test_four_subagents_that_read_the_same_seven_files_are_no_standstill() -> None:
    story = Talks()
    for conversation in (1, 7, 8, 9):
        assert [story.read(conversation, path) for path in FILES] == ["pass"] * 7
    assert story.findings == []


def test_four_subagents_in_step_with_each_other_are_no_round() -> None:
    story = Talks()
    for path in FILES:
        assert [story.read(conversation, path) for conversation in (1, 2, 3, 4)] == ["pass"] * 4
    assert story.findings == []


@pytest.mark.parametrize("conversation", [1, 2])
def test_one_of_them_that_goes_in_circles_is_nudged_refused_and_stopped_as_ever(conversation: int) -> None:
    story = Talks()
    for other in {1, 2, 3} - {conversation}:
        story.read(other)
    answers = [story.read(conversation) for _ in range(6)]
    assert answers == ["pass", "pass", "append", "replace", "replace", "pass"]
    assert story.state.stop is not None
    assert story.findings[0].steps == (3, 4, 5)


def test_a_subagent_that_looks_at_old_things_again_and_again_comes_to_a_standstill() -> None:
    story = Talks()
    for path in FILES:
        story.read(1, path)
    for _ in range(3):
        for path in FILES:
            story.read(2, path)
    assert story.findings != []


def test_a_ledger_that_tells_of_no_conversations_is_judged_as_before() -> None:
    story = Talks()
    assert [story.read(0) for _ in range(4)] == ["pass", "pass", "append", "replace"]


def test_the_first_conversation_counts_together_with_its_processes() -> None:
    together = Talks()
    for _ in range(2):
        together.run("cat a.py", "text")
        together.use(5, "Read", "text", file_path="/repo/a.py")
    alone = TrafficStory()
    for _ in range(2):
        alone.run("cat a.py", "text")
        alone.tool("Read", "text", file_path="/repo/a.py")
    found = only(Finding, [action for _, action in alone.heard])
    assert [each.steps for each in together.findings] == [each.steps for each in found]


def test_a_replay_decides_the_same() -> None:
    story = Talks()
    for _ in range(4):
        story.read(1)
        story.read(2)
    again = replay(story.settings, recorded(story))
    assert again.difference is None
    assert again.state == story.state
