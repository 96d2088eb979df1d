"""strace and gdb work inside; what they trace the guard cannot verify, and says so."""

from __future__ import annotations

import os
import sys

from microloop_cli.guard import wire

from .conftest import Need, Run
from .harness import Decider, Launcher

ASK_ALL = wire.Config(nested_local=False)


def test_strace_of_a_program_works(launcher: Launcher, run: Run, need: Need) -> None:
    script = f"{need('strace')} -f -o trace sh -c '/bin/echo traced; exit 4'; echo $?"
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"traced\n4\n", session.err
    assert "execve(" in (launcher.writable / "trace").read_text()
    assert not session.exec_of("echo", "traced").verified
    assert session.exec_of("strace").verified


def test_a_traced_program_can_still_be_refused(launcher: Launcher, run: Run, need: Need) -> None:
    mark = launcher.writable / "mark"
    decide = Decider(deny=lambda e: e.argv[:1] == ("touch",) or e.argv[:1] == ("/usr/bin/touch",))
    script = f"{need('strace')} -f -o trace /usr/bin/touch {mark}; {need('strace')} -f -o t sh -c 'touch {mark}; true'"
    session = run(launcher, "/bin/sh", "-c", script, decide=decide, config=ASK_ALL)
    assert not mark.exists(), [e.argv for e in session.all(wire.Exec)]


def test_a_traced_agent_that_is_traced_again_and_again_stays_healthy(
    launcher: Launcher, run: Run, need: Need
) -> None:
    script = f"for i in 1 2 3 4 5; do {need('strace')} -o t$i /bin/true || exit 9; /bin/echo $i; done"
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"1\n2\n3\n4\n5\n"


def test_attaching_strace_to_a_running_step_is_refused_or_works_but_breaks_nothing(
    launcher: Launcher, run: Run, need: Need
) -> None:
    script = f"sleep 0.5 & {need('strace')} -o t -p $! ; wait $!; echo $?; /bin/echo on"
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"0\non\n"


def test_gdb_runs_a_program_to_a_breakpoint(launcher: Launcher, run: Run, need: Need) -> None:
    argv = [
        need("gdb"), "--batch", "--nx", "-iex", "set debuginfod enabled off", "-ex", "set startup-with-shell off",
        "-ex", "catch syscall exit_group", "-ex", "run", "-ex", "info inferiors", "-ex", "continue",
        "--args", "/bin/echo", "debugged",
    ]  # fmt: skip
    env = {**os.environ, "HOME": str(launcher.writable)}
    session = run(
        launcher, sys.executable, "-c", f"import subprocess; subprocess.run({argv!r}, timeout=30)", env=env
    )
    assert b"debugged\n" in session.out, (session.out, session.err)
    assert b"exit_group" in session.out
    assert session.process.returncode == 0, session.err
