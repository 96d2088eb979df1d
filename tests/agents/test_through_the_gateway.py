"""Unmodified agents behind the gateway: metered to the cent, stopped at their limit, without a key of yours."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from microloop_cli.testing.model import ScriptedModel
from tests.agents.recipes import PROMPT
from tests.agents.test_real_agents import REPAIR, give_to_container_user
from tests.e2e.running import Finished, microloop_argv, output_of, outside_environment
from tests.needs import need_agent, need_bwrap, need_docker_image, need_module

pytestmark = [pytest.mark.agents, pytest.mark.slow]

# What a call of the scripted model costs: 1000 tokens in, 50 out, at each provider's own prices.
CALL_USD = {
    "gpt-4o": Decimal("0.003"),
    "gpt-5-codex": Decimal("0.00175"),
    "claude-sonnet-4-5": Decimal("0.00375"),
    "gemini-2.5-pro": Decimal("0.00175"),
}
KEY = "sk-live-51f0c2d9e7a84b36"
KEYS = {"OPENAI_API_KEY": f"{KEY}-o", "ANTHROPIC_API_KEY": f"{KEY}-a", "GEMINI_API_KEY": f"{KEY}-g"}


@dataclass(frozen=True, slots=True)
class Client:
    """One agent as its user types it: nothing about addresses or keys."""

    name: str
    program: Callable[[], str]
    arguments: tuple[str, ...]
    sandbox: Literal["bwrap", "docker"] = "bwrap"
    options: Callable[[], list[str]] = list
    env: dict[str, str] = field(default_factory=dict)


MINI = ("-y", "--exit-immediately", "-m", "openai/gpt-4o", "-o", "/tmp/trajectory.json", "-t", PROMPT)
CODEX = (
    "exec",
    "--skip-git-repo-check",
    "--dangerously-bypass-approvals-and-sandbox",
    "-m",
    "gpt-5-codex",
    PROMPT,
)
CLAUDE = (
    "-p",
    "--dangerously-skip-permissions",
    "--output-format",
    "json",
    "--model",
    "claude-sonnet-4-5",
    PROMPT,
)
GEMINI = ("--approval-mode", "yolo", "-m", "gemini-2.5-pro", "-p", PROMPT)
QUIET_MINI = {"MSWEA_COST_TRACKING": "ignore_errors", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
CLIENTS = (
    Client("mini", lambda: str(need_agent("mini")), MINI, env=QUIET_MINI),
    Client(
        "mini in docker", lambda: "mini", MINI, "docker", lambda: ["--image", need_docker_image()], QUIET_MINI
    ),
    Client("claude", lambda: str(need_agent("claude")), CLAUDE),
    Client("codex", lambda: str(need_agent("codex")), CODEX),
    Client("gemini", lambda: str(need_agent("gemini")), GEMINI),
)
each_client = pytest.mark.parametrize(
    "client",
    [
        pytest.param(client, id=client.name, marks=[pytest.mark.docker] if client.sandbox == "docker" else [])
        for client in CLIENTS
    ],
)


def run(client: Client, sample: Path, model: ScriptedModel, *options: str) -> Finished:
    addresses = [f"openai={model.url}/v1", f"anthropic={model.url}", f"google={model.url}"]
    upstreams = [f"--upstream={address}" for address in addresses]
    return run_with(client, sample, KEYS, *upstreams, *options)


def run_with(client: Client, sample: Path, keys: dict[str, str], *options: str) -> Finished:
    if client.sandbox == "docker":
        give_to_container_user(sample)
    else:
        need_bwrap()
        need_module("pytest")
    given = [f"--env={name}={value}" for name, value in client.env.items()]
    done = subprocess.run(
        microloop_argv(
            "run", "--sandbox", client.sandbox, *client.options(), *given, *options, "--",
            client.program(), *client.arguments,
        ),
        cwd=sample, env={**outside_environment(), **keys}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=240, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr, sample)


def cost(model: ScriptedModel) -> Decimal:
    return sum((CALL_USD[asked.model] for asked in model.asked), Decimal(0))


def holding_key(folder: Path) -> list[str]:
    """The files below that hold a part of a key."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.is_file() and not path.is_symlink() and KEY.encode() in path.read_bytes():
                found.append(str(path))
    return found


@each_client
def test_an_agent_repairs_through_the_gateway_and_its_dollars_are_the_models_own_count(
    client: Client, sample: Path
) -> None:
    commands = [command for command, _, _ in REPAIR]
    look = "env | sort; cat /proc/*/environ | tr '\\0' '\\n' | sort"
    with ScriptedModel([look, *commands], "Fixed add().") as model:
        done = run(client, sample, model)
    assert done.exit_code == 0, done.said()
    assert (sample / "calc.py").read_text() == "def add(a, b):\n    return a + b\n"
    spent = done.inspect()["model"]
    assert Decimal(spent["cost_usd"]) == cost(model), (spent, [asked.model for asked in model.asked])
    assert spent["calls"] == len(model.asked)
    assert {key.removeprefix("Bearer ") for key in model.keys} <= set(KEYS.values()), model.keys
    assert holding_key(sample) == []
    assert "PATH=" in output_of(done.bundle, 1), "the agent's environment was looked at"
    assert not any(KEY in output_of(done.bundle, n) for n in range(1, 10))


# More than the agent's first request is estimated at, less than 28 calls cost: then gemini asks about itself.
BELOW_NEED_USD = {
    "mini": "0.01",
    "mini in docker": "0.01",
    "claude": "0.12",
    "codex": "0.03",
    "gemini": "0.04",
}


@each_client
def test_a_cost_below_need_stops_an_agent_with_122_within_the_stated_bound(
    client: Client, sample: Path
) -> None:
    limit = Decimal(BELOW_NEED_USD[client.name])
    with ScriptedModel([f"echo {n}" for n in range(40)]) as model:
        done = run(client, sample, model, "--max-cost", str(limit))
    assert done.exit_code == 122, done.said()
    summary = done.inspect()
    assert summary["outcome"] == "cost_limit"
    spent = Decimal(summary["model"]["cost_usd"])
    assert spent == cost(model)
    # Calls go one after the other: the last one may go over by what its output was not cut by.
    assert limit / 2 < spent <= limit + max(CALL_USD.values())


@each_client
def test_every_command_of_a_model_is_linked_to_the_call_that_asked_for_it(
    client: Client, sample: Path
) -> None:
    with ScriptedModel([command for command, _, _ in REPAIR], "Fixed add().") as model:
        done = run(client, sample, model)
    assert done.exit_code == 0, done.said()
    steps = [
        step for step in done.inspect()["steps"] if step["command"] in {command for command, _, _ in REPAIR}
    ]
    assert len(steps) == len(REPAIR)
    assert all(step["asked"] and step["tool_call"] for step in steps), steps
    assert [Decimal(step["cost_usd"]) for step in steps] == [CALL_USD[model.asked[0].model]] * len(REPAIR)


@each_client
def test_a_recorded_run_repairs_again_in_another_place_without_a_model_and_without_a_key(
    client: Client, sample: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "sample"
    shutil.copytree(sample, elsewhere)
    with ScriptedModel([command for command, _, _ in REPAIR], "Fixed add().") as model:
        first = run(client, sample, model, "--record-model")
    assert first.exit_code == 0, first.said()
    again = run_with(client, elsewhere, {}, "--replay-model", str(first.bundle))
    assert again.exit_code == 0, again.said()
    assert (elsewhere / "calc.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert Decimal(again.inspect()["model"]["cost_usd"]) == 0
    assert holding_key(sample) == []
