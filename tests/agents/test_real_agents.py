"""Unmodified agents that others wrote: they repair, and when they go in circles they are stopped."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from microloop_cli.testing.model import ScriptedModel
from tests.agents.recipes import RECIPES, Recipe
from tests.e2e.running import Finished, microloop, output_of, run
from tests.needs import need_bwrap, need_module

pytestmark = [pytest.mark.agents, pytest.mark.slow]

PYTEST = "/usr/bin/python3 -m pytest -q"
REPAIR = (
    (PYTEST, 1, "1 failed"),
    ("sed -i 's/return a - b/return a + b + 1/' calc.py", 0, ""),
    (PYTEST, 1, "1 failed"),
    ("sed -i 's/return a + b + 1/return a + b/' calc.py", 0, ""),
    (PYTEST, 0, "1 passed"),
    ("git diff --stat", 0, "calc.py | 2 +-"),
)


def _param(recipe: Recipe) -> Any:
    marks = [pytest.mark.docker] if recipe.sandbox == "docker" else []
    return pytest.param(recipe, id=recipe.name.replace(" ", "-"), marks=marks)


each_agent = pytest.mark.parametrize("recipe", [_param(recipe) for recipe in RECIPES])


def _run(recipe: Recipe, sample: Path, model: ScriptedModel) -> Finished:
    if recipe.sandbox == "bwrap":
        need_bwrap()
        need_module("pytest")
    else:
        give_to_container_user(sample)
    return run(sample, *recipe.command_line(model.url), sandbox=recipe.sandbox, timeout=180)


def give_to_container_user(sample: Path) -> None:
    """Root's files would be out of reach of the container's ordinary user; for others it is the same user."""
    if os.getuid() != 0:
        return
    for folder, _, files in os.walk(sample):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            os.chown(path, 1000, 1000)


@each_agent
def test_an_agent_repairs_the_sample_and_every_command_is_one_step(recipe: Recipe, sample: Path) -> None:
    with ScriptedModel([command for command, _, _ in REPAIR], "Fixed add().") as model:
        done = _run(recipe, sample, model)
    assert done.exit_code == 0, done.said()
    assert (sample / "calc.py").read_text() == "def add(a, b):\n    return a + b\n"
    steps = done.inspect()["steps"]
    asked = [command for command, _, _ in REPAIR] + list(recipe.closes_with)
    assert [step["command"] for step in steps] == asked, done.said()
    assert [step["n"] for step in steps] == list(range(1, len(asked) + 1))
    for step, (command, code, words) in zip(steps, REPAIR, strict=False):
        assert step["exit_code"] == code, command
        assert words in output_of(done.bundle, step["n"]), command
        assert (step["verdict"], step["findings"]) == ("allowed", []), command


@each_agent
def test_the_bundle_of_an_agents_run_is_whole_and_tells_what_changed(recipe: Recipe, sample: Path) -> None:
    with ScriptedModel([REPAIR[1][0], REPAIR[3][0]], "Fixed add().") as model:
        done = _run(recipe, sample, model)
    assert done.exit_code == 0, done.said()
    verified = microloop(sample, "verify")
    assert verified.exit_code == 0, verified.said()
    document = done.inspect()
    assert [change["path"] for change in document["changed_files"]] == ["calc.py"]
    assert (document["sandbox"]["backend"], document["outcome"]) == (recipe.sandbox, "ended")
    patch = done.bundle / "workspace" / "changes.patch"
    reverse = ["git", "-c", "safe.directory=*", "apply", "--check", "-R", str(patch)]
    assert subprocess.run(reverse, cwd=sample, check=False, capture_output=True).returncode == 0


@each_agent
def test_an_agent_in_a_circle_is_nudged_refused_and_stopped(recipe: Recipe, sample: Path) -> None:
    with ScriptedModel([PYTEST], forever=True) as model:
        done = _run(recipe, sample, model)
    assert done.exit_code == 120, done.said()
    document = done.inspect()
    assert document["outcome"] == "no_progress"
    assert [finding["answer"] for finding in document["findings"]] == _in_order(document)
    steps = document["steps"]
    assert {step["command"] for step in steps} == {PYTEST}
    assert [step["verdict"] for step in steps][:5] == ["allowed", "allowed", "nudged", "refused", "refused"]
    assert "microloop" in steps[3]["message"]
    assert microloop(sample, "verify").exit_code == 0
    assert len(model.asked) <= 7, json.dumps(len(model.asked))


def _in_order(document: dict[str, Any]) -> list[str]:
    """The answers of the findings, which must go nudge, refuse ..., stop."""
    answers = [finding["answer"] for finding in document["findings"]]
    refusals = max(1, len(answers) - 2)
    return ["nudge", *["refuse"] * refusals, "stop"]
