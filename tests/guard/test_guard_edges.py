"""Corners where an intercepting PID 1 could get stuck or change what programs see; it must do neither."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from microloop_cli.guard import wire
from microloop_cli.guard.channel import Channel

from .conftest import Run
from .harness import Decider, Launcher

THREAD_WITHOUT_LEADER = """
import ctypes, os, threading, time
def replace():
    time.sleep(0.05)
    os.execv("/bin/echo", ["echo", "from the thread"])
threading.Thread(target=replace).start()
ctypes.CDLL(None).syscall(60, 0)
"""
ALARMS = """
import os, signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
good = 0
for _ in range(200):
    _, status = os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    good += status == 0
signal.setitimer(signal.ITIMER_REAL, 0)
print(good)
"""
KILLED_EARLY = """
import random, subprocess, time
random.seed(7)
for _ in range(200):
    child = subprocess.Popen(["/bin/sh", "-c", "echo x; exec /bin/echo y"], stdout=subprocess.PIPE)
    time.sleep(random.random() * 0.004)
    child.kill()
    child.communicate()
print(subprocess.run(["/bin/echo", "fine"], stdout=subprocess.PIPE).stdout)
"""
STOPPED = """
import os, signal, subprocess, time
child = subprocess.Popen(["/bin/sh", "-c", "sleep 0.2; echo done"], stdout=subprocess.PIPE)
time.sleep(0.1)
child.send_signal(signal.SIGSTOP)
print(os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1]))
time.sleep(0.3)
assert child.poll() is None
child.send_signal(signal.SIGCONT)
print(child.communicate()[0], child.returncode)
"""
NOT_BLOCKING = """
import os, subprocess, time
r, w = os.pipe()
os.set_blocking(r, False)
os.set_blocking(w, False)
child = subprocess.Popen(["seq", "1", "50000"], stdout=w)
os.close(w)
out = b""
while True:
    try:
        data = os.read(r, 65536)
    except BlockingIOError:
        time.sleep(0.005)
        continue
    if not data:
        break
    out += data
print(out == b"".join(b"%d\\n" % n for n in range(1, 50001)), child.wait())
"""
UNDUMPABLE = """
import ctypes, subprocess
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
try:
    print(subprocess.run(["/bin/echo", "ran"]).returncode)
except OSError as error:
    print("refused")
"""
EMPTY_ARGV = """
import ctypes, os
libc = ctypes.CDLL(None)
if os.fork() == 0:
    libc.execve(b"/bin/true", (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))
    os._exit(77)
print(os.wait()[1])
"""
SIGNAL_STATE = """
import subprocess, sys
show = "import signal; print([n for n in range(1, 65) if n not in (9, 19, 32, 33) and signal.getsignal(n) == signal.SIG_IGN], signal.pthread_sigmask(0, []))"
print(subprocess.run([sys.executable, "-S", "-c", show], stdout=subprocess.PIPE).stdout.decode(), end="")
"""


def test_a_thread_that_executes_after_its_leader_has_gone(launcher: Launcher, run: Run) -> None:
    session = run(launcher, sys.executable, "-c", THREAD_WITHOUT_LEADER)
    assert (session.out, session.process.returncode) == (b"from the thread\n", 0)


def test_an_exec_under_a_storm_of_signals(launcher: Launcher, run: Run) -> None:
    assert run(launcher, sys.executable, "-c", ALARMS).out == b"200\n"


def test_programs_killed_at_any_moment_of_their_start(launcher: Launcher, run: Run) -> None:
    assert run(launcher, sys.executable, "-c", KILLED_EARLY).out == b"b'fine\\n'\n"


def test_a_step_can_be_stopped_and_continued(launcher: Launcher, run: Run) -> None:
    assert run(launcher, sys.executable, "-c", STOPPED).out == b"True\nb'done\\n' 0\n"


def test_a_pipe_that_does_not_block_stays_whole(launcher: Launcher, run: Run) -> None:
    assert run(launcher, sys.executable, "-c", NOT_BLOCKING).out == b"True 0\n"


def test_a_program_without_argv_runs(launcher: Launcher, run: Run) -> None:
    assert run(launcher, sys.executable, "-c", EMPTY_ARGV).out == b"0\n"


def test_few_descriptors_are_enough(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "ulimit -n 4; /bin/echo a; /bin/echo b")
    assert session.out == b"a\nb\n"


def test_closed_descriptors_stay_closed(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "/bin/true <&- >&- 2>&-; echo $?; /bin/echo x >&-; echo $?")
    assert session.out == b"0\n1\n"
    assert session.exec_of("true").fds == ("closed", "closed", "closed")


def test_a_named_pipe_between_steps(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/bin/sh", "-c", "mkfifo f; cat f & /bin/echo through >f; wait")
    assert session.out == b"through\n"


def test_signals_are_for_programs_as_they_are_without_a_guard(launcher: Launcher, run: Run) -> None:
    inside = run(launcher, sys.executable, "-c", SIGNAL_STATE).out
    outside = subprocess.run([sys.executable, "-c", SIGNAL_STATE], stdout=subprocess.PIPE, check=True).stdout
    assert inside == outside


def test_a_program_that_hides_itself_from_the_guard_can_start_nothing(bwrap: Launcher, run: Run) -> None:
    session = run(bwrap, sys.executable, "-c", UNDUMPABLE)
    assert session.out == b"refused\n"
    assert len(session.all(wire.Exec)) == 1
    assert session.all(wire.Notice)


def test_steps_know_their_place(launcher: Launcher, run: Run) -> None:
    script = "sh -c 'sh -c \"/bin/echo deep; true\"; true'; /bin/echo shallow"
    session = run(launcher, "/bin/sh", "-c", script)
    assert [(e.lineage, e.step, e.parent_exec) for e in session.all(wire.Exec)] == [
        ("root", None, None),
        ("agent_child", None, 1),
        ("nested", 1, 2),
        ("nested", 1, 3),
        ("agent_child", None, 1),
    ]


def test_an_agent_that_executes_itself_again_is_still_the_agent(launcher: Launcher, run: Run) -> None:
    session = run(launcher, "/usr/bin/env", "A=1", "/bin/sh", "-c", "/bin/echo step; true")
    assert [e.lineage for e in session.all(wire.Exec)] == ["root", "agent_self", "agent_child"]


def test_a_shim_hands_its_step_on(launcher: Launcher, run: Run) -> None:
    def decide(e: wire.Exec) -> wire.ExecVerdict | None:
        if e.argv[:1] == ("nice",):
            return wire.ExecVerdict(exec_id=e.exec_id, allow=True, kind="shim")
        return usual(e)

    usual = Decider()
    session = run(launcher, "/bin/sh", "-c", "nice /bin/echo real; true", decide=decide)
    assert session.out == b"real\n"
    assert [e.lineage for e in session.all(wire.Exec)] == ["root", "agent_child", "agent_child"]
    kept = session.ended[1].stdout
    assert kept is not None
    assert kept.head == b"real\n"


def test_housekeeping_is_no_step_and_neither_is_what_is_below_it(launcher: Launcher, run: Run) -> None:
    def decide(e: wire.Exec) -> wire.ExecVerdict | None:
        if e.lineage == "agent_child":
            return wire.ExecVerdict(exec_id=e.exec_id, allow=True, kind="housekeeping")
        return usual(e)

    usual = Decider()
    session = run(launcher, "/bin/sh", "-c", "sh -c '/bin/echo kept house; true'; true", decide=decide)
    assert session.out == b"kept house\n"
    assert [e.lineage for e in session.all(wire.Exec)] == ["root", "agent_child", "housekeeping"]
    assert session.all(wire.StepEnd) == []


@pytest.mark.parametrize("uid", [None, 54_321])
def test_the_real_channel_and_the_real_guard_understand_each_other(
    launcher: Launcher, uid: int | None
) -> None:
    """`uid`: when given, a user the guard does not run as; it is then turned away and starts nothing."""

    async def main(directory: Path) -> tuple[int, list[wire.GuardMessage], list[str]]:
        messages: list[wire.GuardMessage] = []
        lost: list[str] = []

        def answer(message: wire.GuardMessage) -> None:
            messages.append(message)
            if isinstance(message, wire.Exec) and message.awaiting:
                kind: wire.ExecVerdict = decide(message) or pytest.fail("no verdict")
                channel.send(kind)
            elif isinstance(message, wire.AgentExit):
                channel.send(wire.Bye())

        nonce = secrets.token_hex(16)
        uids = {os.getuid() if uid is None else uid}
        channel = await Channel.open(
            directory,
            nonce,
            on_message=answer,
            on_lost=lost.append,
            on_refused=lost.append,
            allowed_uids=uids,
        )
        argv = launcher.argv(channel.path, ["/bin/sh", "-c", "/bin/echo one; exit 12"])
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, "MICROLOOP_NONCE": nonce},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if uid is None:
            hello = await channel.wait_ready(10)
            assert hello.nonce == nonce
            channel.send(wire.Config())
        await asyncio.wait_for(process.communicate(), 20)
        code = process.returncode or 0
        await asyncio.sleep(0.05)
        channel.close()
        return code, messages, lost

    decide = Decider()
    with TemporaryDirectory(prefix="ch-", dir="/tmp") as name:
        code, messages, lost = asyncio.run(main(Path(name)))
    if uid is None:
        assert (code, lost) == (12, ["the guard closed the channel"])
        assert [type(m).__name__ for m in messages] == ["Exec", "Exec", "Output", "StepEnd", "AgentExit"]
    else:
        assert (code, messages, lost) == (125, [], [f"a client of user {os.getuid()}"])
