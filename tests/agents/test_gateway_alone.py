"""Unmodified agents that go in circles behind `microloop gateway`, without a sandbox."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from microloop_cli.testing.model import ScriptedModel
from microloop_cli.testing.script import ToolUse
from tests.agents.test_through_the_gateway import CLIENTS, KEY, KEYS
from tests.e2e.running import microloop_argv, outside_environment

pytestmark = [pytest.mark.agents, pytest.mark.slow]

COMMAND = "cat calc.py"


@pytest.mark.parametrize("name", ["mini", "claude", "claude reads", "codex"])
def test_an_agent_in_circles_is_nudged_refused_and_stopped_and_has_no_key(
    name: str, sample: Path, tmp_path: Path
) -> None:
    client = next(client for client in CLIENTS if client.name == name.split()[0])
    reads = ToolUse(("Read",), {"file_path": str(sample / "calc.py")})
    home = tmp_path / "home"
    home.mkdir()
    with ScriptedModel([reads if name.endswith("reads") else COMMAND], forever=True) as model:
        addresses = [f"openai={model.url}/v1", f"anthropic={model.url}", f"google={model.url}"]
        done = subprocess.run(
            microloop_argv(
                "gateway", *[f"--upstream={each}" for each in addresses],
                "--", client.program(), *client.arguments,
            ),
            cwd=sample, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            env={**outside_environment(), **KEYS, **client.env, "HOME": str(home), "IS_SANDBOX": "1"},
            timeout=120, check=False,
        )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 120, said
    # Claude says at the second time that the file is the same, and from then on that.
    n = 2 if name.endswith("reads") else 1
    assert len(model.asked) == n + 5, said
    assert {key.removeprefix("Bearer ") for key in model.keys} <= set(KEYS.values())
    assert f"microloop: step {n + 2} nudged: repeat of {n}, {n + 1}\n" in done.stderr, said
    assert f"microloop: step {n + 3} refused: repeat of {n}, {n + 1}, {n + 2}\n" in done.stderr, said
    assert "has given the same result 6 times" in said
    assert KEY not in said
