"""A run's bundle, judged again under its own policy, comes to the same verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from microloop_cli.bundle.reader import open_bundle
from microloop_cli.core.actions import AnyDecision
from microloop_cli.core.events import AnyFact
from microloop_cli.core.replay import Replay, replay
from microloop_cli.core.settings import Settings
from microloop_cli.policy.load import load
from microloop_cli.policy.profiles import load_profile
from microloop_cli.policy.settings import to_settings
from tests.e2e.running import Finished, run_script

REPEATS = "for i in 1 2 3 4 5 6 7; do cat notes.txt; done\n"
MIXED = """
cat notes.txt; cat notes.txt; echo more >> notes.txt; cat notes.txt
ls /nope; sh -c 'ls | wc -l'; python3 -c 'print(1)'
touch notes.txt; cat notes.txt; cat notes.txt
"""


def settings_of(bundle: Path) -> Settings:
    profile = json.loads((bundle / "environment.json").read_text())["agent_profile"]
    return to_settings(load(str(bundle / "policy.yaml")), load_profile(profile))


def judged_again(finished: Finished) -> Replay:
    entries = open_bundle(finished.bundle).entries()
    events = [(entry.at, cast("AnyFact | AnyDecision", entry.event)) for entry in entries]
    return replay(settings_of(finished.bundle), events)


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (REPEATS, []),
        (MIXED, []),
        (MIXED, ["--max-steps", "3"]),
        (REPEATS, ["--policy", "observe"]),
        ("sleep 5; ls\n", ["--max-time", "1s"]),
        ("sleep 5; ls\n", ["--max-idle", "1s"]),
    ],
    ids=["repeats", "mixed", "step-limit", "observe", "time-limit", "idle-limit"],
)
def test_every_verdict_of_a_run_comes_again(repository: Path, script: str, options: list[str]) -> None:
    finished = run_script(repository, script, *options)
    again = judged_again(finished)
    assert again.difference is None, finished.said()
    assert again.facts > 3
    assert again.state.ended
