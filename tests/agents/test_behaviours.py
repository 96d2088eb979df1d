"""An unmodified agent whose model goes in circles is nudged, refused and stopped; one that works is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from microloop_cli.testing.model import ScriptedModel
from tests.agents.behaviours import HEALTHY, LOOPS, Behaviour
from tests.agents.recipes import RECIPES, Recipe
from tests.e2e.running import Finished, run
from tests.needs import need_bwrap

pytestmark = [pytest.mark.agents, pytest.mark.slow]

CODEX = next(recipe for recipe in RECIPES if recipe.name == "codex in bwrap")


def _name(behaviour: Behaviour) -> str:
    return behaviour.name.replace(" ", "-").replace(",", "")


def _run(behaviour: Behaviour, workspace: Path, recipe: Recipe = CODEX) -> Finished:
    need_bwrap()
    behaviour.prepare(workspace)
    with ScriptedModel(list(behaviour.commands), "Done.") as model:
        return run(workspace, *recipe.command_line(model.url), sandbox=recipe.sandbox, timeout=180)


@pytest.mark.parametrize("behaviour", LOOPS, ids=_name)
def test_a_loop_is_nudged_refused_and_stopped(behaviour: Behaviour, tmp_path: Path) -> None:
    done = _run(behaviour, tmp_path / "repo")
    assert done.exit_code == 120, done.said()
    document = done.inspect()
    answers = [finding["answer"] for finding in document["findings"]]
    assert answers.index("nudge") < answers.index("refuse") < answers.index("stop"), document["findings"]
    assert len(document["steps"]) < len(behaviour.commands), "it was stopped before it ran out of commands"
    assert done.events("detector_failed") == []


@pytest.mark.parametrize("behaviour", HEALTHY, ids=_name)
def test_work_that_only_looks_like_a_loop_is_left_alone(behaviour: Behaviour, tmp_path: Path) -> None:
    done = _run(behaviour, tmp_path / "repo")
    assert done.exit_code == 0, done.said()
    document = done.inspect()
    assert document["findings"] == []
    assert [step["command"] for step in document["steps"]] == list(behaviour.commands)
