"""Runs of other recorders, read by their shape, and what is said of those that are none."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.core.evaluation.formats import FormatProblem, parse_run
from microloop_cli.core.evaluation.trajectory import Trajectory


def parsed(document: Any) -> Trajectory:
    return parse_run(json.dumps(document).encode(), "named")


def test_a_line_of_loopbench() -> None:
    run = parsed({"id": "a", "kind": "k", "label": "loop", "onset_step": 2, "note": "", "licence_ok": True,
                  "steps": [{"step": 1, "action": "ls", "tool": "bash", "observation": "x", "exit_code": None}]})  # fmt: skip
    assert (run.id, run.label, run.onset_step, run.steps[0].action) == ("a", "loop", 2, "ls")


def test_a_trajectory_of_mini_swe_agent_with_tool_calls() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    run = parsed({
        "info": {"model_stats": {}},
        "messages": [
            {"role": "system", "content": "You are"},
            {"role": "user", "content": "Solve this"},
            {"role": "assistant", "content": None, "tool_calls": [call],
             "extra": {"actions": [{"command": "ls", "tool_call_id": "1"}], "cost": 0.25, "timestamp": 100.0}},
            {"role": "tool", "content": '{"returncode": 2, "output": "no"}', "tool_call_id": "1",
             "extra": {"raw_output": "no", "returncode": 2, "timestamp": 103.5}},
            {"role": "assistant", "content": "I am done", "extra": {"actions": []}},
            {"role": "exit", "content": "Submitted"},
        ],
    })  # fmt: skip
    assert run.id == "named"
    first, second = run.steps
    assert (first.action, first.observation, first.exit_code) == ("ls", "no", 2)
    assert (first.seconds, first.cost_usd) == (3.5, 0.25)
    assert second.tool == "message"


def test_a_trajectory_of_mini_swe_agent_with_fenced_blocks() -> None:
    run = parsed({
        "instance_id": "django-1",
        "messages": [
            {"role": "assistant", "content": "THOUGHT: look\n\n```bash\ncat f\n```"},
            {"role": "user", "content": "<returncode>0</returncode>\n<output>\nhello\n</output>"},
            {"role": "assistant", "content": "```bash\na\n```\n```bash\nb\n```"},
            {"role": "user", "content": [{"type": "text", "text": "EXACTLY ONE action, please"}]},
        ],
    })  # fmt: skip
    assert run.id == "django-1"
    assert (run.steps[0].action, run.steps[0].observation, run.steps[0].exit_code) == ("cat f", "hello", 0)
    assert (run.steps[1].tool, run.steps[1].observation) == ("message", "EXACTLY ONE action, please")


def test_a_trajectory_of_swe_agent() -> None:
    run = parsed({"trajectory": [
        {"action": "ls\n", "observation": "f", "thought": "", "state": {}, "execution_time": 0.5},
        {"action": "", "observation": "say something"},
    ]})  # fmt: skip
    assert [(step.step, step.action, step.tool) for step in run.steps] == [
        (1, "ls", "bash"),
        (2, "", "message"),
    ]
    assert run.steps[0].seconds == 0.5


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"steps": []}, "id: it is missing"),
        ({"id": "a", "steps": [{"step": 1, "action": "x"}]}, "steps[0].observation: it is missing"),
        ({"id": "a", "steps": 3}, "steps: Expected `array`, got `int`"),
        ({"id": "a", "steps": [], "label": "maybe"}, "label: Invalid enum value 'maybe'"),
        ({"id": "a", "steps": [], "label": "loop"}, "onset_step: a loop needs"),
        ({"id": "a", "steps": [{"step": 2, "action": "", "observation": ""}] * 2}, "steps[1].step: 2 comes after 2"),
        ({"messages": [{"role": 3}]}, "messages[0].role: Expected `str`, got `int`"),
        ({"unknown": 1}, "it has no `steps` (loopbench)"),
        ([], "Expected `object`, got `array`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_key_path(document: Any, said: str) -> None:
    with pytest.raises(FormatProblem) as problem:
        parsed(document)
    assert problem.value.message.startswith(said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"id": "a", "steps"', "it is not JSON"),
        (b'{"id": "\xff", "steps": []}', "it is not UTF-8"),
        (b'{"id": "a", "steps": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is nested too deeply"),
        (b"", "it is not JSON"),
    ],
    ids=["cut", "utf-8", "deep", "empty"],
)
def test_what_is_no_json_is_told(data: bytes, said: str) -> None:
    with pytest.raises(FormatProblem) as problem:
        parse_run(data, "named")
    assert problem.value.message.startswith(said)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner)
       | st.dictionaries(st.sampled_from(["id", "steps", "messages", "trajectory", "action", "role", "content",
                                          "extra", "tool_calls"]), inner)).map(lambda d: json.dumps(d).encode()))  # fmt: skip
def test_any_data_is_a_run_or_a_problem(data: bytes) -> None:
    with contextlib.suppress(FormatProblem):
        assert parse_run(data, "named").id
