"""The exit code of `microloop run` says how the run ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.running import microloop, run, run_script

LOOP = "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/sh -c 'echo same; exit 1'; done\n"


@pytest.mark.parametrize("code", [0, 1, 7, 42, 255])
def test_an_agent_that_ends_by_itself_keeps_its_own_exit_code(workspace: Path, code: int) -> None:
    done = run_script(workspace, f"echo hello\nexit {code}\n")
    assert done.exit_code == code, done.said()
    assert done.stdout == "hello\n"
    document = done.inspect()
    assert (document["outcome"], document["exit_code"]) == ("ended", code)


@pytest.mark.parametrize(("name", "number"), [("TERM", 15), ("KILL", 9), ("SEGV", 11)])
def test_an_agent_killed_by_a_signal_gives_128_and_its_number(
    workspace: Path, name: str, number: int
) -> None:
    done = run_script(workspace, f"kill -{name} $$\n")
    assert done.exit_code == 128 + number, done.said()


def test_going_in_circles_ends_with_120(workspace: Path) -> None:
    done = run_script(workspace, LOOP)
    assert done.exit_code == 120, done.said()
    document = done.inspect()
    assert document["outcome"] == "no_progress"
    answers = [finding["answer"] for finding in document["findings"]]
    assert answers[0] == "nudge", answers
    assert answers[-1] == "stop", answers
    assert "refuse" in answers, answers


def test_the_step_limit_ends_with_121_after_a_warning(workspace: Path) -> None:
    done = run_script(workspace, "for i in 1 2 3 4 5 6 7 8; do /bin/echo $i; done\n", "--max-steps", "5")
    assert done.exit_code == 121, done.said()
    assert done.stdout == "1\n2\n3\n4\n5\n"
    assert [warning["limit"] for warning in done.events("limit_warning")] == ["steps"]
    document = done.inspect()
    assert document["outcome"] == "step_limit"
    assert document["limits"]["steps"]["allowed"] == 5


def test_the_time_limit_ends_with_124_after_a_warning(workspace: Path) -> None:
    done = run_script(
        workspace, "i=0; while true; do i=$((i+1)); /bin/sleep 0.2$i; done\n", "--max-time", "1.5s"
    )
    assert done.exit_code == 124, done.said()
    assert [warning["limit"] for warning in done.events("limit_warning")] == ["wall_seconds"]
    document = done.inspect()
    assert document["outcome"] == "time_limit"
    assert 1.4 < document["duration_seconds"] < 20


def test_the_idle_limit_ends_with_124_after_a_warning(workspace: Path) -> None:
    done = run_script(workspace, "/bin/echo busy\n/bin/sleep 30\n", "--max-idle", "1s")
    assert done.exit_code == 124, done.said()
    assert [warning["limit"] for warning in done.events("limit_warning")] == ["idle_seconds"]


def test_work_keeps_the_idle_limit_away(workspace: Path) -> None:
    script = "for i in 1 2 3 4 5 6; do /bin/echo $i; /bin/sleep 0.4$i; done\n"
    done = run_script(workspace, script, "--max-idle", "2s")
    assert done.exit_code == 0, done.said()


def test_a_command_that_is_not_there_gives_127(workspace: Path) -> None:
    done = run(workspace, "--", "no-such-agent")
    assert done.exit_code == 127, done.said()
    assert "no-such-agent" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_executed_gives_126(workspace: Path) -> None:
    (workspace / "agent").write_text("not a program\n")
    done = run(workspace, "--", "./agent")
    assert done.exit_code == 126, done.said()
    assert "agent" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["run", "--no-such-option", "--", "true"], "--no-such-option"),
        (["run", "--sandbox", "vault", "--", "true"], "vault"),
        (["run"], "COMMAND"),
        (["run", "--max-steps", "many", "--", "true"], "--max-steps"),
        (["run", "--max-time", "soon", "--", "true"], "--max-time"),
        (["run", "--policy", "no-such-policy", "--", "true"], "no-such-policy"),
        (["run", "--workspace", "/no/such/folder", "--", "true"], "/no/such/folder"),
        (["inspect", "no-such-run"], "no"),
        (["verify", "no-such-run"], "no"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_a_wrong_command_line_gives_2_and_a_message(
    workspace: Path, arguments: list[str], names: str
) -> None:
    done = microloop(workspace, *arguments)
    assert done.exit_code == 2, done.said()
    assert names.lower() in done.stderr.lower(), done.said()
    assert "Traceback" not in done.stderr
    assert not (workspace / ".microloop").exists()


def test_a_broken_policy_file_gives_2_and_names_the_key(workspace: Path) -> None:
    policy = workspace / "mine.yaml"
    policy.write_text("limits:\n  stepps: 5\n")
    done = run(workspace, "--policy", str(policy), "--", "true")
    assert done.exit_code == 2, done.said()
    assert "stepps" in done.stderr
    assert "steps" in done.stderr.replace("stepps", "")


def test_microloop_that_cannot_work_gives_125(workspace: Path) -> None:
    done = run(workspace, "--image", "no-such-image:nowhere", "--", "true", sandbox="docker")
    assert done.exit_code == 125, done.said()
    assert "Traceback" not in done.stderr
