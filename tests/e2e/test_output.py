"""What goes to the terminal, to a pipe, and what `--quiet`, `--dry-run` and `--json` change."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.running import bundles, microloop, microloop_argv, outside_environment, run, run_script


def test_the_agents_output_passes_through_untouched(workspace: Path) -> None:
    done = run_script(workspace, "printf 'a\\tb\\n'; printf 'to stderr\\n' >&2; /bin/printf '\\033[1mbold'\n")
    assert done.exit_code == 0, done.said()
    assert done.stdout == "a\tb\n\033[1mbold"
    assert "to stderr\n" in done.stderr


def test_quiet_says_nothing_of_its_own(workspace: Path) -> None:
    done = run_script(workspace, "/bin/echo out; /bin/echo err >&2\n", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "out\n", "err\n")


def test_without_quiet_a_pipe_gets_plain_lines_without_control_sequences(workspace: Path) -> None:
    done = run_script(workspace, "/bin/echo out\n")
    assert "microloop" in done.stderr
    assert "\033" not in done.stderr
    assert "\r" not in done.stderr


def test_input_reaches_the_agent(workspace: Path) -> None:
    done = subprocess.run(
        microloop_argv("run", "--sandbox", "bwrap", "--quiet", "--", "cat"),
        cwd=workspace,
        env=outside_environment(),
        input=b"line\n" * 1000,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"line\n" * 1000), done.stderr.decode()


def test_dry_run_prints_the_plan_and_starts_nothing(workspace: Path) -> None:
    done = run(workspace, "--dry-run", "--max-steps", "7", "--", "touch", "made")
    assert done.exit_code == 0, done.said()
    assert "bwrap" in done.stdout
    assert "touch" in done.stdout
    assert "7" in done.stdout
    assert list(workspace.iterdir()) == []


def test_dry_run_prints_the_plan_as_data(workspace: Path) -> None:
    done = run(workspace, "--dry-run", "--json", "--", "touch", "made")
    assert done.exit_code == 0, done.said()
    assert isinstance(json.loads(done.stdout), dict)
    assert list(workspace.iterdir()) == []


def test_the_runs_of_a_workspace_are_listed_and_found_by_a_prefix(workspace: Path) -> None:
    for word in ("one", "two"):
        assert run(workspace, "--quiet", "--", "echo", word).exit_code == 0
    listed = microloop(workspace, "ls")
    assert listed.exit_code == 0, listed.said()
    run_ids = [path.name for path in bundles(workspace)]
    assert all(run_id in listed.stdout for run_id in run_ids)
    shown = microloop(workspace, "inspect", run_ids[0], "--json")
    assert json.loads(shown.stdout)["argv"] == ["echo", "one"]
    latest = microloop(workspace, "inspect", "--json")
    assert json.loads(latest.stdout)["run_id"] == run_ids[-1]


def test_what_the_agent_wrote_cannot_move_the_readers_terminal(workspace: Path) -> None:
    script = "/bin/sh -c 'printf \"\\033[2J\\033]0;title\\007evil\"' 'x\033[2Jy'\n"
    assert run_script(workspace, script, "--quiet").exit_code == 0
    for arguments in (["inspect"], ["inspect", "--step", "1"], ["inspect", "--json"]):
        shown = microloop(workspace, *arguments)
        assert shown.exit_code == 0, shown.said()
        assert "\033[2J" not in shown.stdout
        assert "\007" not in shown.stdout
    assert "evil" in microloop(workspace, "inspect", "--step", "1").stdout
