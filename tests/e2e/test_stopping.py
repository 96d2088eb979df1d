"""^C, SIGTERM and a killed supervisor: the agent ends, nothing of it stays, the bundle can be read."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.e2e.running import (
    bundles,
    finish,
    inspect,
    microloop,
    processes_with,
    start_script,
    wait_until,
)


def started(workspace: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the agent has said (with a file) that it is at work."""
    wait_until(lambda: (workspace / "ready").exists() or process.poll() is not None, "the agent starts")
    assert process.poll() is None, process.communicate()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_ends_in_order_and_completes_its_bundle(
    workspace: Path, number: signal.Signals, code: int
) -> None:
    script = "trap 'echo tidied > tidy; exit 0' TERM\ntouch ready\ni=0; while true; do i=$((i+1)); /bin/sleep 0.1$i; done\n"
    process = start_script(workspace, script)
    started(workspace, process)
    process.send_signal(number)
    done = finish(process, workspace)
    assert done.exit_code == code, done.said()
    assert (workspace / "tidy").read_text() == "tidied\n"
    document = done.inspect()
    assert document["outcome"] == "interrupted"
    assert document["interruptions"] == [int(number)]
    assert microloop(workspace, "verify").exit_code == 0


def test_an_agent_that_ignores_the_signal_is_killed(workspace: Path) -> None:
    mark = f"31.{workspace.parent.name.__hash__() % 10**6:06d}"
    script = f"trap '' TERM INT HUP\ntouch ready\nwhile true; do /bin/sleep {mark}; done\n"
    process = start_script(workspace, script)
    started(workspace, process)
    process.send_signal(signal.SIGTERM)
    done = finish(process, workspace)
    assert done.exit_code == 143, done.said()
    assert processes_with(mark) == []
    assert microloop(workspace, "verify").exit_code == 0


def test_a_second_interrupt_ends_the_run_at_once(workspace: Path) -> None:
    script = "trap '' TERM INT HUP\ntouch ready\ni=0; while true; do i=$((i+1)); /bin/sleep 0.1$i; done\n"
    process = start_script(workspace, script)
    started(workspace, process)
    process.send_signal(signal.SIGINT)
    wait_until(
        lambda: any(b'"interrupted"' in _ledger(one) for one in bundles(workspace)), "the first is seen"
    )
    process.send_signal(signal.SIGINT)
    done = finish(process, workspace, timeout=3)
    assert done.exit_code == 130, done.said()
    assert done.inspect()["outcome"] == "interrupted"


@pytest.mark.parametrize("sandbox", ["bwrap", "none"])
def test_a_killed_supervisor_leaves_no_process_and_a_bundle_that_can_be_read(
    workspace: Path, sandbox: str
) -> None:
    mark = f"32.{abs(hash(str(workspace))) % 10**6:06d}"
    script = (
        f"/bin/echo first\nsetsid /bin/sleep {mark} &\ntouch ready\nwhile true; do /bin/sleep {mark}; done\n"
    )
    process = start_script(workspace, script, sandbox=sandbox)
    started(workspace, process)
    wait_until(lambda: len(processes_with(mark)) >= 2, "the sleeps run")
    process.kill()
    process.communicate(timeout=20)
    wait_until(lambda: processes_with(mark) == [], "everything of the sandbox is gone", timeout=5)
    document = inspect(workspace)
    assert document["outcome"] == "crashed"
    assert document["exit_code"] is None
    assert document["steps"][0]["argv"] == ["/bin/echo", "first"]
    verified = microloop(workspace, "verify")
    assert verified.exit_code != 0
    assert (
        "manifest" in verified.stdout + verified.stderr or "unfinished" in verified.stdout + verified.stderr
    )


def test_a_background_process_of_the_agent_does_not_outlive_the_run(workspace: Path) -> None:
    mark = f"33.{abs(hash(str(workspace))) % 10**6:06d}"
    process = start_script(workspace, f"setsid /bin/sleep {mark} >/dev/null 2>&1 &\nexit 3\n")
    done = finish(process, workspace, timeout=20)
    assert done.exit_code == 3, done.said()
    assert processes_with(mark) == []


def _ledger(bundle: Path) -> bytes:
    path = bundle / "events.jsonl"
    return path.read_bytes() if path.exists() else b""


def guard_of(process: subprocess.Popen[str]) -> psutil.Process:
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if child.cmdline()[:1] == ["/run/microloop/guard"]:
                return child
    raise AssertionError("no guard runs")


def test_a_killed_guard_takes_everything_with_it_and_the_bundle_is_completed(workspace: Path) -> None:
    mark = f"37.{workspace.parent.name.__hash__() % 10**6:06d}"
    process = start_script(workspace, f"touch ready\n/bin/sleep {mark}\n")
    started(workspace, process)
    guard_of(process).kill()
    done = finish(process, workspace)
    assert done.exit_code == 125, done.said()
    assert processes_with(mark) == []
    assert done.inspect()["outcome"] == "failed"
    assert microloop(workspace, "verify").exit_code == 0
