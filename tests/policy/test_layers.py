"""Layers: the command line over the named policy over the default, and every value knows where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from microloop_cli.core.settings import AgentProfile
from microloop_cli.errors import PolicyError
from microloop_cli.policy.explain import explain
from microloop_cli.policy.layers import Resolved, resolve
from microloop_cli.policy.load import load, policy_names
from microloop_cli.policy.model import Policy, key_types
from microloop_cli.policy.settings import chosen_environment, refusal, to_settings, unacceptable


def test_the_command_line_wins_over_the_named_policy_and_that_over_the_default() -> None:
    resolved = load("ci", {"limits.steps": ("--max-steps", 7)})
    assert (resolved.policy.limits.steps, resolved.provenance["limits.steps"]) == (7, "--max-steps")
    assert resolved.policy.limits.wall_seconds == 3600
    assert resolved.provenance["limits.wall_seconds"] == "ci policy"
    assert resolved.provenance["sandbox.network"] == "default policy"


def test_every_value_has_a_source_and_every_policy_is_whole() -> None:
    assert policy_names() == ["ci", "default", "observe", "offline", "strict"]
    for name in policy_names():
        rows = explain(load(name))
        assert [row.path for row in rows] == list(key_types())
        assert all(row.source for row in rows)


def test_the_default_policy_says_every_key_itself() -> None:
    provenance = load().provenance
    assert {path for path, source in provenance.items() if source != "default policy"} == {"extends"}


def test_a_file_is_named_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("limits:\n  steps: 3\nprogress:\n  ignore: [out/]\n")
    resolved = load(str(file))
    assert resolved.provenance["limits.steps"] == f"{file}:2"
    assert resolved.policy.progress.ignore == ("out/",)
    assert resolved.policy.progress.repeat.nudge == 3


def test_a_relative_file_is_named_as_it_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.yaml").write_text("limits: {steps: 3}\n")
    monkeypatch.chdir(tmp_path)
    assert load("my.yaml").provenance["limits.steps"] == "my.yaml:1"


def test_a_file_can_extend_a_policy_and_another_file(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text("extends: strict\nlimits:\n  steps: 50\n")
    (tmp_path / "mine.yaml").write_text("extends: ./team.yaml\nlimits:\n  idle_seconds: null\n")
    resolved = load(str(tmp_path / "mine.yaml"))
    assert resolved.policy.limits.steps == 50
    assert resolved.policy.limits.idle_seconds is None
    assert resolved.policy.limits.wall_seconds == 1800
    assert resolved.provenance["limits.wall_seconds"] == "strict policy"
    assert resolved.provenance["limits.steps"].endswith("team.yaml:3")
    assert resolved.policy.extends is None


@pytest.mark.parametrize("parent", ["./a.yaml", "./b.yaml"])
def test_policies_that_extend_each_other_are_refused(tmp_path: Path, parent: str) -> None:
    (tmp_path / "a.yaml").write_text(f"extends: {parent}\n")
    (tmp_path / "b.yaml").write_text("extends: ./a.yaml\n")
    with pytest.raises(PolicyError, match="without end"):
        load(str(tmp_path / "a.yaml"))


def test_an_option_that_does_not_fit_names_the_option() -> None:
    with pytest.raises(
        PolicyError, match=r"--sandbox: sandbox.backend: expected one of auto, bwrap, docker, none"
    ):
        load(options={"sandbox.backend": ("--sandbox", "podman")})


def test_an_answer_before_a_milder_one_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"repeat.stop: 3 is less than progress.repeat.refuse, which is 4"):
        load(options={"progress.repeat.stop": ("--x", 3)})


def test_no_layer_gives_the_built_in_policy() -> None:
    resolved = resolve([])
    assert resolved.policy == Policy()
    assert set(resolved.provenance.values()) == {"built in"}


def test_the_core_gets_limits_thresholds_and_the_agents_names() -> None:
    resolved = load("observe", {"agent.processes": ("--x", ["worker"]), "limits.steps": ("--max-steps", 9)})
    settings = to_settings(resolved, AgentProfile(processes=("codex",)))
    assert settings.limits.steps == 9
    assert settings.progress.answers == "record"
    assert settings.agent.processes == ("codex", "worker")


def test_the_environment_takes_names_from_the_host_and_values_as_given() -> None:
    policy = load(options={"sandbox.env": ("--x", ["A", "B=policy", "GONE"])}).policy
    host = {"A": "1", "C": "3", "SECRET": "x"}
    assert chosen_environment(policy, ["B=line", "C"], host) == {"A": "1", "B": "line", "C": "3"}
    with pytest.raises(PolicyError, match="--env"):
        chosen_environment(policy, ["9=x"], host)


def missing_under(name: str, *missing: str, **options: object) -> tuple[str, ...]:
    given = {path.replace("__", "."): ("--option", value) for path, value in options.items()}
    return unacceptable(load(name, given), missing)


def test_boundaries_that_cannot_be_enforced_are_recorded_or_refused_as_the_policy_says() -> None:
    assert missing_under("default", "filesystem", "memory") == ()
    assert missing_under("observe", "filesystem") == ()
    assert missing_under("strict", "filesystem", "capture") == ("filesystem", "capture")
    assert missing_under("offline", "network") == ("network",)


def test_a_number_that_only_the_default_policy_sets_is_no_reason_to_refuse() -> None:
    assert missing_under("strict", "memory", "cpu", "pids") == ()
    assert missing_under("strict", "memory", "pids", sandbox__memory_mib=512) == ("memory",)


def test_the_refusal_says_which_policy_and_which_boundaries() -> None:
    resolved: Resolved = load("strict")
    error = refusal(resolved, ["network", "home"])
    assert "strict policy" in error.message
    assert "network, home" in error.message
    assert error.exit_code == 125
