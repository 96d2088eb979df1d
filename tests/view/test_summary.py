"""The JSON document: its keys are a promise to programs that read it."""

from __future__ import annotations

import json

import pytest

from microloop_cli.core.actions import LimitWarning
from microloop_cli.core.settings import Limits
from microloop_cli.errors import BundleError
from microloop_cli.view.runview import run_view
from microloop_cli.view.summary import step_document, summary
from tests.view.ledgers import CHANGES, ENVIRONMENT, Story, loop_story

KEYS = {
    "schema", "run_id", "outcome", "stop_reason", "exit_code", "duration_seconds", "sandbox", "limits",
    "steps", "findings", "execs", "changed_files",
}  # fmt: skip
STEP_KEYS = {
    "n", "command", "argv", "cwd", "started_at_seconds", "duration_seconds", "exit_code", "verdict",
    "findings",
}  # fmt: skip


def test_the_promised_keys_are_there() -> None:
    document = summary(run_view(loop_story().entries), ENVIRONMENT, CHANGES)
    assert set(document) >= KEYS
    assert all(set(step) >= STEP_KEYS for step in document["steps"])
    assert all(set(finding) >= {"detector", "steps", "answer", "text"} for finding in document["findings"])
    assert set(document["sandbox"]) >= {"backend", "enforced", "missing"}


def test_the_values_are_those_of_the_run() -> None:
    document = summary(run_view(loop_story().entries), ENVIRONMENT, CHANGES)
    assert (document["schema"], document["outcome"], document["exit_code"]) == (1, "no_progress", 120)
    assert document["sandbox"]["backend"] == "bwrap"
    assert document["sandbox"]["missing"] == {"memory": "no cgroup that this user may write"}
    assert document["limits"]["steps"] == {"used": 5, "allowed": 10}
    assert document["limits"]["idle_seconds"]["allowed"] is None
    assert document["steps"][2]["verdict"] == "nudged"
    assert document["findings"][document["steps"][3]["findings"][0]]["answer"] == "refuse"
    assert [(file["path"], file["kind"]) for file in document["changed_files"]] == [
        ("calc.py", "modified"),
        ("new.txt", "added"),
    ]


def test_a_crashed_run_has_no_exit_code() -> None:
    document = summary(run_view(Story().entries), None, None)
    assert (document["outcome"], document["exit_code"], document["changed_files"]) == ("crashed", None, [])


def test_a_limit_is_known_from_its_warning_when_the_environment_is_lost() -> None:
    story = Story()
    story.say(LimitWarning(limit="wall_seconds", used=8.0, allowed=10.0))
    assert summary(run_view(story.entries), None, None)["limits"]["wall_seconds"]["allowed"] == 10.0


def test_settings_may_come_as_they_are_in_memory() -> None:
    environment = {**ENVIRONMENT, "limits": Limits(steps=7)}
    assert summary(run_view(Story().entries), environment, None)["limits"]["steps"]["allowed"] == 7


def test_the_document_is_plain_json_whatever_the_agent_wrote() -> None:
    story = Story(("a\udcff", "\x1b[31m"))
    story.step("\x00\u202e", 0, b"\xff")
    text = json.dumps(summary(run_view(story.entries), None, None))
    assert json.loads(text)["steps"][0]["command"] == "\x00\u202e"
    assert text.isascii()


@pytest.mark.parametrize(
    "environment", [[1], "text", {"enforcement": []}, {"limits": {"steps": "many"}}, {"backend": 3}], ids=repr
)
def test_an_environment_of_the_wrong_shape_is_named(environment: object) -> None:
    with pytest.raises(BundleError, match=r"environment\.json"):
        summary(run_view(Story().entries), environment, None)


@pytest.mark.parametrize("changes", ["text", [1], [{"path": 3, "kind": "added"}], {"changes": 1}], ids=repr)
def test_changes_of_the_wrong_shape_are_named(changes: object) -> None:
    with pytest.raises(BundleError, match=r"changes\.json"):
        summary(run_view(Story().entries), None, changes)


def test_one_step_as_json_has_its_tree_and_text() -> None:
    story = loop_story()
    view = run_view(story.entries, tree_of=3)
    assert view.tree is not None
    document = step_document(view, view.steps[2], view.tree, {"stdout": b"a\xff", "stderr": None})
    assert document["kept"] == {"stdout": "a\\xff", "stderr": None}
    assert document["findings"][0]["answer"] == "nudge"
    assert document["above"][0]["argv"] == ["agent", "--fix"]
