"""How programs end under the guard: exit codes, signals, orphans, many at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from microloop_cli.guard import wire

from .conftest import Run, Start
from .harness import Launcher

SIGNALS = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
    "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSYS", "SIGXCPU", "SIGRTMIN", "SIGRTMAX",
]  # fmt: skip
ALL_CODES = """
import subprocess, sys
for code in range(256):
    got = subprocess.run(["/bin/sh", "-c", f"exit {code}"]).returncode
    assert got == code, (code, got)
"""
ALL_SIGNALS = """
import signal, subprocess, sys
for name in sys.argv[1:]:
    number = getattr(signal, name)
    code = "import os, signal, sys; n = int(sys.argv[1]); n == 9 or signal.signal(n, 0); os.kill(os.getpid(), n)"
    argv = [sys.executable, "-S", "-c", code, str(int(number))]
    got = subprocess.run(argv, stderr=subprocess.DEVNULL).returncode
    assert got == -number, (name, got)
"""
MANY = """
import subprocess, sys
from concurrent.futures import ThreadPoolExecutor
def one(n):
    done = subprocess.run(["/bin/sh", "-c", f"echo {n}; exit {n % 256}"], stdout=subprocess.PIPE)
    return (n, done.returncode, done.stdout)
with ThreadPoolExecutor(32) as pool:
    for n, code, out in pool.map(one, range(1000)):
        assert code == n % 256 and out == b"%d\\n" % n, (n, code, out)
"""
ORPHANS = """
import os, subprocess, sys, time
for _ in range(20):
    subprocess.run(["/bin/sh", "-c", "(sleep 0.1; exit 3) & exit 0"], stdout=subprocess.DEVNULL)
time.sleep(0.6)
states = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    except OSError:
        continue
    if fields[0] == "Z" and fields[1] == sys.argv[1]:
        states.append(pid)
print(states)
"""


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42, 125, 126, 127, 128, 137, 254, 255])
def test_the_agents_exit_code_is_the_guards(launcher: Launcher, run: Run, code: int) -> None:
    session = run(launcher, "/bin/sh", "-c", f"exit {code}")
    assert session.process.returncode == code
    assert session.one(wire.AgentExit) == wire.AgentExit(exit_code=code)


@pytest.mark.slow
def test_every_exit_code_of_the_agent_is_passed_on(plain: Launcher, run: Run) -> None:
    for code in range(256):
        assert run(plain, "/bin/sh", "-c", f"exit {code}").process.returncode == code


def test_every_exit_code_of_a_step_is_seen_by_its_parent_and_the_supervisor(
    launcher: Launcher, run: Run
) -> None:
    session = run(launcher, sys.executable, "-c", ALL_CODES)
    assert session.process.returncode == 0, session.err
    assert [end.exit_code for end in session.all(wire.StepEnd)] == list(range(256))


@pytest.mark.parametrize("name", SIGNALS)
def test_an_agent_killed_by_a_signal_ends_the_guard_with_128_and_its_number(
    launcher: Launcher, run: Run, name: str
) -> None:
    number = int(getattr(signal, name))
    code = (
        f"import os, signal; {number} in (9,) or signal.signal({number}, 0); os.kill(os.getpid(), {number})"
    )
    session = run(launcher, sys.executable, "-S", "-c", code)
    assert session.one(wire.AgentExit) == wire.AgentExit(signal=number)
    assert session.process.returncode == 128 + number


def test_every_signal_that_kills_a_step_is_seen_by_its_parent_and_the_supervisor(
    launcher: Launcher, run: Run
) -> None:
    session = run(launcher, sys.executable, "-c", ALL_SIGNALS, *SIGNALS)
    assert session.process.returncode == 0, session.err
    assert [end.signal for end in session.all(wire.StepEnd)] == [getattr(signal, name) for name in SIGNALS]


def test_a_command_that_is_not_there_says_so(launcher: Launcher, run: Run) -> None:
    env = {**os.environ, "PATH": "/usr/bin:/bin"}
    session = run(launcher, "no-such-program-anywhere", env=env)
    failed = session.one(wire.StartFailed)
    assert (failed.errno, failed.path) == (2, "no-such-program-anywhere")
    assert session.process.returncode == 127
    assert session.all(wire.Exec) == []


def test_a_path_directory_that_is_shut_does_not_hide_that_the_command_is_missing(
    bwrap: Launcher, run: Run
) -> None:
    shut = bwrap.writable / "shut"
    shut.mkdir(0o000)
    env = {**os.environ, "PATH": f"{shut}:/usr/bin:/bin"}
    session = run(bwrap, "no-such-program-anywhere", env=env)
    shut.chmod(0o700)
    assert session.one(wire.StartFailed).errno == 2
    assert session.process.returncode == 127


def test_a_command_that_cannot_be_executed_says_so(launcher: Launcher, run: Run) -> None:
    script = launcher.writable / "plain-text"
    script.write_text("not a program")
    session = run(launcher, str(script))
    assert session.one(wire.StartFailed) == wire.StartFailed(errno=13, path=str(script))
    assert session.process.returncode == 126


def test_orphans_are_reaped(bwrap: Launcher, run: Run) -> None:
    session = run(bwrap, sys.executable, "-c", ORPHANS, "1")
    assert session.out == b"[]\n", session.err
    assert len(session.all(wire.StepEnd)) == 20


def test_orphans_are_reaped_when_the_guard_is_not_pid_1(plain: Launcher, run: Run) -> None:
    session = run(
        plain, sys.executable, "-c", f"import os, sys; sys.argv[1] = str(os.getppid())\n{ORPHANS}", "x"
    )
    assert session.out == b"[]\n", session.err


def test_what_the_agent_leaves_running_is_killed(launcher: Launcher, start: Start) -> None:
    mark = launcher.writable / "alive"
    script = (
        f"(trap '' HUP TERM INT; touch {mark}; while sleep 0.05; do touch {mark}; done) & sleep 0.3; exit 4"
    )
    session = start(launcher, "/bin/sh", "-c", script, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert session.wait() == 4
    mark.unlink()
    time.sleep(0.3)
    assert not mark.exists()


@pytest.mark.slow
def test_a_thousand_short_processes_in_parallel_all_end_as_they_should(launcher: Launcher, run: Run) -> None:
    session = run(launcher, sys.executable, "-c", MANY)
    assert session.process.returncode == 0, session.err
    ends = session.all(wire.StepEnd)
    assert len(ends) == 1000
    assert sorted(end.exit_code or 0 for end in ends) == sorted(n % 256 for n in range(1000))
    outputs = {step.stdout.head for step in session.ended.values() if step.stdout is not None}
    assert outputs == {b"%d\n" % n for n in range(1000)}


def test_a_signal_from_the_supervisor_reaches_every_process_but_the_guard(
    launcher: Launcher, start: Start
) -> None:
    step = "trap 'echo step; exit 8' TERM; echo up; while :; do sleep 0.05; done"
    script = f'trap "echo agent; exit 9" TERM; sh -c "{step}"'
    session = start(launcher, "/bin/sh", "-c", script + "; wait")
    session.until(lambda: len(session.all(wire.Exec)) >= 3)
    session.send(wire.Signal(signal=15))
    assert session.wait() == 9
    assert session.one(wire.StepEnd).exit_code == 8
    assert sorted(session.out.split()) == [b"agent", b"step", b"up"]
