"""The JSON document: its keys are a promise to programs that read it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from microloop_cli.core.actions import LimitWarning
from microloop_cli.core.settings import Limits
from microloop_cli.errors import BundleError
from microloop_cli.view.runview import run_view
from microloop_cli.view.summary import step_document, summary
from tests.view.ledgers import CHANGES, ENVIRONMENT, Story, loop_story
from tests.view.talks import TALK_ENVIRONMENT, repair_story

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


def test_a_run_with_models_and_requests_tells_what_they_came_to() -> None:
    document = summary(run_view(repair_story().entries), TALK_ENVIRONMENT, [])
    assert document["schema"] == 1
    assert document["model"]["cost_usd"] == "0.02"
    assert document["model"]["tokens"] == {
        "input": 3000, "cached": 2400, "cache_write": 0, "output": 150, "reasoning": 0,
    }  # fmt: skip
    assert [line["model"] for line in document["model"]["models"]] == [
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
    ]
    assert document["tool_calls"] == {"calls": 4, "answered": 4, "failed": 0, "nudged": 1, "refused": 0}
    assert (document["network"]["allowed"], document["network"]["refused"]) == (1, 3)
    assert document["limits"]["cost_usd"] == {"used": "0.02", "allowed": "0.02"}
    assert document["limits"]["tokens"] == {"used": 3150, "allowed": None}
    assert document["limits"]["model_calls"] == {"used": 4, "allowed": None}
    assert [step["cost_usd"] for step in document["steps"]] == [None, "0.006", "0.006", "0.008", None]
    assert [step["kind"] for step in document["steps"]] == ["process", "process", "tool", "tool", "process"]
    assert [step["asked"] for step in document["steps"]] == [False, True, True, True, True]
    assert document["steps"][3]["tool_call"] == "t3"


def test_a_run_without_a_door_has_the_same_keys() -> None:
    document = summary(run_view(Story().finish().entries), None, None)
    assert (document["model"]["calls"], document["model"]["cost_usd"]) == (0, None)
    assert document["network"]["refused_hosts"] == []
    assert document["limits"]["cost_usd"] == {"used": None, "allowed": None}


@pytest.mark.parametrize("cost", ["1.50", 1.5, Decimal("1.50")], ids=repr)
def test_a_dollar_limit_may_come_as_text_or_number(cost: object) -> None:
    document = summary(run_view(Story().entries), {"limits": {"cost_usd": cost}}, None)
    assert document["limits"]["cost_usd"]["allowed"] == "1.5"


def test_a_dollar_limit_is_known_from_its_warning_when_the_environment_is_lost() -> None:
    limits = summary(run_view(repair_story().entries), None, None)["limits"]
    assert limits["cost_usd"]["allowed"] == "0.02"


def test_one_step_as_json_has_the_tool_call_and_the_model_call_that_asked_for_it() -> None:
    view = run_view(repair_story().entries, tree_of=2)
    assert view.tree is not None
    document = step_document(view, view.steps[1], view.tree, {})
    assert (document["tool_call"]["tool"], document["tool_call"]["command"]) == ("Bash", "pytest -q")
    assert (document["model_call"]["call"], document["model_call"]["cost_usd"]) == (1, "0.012")
    own = step_document(view, view.steps[0], view.tree, {})
    assert (own["tool_call"], own["model_call"]) == (None, None)


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
