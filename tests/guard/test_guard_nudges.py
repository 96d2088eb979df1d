"""A held step waits for its release; the nudge is part of its output before anybody sees its end."""

from __future__ import annotations

import sys
import time

from microloop_cli.guard import wire
from microloop_cli.guard.facts import EndedStep

from .conftest import Run
from .harness import Decider, Launcher


def nudges(step: EndedStep) -> str | None:
    time.sleep(0.1)
    return f"[microloop: step {step.end.step} again]\n"


def test_a_nudge_stands_in_the_output_before_its_end_and_before_the_parent_sees_the_exit(
    launcher: Launcher, run: Run
) -> None:
    code = """
import subprocess
done = subprocess.run(["sh", "-c", "echo out; exit 4"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
assert done.returncode == 4, done
assert done.stdout == b"out\\n[microloop: step 1 again]\\n", done
with open("file", "w+b") as file:
    child = subprocess.Popen(["sh", "-c", "echo filed"], stdout=file, stderr=file)
    assert child.wait() == 0
    file.seek(0)
    assert file.read() == b"filed\\n[microloop: step 2 again]\\n"
"""
    session = run(launcher, sys.executable, "-c", code, decide=Decider(hold=True), release=nudges)
    assert session.process.returncode == 0, session.err
    assert [end.held for end in session.all(wire.StepEnd)] == [True, True]
    kept = session.ended[1].stdout
    assert kept is not None
    assert kept.head == b"out\n"


def test_a_nudge_comes_also_when_nothing_was_written_and_when_a_signal_killed(
    launcher: Launcher, run: Run
) -> None:
    code = """
import subprocess
done = subprocess.run(["/bin/true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
assert (done.returncode, done.stdout + done.stderr) == (0, b"[microloop: step 1 again]\\n"), done
done = subprocess.run(["sh", "-c", "kill -9 $$"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
print(done.returncode, (done.stdout + done.stderr).decode())
"""
    session = run(launcher, sys.executable, "-c", code, decide=Decider(hold=True), release=nudges)
    assert session.process.returncode == 0, session.err
    assert session.out.startswith(b"-9 ")


def test_a_release_that_does_not_come_lets_the_step_go_without_text(launcher: Launcher, run: Run) -> None:
    config = wire.Config(release_timeout_ms=300)
    session = run(
        launcher, "/bin/sh", "-c", "/bin/echo out; exit 2", decide=Decider(hold=True), config=config,
        release=lambda _step: None,
    )  # fmt: skip
    assert (session.out, session.process.returncode) == (b"out\n", 2)


def test_a_held_step_holds_up_nobody_else(launcher: Launcher, run: Run) -> None:
    config = wire.Config(release_timeout_ms=1500)
    code = """
import subprocess, time
held = subprocess.Popen(["/bin/echo", "held"], stdout=subprocess.PIPE)
time.sleep(0.2)
assert held.poll() is None
begun = time.monotonic()
assert subprocess.run(["/bin/echo", "free"], stdout=subprocess.PIPE).stdout == b"free\\n"
assert time.monotonic() - begun < 1
assert held.communicate()[0] == b"held\\n"
assert held.returncode == 0
"""

    def decide(e: wire.Exec) -> wire.ExecVerdict | None:
        return (holding if "held" in e.argv else usual)(e)

    usual, holding = Decider(), Decider(hold=True)
    holding.steps = 100
    session = run(
        launcher, sys.executable, "-c", code, decide=decide, config=config, release=lambda _step: None
    )
    assert session.process.returncode == 0, session.err
