"""Runs `microloop` as a user does, as a process of its own, and reads what it leaves as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0


def microloop_argv(*arguments: str) -> list[str]:
    """The command line of the microloop that this Python has: its console script, or the module it calls."""
    script = Path(sys.executable).with_name("microloop")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "microloop_cli.cli.main"]
    return [*command, *arguments]


def outside_environment() -> dict[str, str]:
    """What microloop gets from the shell: this environment less what a test runner and CI add."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MICROLOOP"))}


@dataclass(frozen=True, slots=True)
class Finished:
    """A `microloop run` that has ended."""

    exit_code: int
    stdout: str
    stderr: str
    workspace: Path

    @property
    def bundle(self) -> Path:
        """The newest bundle of the workspace."""
        return bundles(self.workspace)[-1]

    def inspect(self) -> dict[str, Any]:
        return inspect(self.workspace)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in ledger(self.bundle) if event["type"] == kind]

    def said(self) -> str:
        """Everything that came out, for the message of a failed test."""
        return f"exit {self.exit_code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def bundles(workspace: Path) -> list[Path]:
    """The bundles of a workspace, oldest first; ids of one second are in no order of their own."""
    runs = (workspace / ".microloop" / "runs").glob("*-*-*")
    return sorted(runs, key=lambda path: (path.name[:15], path.stat().st_mtime_ns))


def ledger(bundle: Path) -> list[dict[str, Any]]:
    """The events of a bundle that are whole lines."""
    lines = (bundle / "events.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


def microloop(workspace: Path, *arguments: str, timeout: float = PATIENCE_SECONDS) -> Finished:
    """Run one microloop command in `workspace` to its end, with no terminal and no input."""
    done = subprocess.run(
        microloop_argv(*arguments),
        cwd=workspace,
        env=outside_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr, workspace)


def run(
    workspace: Path, *arguments: str, sandbox: str = "bwrap", timeout: float = PATIENCE_SECONDS
) -> Finished:
    """`microloop run --sandbox SANDBOX ARGUMENTS`; the arguments are options, `--` and the agent."""
    return microloop(workspace, "run", "--sandbox", sandbox, *arguments, timeout=timeout)


def run_script(workspace: Path, script: str, *options: str, sandbox: str = "bwrap") -> Finished:
    """Run a shell script as the agent: each program it starts is a step."""
    return run(workspace, *options, "--", *script_agent(workspace, script), sandbox=sandbox)


def script_agent(workspace: Path, script: str) -> list[str]:
    """Write `script` into the workspace; the command that runs it as an agent."""
    path = workspace / "agent.sh"
    path.write_text(script)
    return ["sh", str(path)]


def start_script(
    workspace: Path, script: str, *options: str, sandbox: str = "bwrap"
) -> subprocess.Popen[str]:
    """Like `run_script`, in a session of its own, without waiting for the end."""
    return subprocess.Popen(
        microloop_argv("run", "--sandbox", sandbox, *options, "--", *script_agent(workspace, script)),
        cwd=workspace,
        env=outside_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], workspace: Path, timeout: float = PATIENCE_SECONDS) -> Finished:
    """Wait for a started run; one that does not end in time is killed and fails the test."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"the run did not end in {timeout} s\n{stdout}\n{stderr}") from None
    return Finished(process.returncode, stdout, stderr, workspace)


def inspect(workspace: Path, *arguments: str) -> dict[str, Any]:
    """The document of `microloop inspect --json`."""
    done = microloop(workspace, "inspect", *arguments, "--json")
    assert done.exit_code == 0, done.said()
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def commands(document: dict[str, Any]) -> list[str]:
    return [step["command"] for step in document["steps"]]


def output_of(bundle: Path, step: int, stream: str = "stdout") -> str:
    """What a bundle keeps of the output of one step; empty when there was none."""
    path = bundle / "steps" / f"{step:04d}" / stream
    return path.read_text(errors="replace") if path.exists() else ""


def wait_until(true: Callable[[], bool], what: str, timeout: float = 20.0) -> None:
    """Poll until `true` is; fails the test with `what` did not happen."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, f"did not happen in {timeout} s: {what}"
        time.sleep(0.02)


def processes_with(mark: str) -> list[int]:
    """Host pids of the processes whose command line holds `mark`, but not this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found
