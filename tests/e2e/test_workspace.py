"""What a run leaves in the workspace, and what the sandbox lets the agent reach outside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Finished, bundles, inspect, microloop, run_script
from tests.needs import missing, need, need_bwrap

CHANGES = (
    "echo three >> notes.txt; rm old.txt; mkdir sub; echo new > sub/new.txt; printf 'no newline' > plain\n"
)


def _apply(patch: Path, folder: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(patch)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _contents(folder: Path) -> dict[str, bytes]:
    hidden = {".git", ".microloop"}
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if hidden.isdisjoint(path.relative_to(folder).parts) and path.name != "agent.sh"
    }


@pytest.mark.parametrize("with_git", [True, False])
def test_the_patch_of_a_run_makes_the_same_changes_again(workspace: Path, with_git: bool) -> None:
    need("git")
    (workspace / "notes.txt").write_text("one\ntwo\n")
    (workspace / "old.txt").write_text("old\n")
    if with_git:
        subprocess.run(["git", "init", "-q"], cwd=workspace, check=True)
    before = workspace.parent / "before"
    shutil.copytree(workspace, before)
    (workspace / "agent.sh").write_text(CHANGES)  # there before the run, so no part of what it changed
    done = run_script(workspace, CHANGES)
    assert done.exit_code == 0, done.said()
    _apply(done.bundle / "workspace" / "changes.patch", before)
    assert _contents(before) == _contents(workspace)
    changed = {entry["path"] for entry in done.inspect()["changed_files"]}
    assert changed == {"notes.txt", "old.txt", "sub/new.txt", "plain"}


def test_what_the_agent_commits_is_in_the_patch_too(repository: Path) -> None:
    identity = "-c user.email=a@example.invalid -c user.name=agent"
    done = run_script(repository, f"echo three >> notes.txt\ngit {identity} commit -qam more\n")
    assert done.exit_code == 0, done.said()
    assert "+three" in (done.bundle / "workspace" / "changes.patch").read_text()


def test_the_host_outside_the_workspace_is_not_there_or_not_writable(workspace: Path) -> None:
    secret = Path.home() / ".microloop-test-secret"
    beside = workspace.parent / "beside.txt"
    secret.write_text("secret\n")
    beside.write_text("beside\n")
    try:
        done = run_script(
            workspace,
            f"cat {secret} {beside} 2>/dev/null\nls .microloop/runs 2>/dev/null\n"
            "for d in /usr /etc /opt; do (echo x > $d/x) 2>/dev/null && echo wrote $d; done\n"
            "ls /var/run/docker.sock 2>/dev/null\necho $HOME; touch $HOME/kept /tmp/kept; exit 0\n",
        )
        again = run_script(workspace, "ls $HOME/kept /tmp/kept 2>/dev/null; exit 0\n")
    finally:
        secret.unlink()
    assert done.stdout == "/home/agent\n", done.said()
    assert again.stdout == "", again.said()


def test_there_is_no_network_unless_it_is_asked_for(workspace: Path) -> None:
    interfaces = "cat /proc/net/dev | grep -v lo: | grep -c :\nexit 0\n"
    assert run_script(workspace, interfaces).stdout == "0\n"
    host = sum(":" in line and "lo:" not in line for line in Path("/proc/net/dev").read_text().splitlines())
    assert run_script(workspace, interfaces, "--network", "host").stdout == f"{host}\n"


def test_only_named_variables_reach_the_agent(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE_SECRET", "hidden")
    monkeypatch.setenv("OUTSIDE_GIVEN", "passed on")
    script = 'echo "$OUTSIDE_SECRET|$OUTSIDE_GIVEN|$SET|$MICROLOOP_NONCE"\n'
    done = run_script(workspace, script, "--env", "OUTSIDE_GIVEN", "--env", "SET=here")
    assert done.stdout == "|passed on|here|\n", done.said()


def test_a_workspace_can_be_named_from_elsewhere(workspace: Path, tmp_path: Path) -> None:
    done = microloop(
        tmp_path, "run", "--sandbox", "bwrap", "--workspace", str(workspace), "--quiet", "--", "touch", "made"
    )
    assert done.exit_code == 0, done.said()
    assert (workspace / "made").exists()
    assert len(bundles(workspace)) == 1


def test_a_workspace_that_cannot_be_written_is_told_and_nothing_runs(tmp_path: Path) -> None:
    need_bwrap()
    if os.getuid() == 0:
        with_mount = tmp_path / "readonly"
        with_mount.mkdir()
        _mount(with_mount, "ro")
    else:
        with_mount = tmp_path / "readonly"
        with_mount.mkdir(mode=0o555)
    try:
        done = microloop(with_mount, "run", "--sandbox", "bwrap", "--", "echo", "ran")
    finally:
        _unmount(with_mount)
    assert done.exit_code in (2, 125), done.said()
    assert "ran" not in done.stdout.split()
    assert str(with_mount) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A workspace on a file system of 4 MiB."""
    need_bwrap()
    folder = tmp_path / "small"
    folder.mkdir()
    if os.getuid() != 0:
        missing("root")
    _mount(folder, "size=4m")
    yield folder
    _unmount(folder)


def test_a_full_disk_stops_the_run_and_loses_nothing_that_was_recorded(small_disk: Path) -> None:
    script = "/bin/echo first\nhead -c 8000000 /dev/zero > fill 2>/dev/null\n"
    script += "i=0; while [ $i -lt 3000 ]; do /bin/echo $i; i=$((i+1)); done\n"
    done: Finished = run_script(small_disk, script)
    assert done.exit_code == 125, done.said()
    assert "space" in done.stderr or "full" in done.stderr, done.said()
    assert "Traceback" not in done.stderr
    (small_disk / "fill").unlink()
    document = inspect(small_disk)
    assert document["steps"][0]["argv"] == ["/bin/echo", "first"]
    lines = (done.bundle / "events.jsonl").read_bytes().split(b"\n")
    assert all(isinstance(json.loads(line), dict) for line in lines[:-1])


def _mount(folder: Path, options: str) -> None:
    argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(argv, capture_output=True, check=False).returncode != 0:
        missing("mount")


def _unmount(folder: Path) -> None:
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
