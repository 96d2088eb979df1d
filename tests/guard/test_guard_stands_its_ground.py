"""From inside, the guard cannot be killed, looked into, spoken for or talked over; when it goes, all goes."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from microloop_cli.guard import wire

from .conftest import Run, Start
from .harness import Decider, Launcher, Session

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SLEEPER = "sleep 987.5 & sleep 987.5 & sh -c 'setsid sleep 987.5 & sleep 987.5'"


def tree(session: Session) -> list[psutil.Process]:
    return psutil.Process(session.process.pid).children(recursive=True)


def started(session: Session) -> list[psutil.Process]:
    """All processes below the launcher, once the sleepers run."""
    session.until(lambda: len([e for e in session.all(wire.Exec) if "987.5" in e.argv]) == 5)
    time.sleep(0.1)
    return tree(session)


def all_gone(processes: list[psutil.Process], seconds: float = 5) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


GARBAGE = {
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(64),
    "random": os.urandom(64) + b"\xff" * 16,
    "unknown type": struct.pack("<IBBHQ", 0, 99, 0, 0, 0),
    "a guard's frame": wire.encode(wire.Notice(text="I am you")),
    "oversized": struct.pack("<IBBHQ", wire.MAX_PAYLOAD_BYTES + 1, 65, 0, 0, 1) + bytes(1000),
    "largest length": struct.pack("<IBBHQ", 2**32 - 1, 65, 0, 0, 1),
    "flags": struct.pack("<IBBHQ", 0, 68, 1, 0, 0),
    "reserved": struct.pack("<IBBHQ", 0, 68, 0, 1, 0),
    "short verdict": struct.pack("<IBBHQ", 3, 65, 0, 0, 1) + bytes(3),
    "long verdict": struct.pack("<IBBHQ", 12, 65, 0, 0, 1) + struct.pack("<BBBII", 1, 3, 0, 1, 0) + b"x",
    "verdict with a long string": struct.pack("<IBBHQ", 11, 65, 0, 0, 1)
    + struct.pack("<BBBII", 1, 3, 0, 1, 9),
    "verdict of kind 9": struct.pack("<IBBHQ", 11, 65, 0, 0, 1) + struct.pack("<BBBII", 1, 9, 0, 1, 0),
    "verdict that is 7": struct.pack("<IBBHQ", 11, 65, 0, 0, 1) + struct.pack("<BBBII", 7, 3, 0, 1, 0),
    "short config": struct.pack("<IBBHQ", 8, 64, 0, 0, 0) + bytes(8),
    "signal 0": struct.pack("<IBBHQ", 1, 67, 0, 0, 0) + b"\0",
    "signal 200": struct.pack("<IBBHQ", 1, 67, 0, 0, 0) + b"\xc8",
    "bye with a payload": struct.pack("<IBBHQ", 1, 68, 0, 0, 0) + b"\0",
    "release without text": struct.pack("<IBBHQ", 0, 66, 0, 0, 1),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_nonsense_from_the_supervisor_kills_everything(launcher: Launcher, start: Start, what: str) -> None:
    session = start(launcher, "/bin/sh", "-c", SLEEPER, **QUIET)
    processes = started(session)
    session.send_raw(GARBAGE[what])
    assert session.process.wait(10) == 125
    assert all_gone(processes)


def test_an_early_bye_ends_a_run_that_broke_without_a_word_of_the_guards(
    launcher: Launcher, start: Start
) -> None:
    session = start(launcher, "/bin/sh", "-c", SLEEPER, **QUIET)
    processes = started(session)
    session.send(wire.Bye())
    assert session.process.wait(10) == 125
    assert all_gone(processes)
    assert session.process.stderr is None or b"guard" not in session.process.stderr.read()


def test_a_frame_that_comes_in_pieces_is_no_nonsense(launcher: Launcher, start: Start) -> None:
    def slowly(e: wire.Exec) -> None:
        verdict = usual(e)
        assert verdict is not None
        for byte in wire.encode(verdict):
            session.send_raw(bytes([byte]))
            time.sleep(0.002)

    usual = Decider()
    session = Session(launcher, ["/bin/sh", "-c", "/bin/echo fine; exit 6"], decide=slowly)
    with session:  # made before it is entered: the first exec may come before `with` gives it a name
        assert session.wait() == 6
    assert session.out == b"fine\n"


def test_a_supervisor_that_goes_away_takes_everything_with_it(launcher: Launcher, start: Start) -> None:
    session = start(launcher, "/bin/sh", "-c", SLEEPER, **QUIET)
    processes = started(session)
    session.hang_up()
    assert session.process.wait(10) == 125
    assert all_gone(processes)


def test_a_supervisor_that_goes_away_in_the_middle_of_a_verdict_takes_everything_with_it(
    launcher: Launcher, start: Start
) -> None:
    decide = Decider(silent=lambda e: "waiting" in e.argv, hold=True)
    script = f"/bin/echo held & /bin/echo waiting & {SLEEPER}"
    session = start(launcher, "/bin/sh", "-c", script, **QUIET, decide=decide, release=lambda _s: None)
    processes = started(session)
    session.until(lambda: session.all(wire.StepEnd))
    session.hang_up()
    assert session.process.wait(10) == 125
    assert all_gone(processes)


def test_a_killed_guard_takes_the_sandbox_with_it(bwrap: Launcher, start: Start) -> None:
    session = start(bwrap, "/bin/sh", "-c", SLEEPER, **QUIET)
    processes = started(session)
    (guard,) = (p for p in processes if p.ppid() == session.process.pid)
    guard.kill()
    session.process.wait(10)
    assert all_gone(processes)


def test_a_killed_bwrap_takes_the_sandbox_with_it(bwrap: Launcher, start: Start) -> None:
    session = start(bwrap, "/bin/sh", "-c", SLEEPER, **QUIET)
    processes = started(session)
    session.process.kill()
    assert all_gone(processes)


@pytest.mark.parametrize(
    "name", ["KILL", "TERM", "STOP", "SEGV", "HUP", "INT", "QUIT", "TSTP", "ABRT", "CHLD"]
)
def test_signals_to_pid_1_from_inside_do_nothing(bwrap: Launcher, run: Run, name: str) -> None:
    session = run(bwrap, "/bin/sh", "-c", f"kill -{name} 1; sleep 0.1; /bin/echo still here; exit 9")
    assert (session.out, session.process.returncode) == (b"still here\n", 9)


def test_killing_all_from_inside_leaves_the_guard(bwrap: Launcher, run: Run) -> None:
    session = run(
        bwrap, "/bin/sh", "-c", "sleep 60 & sleep 0.2; kill -9 -1; wait; /bin/echo still here; exit 9"
    )
    assert (session.out, session.process.returncode) == (b"still here\n", 9)


def test_a_sigterm_for_the_guard_reaches_the_agent(launcher: Launcher, start: Start) -> None:
    session = start(launcher, "/bin/sh", "-c", "trap 'exit 33' TERM; echo up; while :; do sleep 0.05; done")
    session.until(lambda: len(session.all(wire.Exec)) >= 2)
    guard = session.process.pid if launcher.name == "plain" else tree(session)[0].pid
    os.kill(guard, signal.SIGTERM)
    assert session.wait(10) == 33


@pytest.mark.parametrize("what", ["fd/*", "task/1/fd/*", "mem", "environ", "maps", "cwd", "root", "exe"])
def test_the_guards_proc_files_are_shut(bwrap: Launcher, run: Run, what: str) -> None:
    code = f"""
import glob, os
paths = glob.glob("/proc/1/{what}") or ["/proc/1/{what}"]
for path in paths:
    for use in (os.readlink, lambda path: os.open(path, os.O_RDONLY), lambda path: os.open(path, os.O_RDWR)):
        try:
            print("open", path, use(path))
        except OSError:
            pass
print("tried")
"""
    session = run(bwrap, sys.executable, "-c", code)
    assert session.out == b"tried\n"


def test_the_guard_cannot_be_traced_from_inside(bwrap: Launcher, run: Run) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for request in (16, 0x4206):  # ATTACH, SEIZE
    print(libc.ptrace(request, 1, 0, 0), end=" ")
"""
    assert run(bwrap, sys.executable, "-c", code).out == b"-1 -1 "


def test_the_nonce_is_nowhere_to_be_found_inside(bwrap: Launcher, run: Run) -> None:
    session = run(bwrap, "/bin/sh", "-c", "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; true")
    assert b"PATH=" in session.out
    assert b"MICROLOOP_NONCE" not in session.out


CLIENT = """
import socket, sys
path, hello = sys.argv[1], bytes.fromhex(sys.argv[2])
client = socket.socket(socket.AF_UNIX)
try:
    client.connect(path)
    client.sendall(hello)
    print("connected", client.recv(100))
except OSError as error:
    print("refused", error.errno)
"""


def test_a_second_client_finds_nobody_at_the_channel(launcher: Launcher, start: Start) -> None:
    hello = wire.encode(wire.Hello(guard_pid=1, nonce="x")).hex()
    session = _with_path(launcher, start, CLIENT, hello)
    assert session.wait() == 0
    assert session.out.startswith(b"refused"), session.out


@pytest.mark.parametrize(
    "how", ["echo x > {}", "echo x >> {}", "head -c 99999 /dev/zero > {}", "dd if=/dev/zero of={} count=1"]
)
def test_writing_to_the_channels_path_changes_nothing(launcher: Launcher, start: Start, how: str) -> None:
    session = _with_path(
        launcher, start, "import os, sys; os.system(sys.argv[2].format(sys.argv[1])); os._exit(21)", how
    )
    assert session.wait() == 21
    assert isinstance(session.messages[-1], wire.AgentExit)


def test_removing_the_channels_path_changes_nothing(launcher: Launcher, start: Start) -> None:
    code = "import os, sys; os.system('rm -f ' + sys.argv[1]); os.system('/bin/echo on; true'); os._exit(22)"
    session = _with_path(launcher, start, code, "")
    assert session.wait() == 22
    assert session.out.endswith(b"on\n")


def _with_path(launcher: Launcher, start: Start, code: str, argument: str) -> Session:
    """Run Python code inside with the channel's path and one argument as its arguments."""
    session: Session = start(launcher, sys.executable, "-c", code, Session.CHANNEL, argument)
    return session


def test_no_descriptor_of_the_guard_leaks_into_the_agent_or_its_steps(launcher: Launcher, run: Run) -> None:
    code = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))"
    script = f'{sys.executable} -c "{code}"; true'
    session = run(launcher, "/bin/sh", "-c", script)
    assert session.out == b"[0, 1, 2, 3]\n"  # 3: the directory being read


def test_typing_into_the_terminal_for_others_is_refused(launcher: Launcher, run: Run) -> None:
    code = """
import fcntl, os, pty, termios
master, slave = pty.openpty()
for request in (termios.TIOCSTI, 0x541C, termios.TIOCSTI | 1 << 32):
    try:
        fcntl.ioctl(slave, request & 0xFFFFFFFF, b"x")
        print("typed")
    except OSError as error:
        print(error.errno, end=" ")
"""
    assert run(launcher, sys.executable, "-c", code).out == b"1 1 1 "


def test_a_wrong_nonce_is_sent_as_it_is_and_the_supervisor_decides(plain: Launcher, start: Start) -> None:
    session = start(plain, "/bin/true", nonce="not-the-runs")
    session.until(lambda: session.messages)
    assert session.one(wire.Hello).nonce == "not-the-runs"
    session.hang_up()
    session.process.wait(10)


def test_hello_says_what_the_guard_can_do(launcher: Launcher, run: Run) -> None:
    hello = run(launcher, "/bin/true").one(wire.Hello)
    assert hello.version == wire.VERSION
    assert ("pid1" in hello.capabilities) == (launcher.name == "bwrap")
    assert {"capture", "wait_killable"} <= set(hello.capabilities)
    assert hello.kernel == Path("/proc/sys/kernel/osrelease").read_text().strip()


def test_a_supervisor_that_never_answers_the_last_word_is_waited_for_but_not_for_ever(
    plain: Launcher, start: Start
) -> None:
    session = start(plain, "/bin/sh", "-c", "exit 5", answer_bye=False)
    session.until(lambda: session.all(wire.AgentExit))
    assert session.process.poll() is None
    session.send(wire.Bye())
    assert session.process.wait(5) == 5
