"""Without a workspace that is watched, edits by tools and what commands say tell one state from another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microloop_cli.core.actions import Finding
from microloop_cli.core.evaluation import tool_epochs
from microloop_cli.core.evaluation.tool_epochs import ToolEpochs
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.progress.tools import tool_meaning
from microloop_cli.core.traffic import ToolAnswered, ToolCalled
from tests.core.story import only
from tests.core.traffic_story import TrafficStory, verdict_in


class Alone(TrafficStory):
    """A conversation at `microloop gateway`: no guard, no workspace."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs, self.reader = ToolEpochs(), OutputReader()

    def does(self, tool: str, output: str, command: str | None = None, /, **arguments: Any) -> str:
        self.made += 1
        called = ToolCalled(
            call=1, id=f"{self.made}", tool=tool, arguments=json.dumps(arguments), command=command
        )
        known = tool_meaning(tool, called.arguments, command)
        self.tell(*self.epochs.called(known, command), called)
        text = output.encode()
        signals = self.reader.read(known, command or tool, Kept(text, b"", len(text)), exit_code=0)
        after = self.epochs.answered(known, command, signals)
        said = self.tell(*after, ToolAnswered(call=1, id=called.id, bytes=9, signals=signals))
        return verdict_in(said).answer


def test_a_file_read_again_after_each_edit_is_no_loop() -> None:
    story = Alone()
    for number in range(8):
        assert story.does("Read", "def f(): ...", file_path="a.py") == "pass"
        assert story.does("Edit", "done", file_path="a.py", old_string=f"{number}", new_string="x") == "pass"
    assert only(Finding, [action for _, action in story.heard]) == []


def test_a_file_read_again_without_one_is() -> None:
    story = Alone()
    heard = [story.does("Read", "def f(): ...", file_path="a.py") for _ in range(5)]
    assert heard == ["pass", "pass", "append", "replace", "replace"]


def test_a_command_that_says_the_same_again_is() -> None:
    story = Alone()
    heard = [story.does("Bash", "1 failed: test_a", "pytest -q") for _ in range(5)]
    assert heard == ["pass", "pass", "append", "replace", "replace"]


def test_edits_that_were_not_accepted_change_nothing() -> None:
    story = Alone()
    heard = [
        story.does(
            "Edit", "Error: old_string not found in a.py", file_path="a.py", old_string=f"{n}", new_string="x"
        )
        for n in range(5)
    ]
    assert "append" in heard


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_epochs, "REMEMBERED_CALLS", 3)
    epochs, names = ToolEpochs(), []
    for number in range(20):
        known = tool_meaning("Write", json.dumps({"path": "a", "content": f"{number}"}), None)
        facts = (*epochs.called(known, None), *epochs.answered(known, None, None))
        names += [fact.epoch for fact in facts]
    assert len(set(names)) == len(names) >= 20


def test_writing_the_same_file_twice_is_one_state() -> None:
    epochs = ToolEpochs()
    known = tool_meaning("Write", '{"path": "a", "content": "x"}', None)
    seen = [(*epochs.called(known, None), *epochs.answered(known, None, None)) for _ in range(3)]
    assert [len(facts) for facts in seen] == [2, 0, 0]
