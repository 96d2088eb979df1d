"""Doors: what cannot be opened starts nothing, and nobody inside can stop, kill or look into their thread."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from microloop_cli.guard import wire

from .conftest import Need, Run, Serve, Through
from .door_server import echo
from .harness import Launcher

MIB = 1 << 20


def test_a_port_that_is_taken_is_said_and_nothing_starts(plain: Launcher, tmp_path: Path, run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        marker = tmp_path / "started"
        session = run(plain, "touch", str(marker), options=["--door", f"{port}={tmp_path}/s.sock"])
    assert session.process.returncode == 125
    assert session.one(wire.Fatal).text.startswith(f"cannot listen on 127.0.0.1:{port}: Address ")
    assert not marker.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--door"],
        ["--door", "/x"],
        ["--door", "80"],
        ["--door", "0=/x"],
        ["--door", "65536=/x"],
        ["--door", "-1=/x"],
        ["--door", "21411=x"],
        ["--door", "21411="],
        ["--door", "21411=/" + "x" * 107],
        ["--door", "21411 =/x"],
        ["--window", "21411=/x"],
        ["--door", "1=/x"] * 9,
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_start_nothing(guard_path: Path, options: list[str]) -> None:
    argv = [str(guard_path), "--channel", "/nonexistent/channel", *options, "--", "true"]
    done = subprocess.run(argv, capture_output=True, timeout=10, check=False)
    assert done.returncode == 2
    assert b"usage:" in done.stderr


def test_the_agent_inherits_no_socket_of_the_doors(bwrap: Launcher, server: Serve, through: Through) -> None:
    script = 'connect(); print([fd for fd in os.listdir("/proc/self/fd") if int(fd) > 4])'
    assert through(bwrap, server(echo).place, script) == "[]\n"


@pytest.mark.parametrize("program", ["gdb", "strace"])
def test_the_doors_thread_cannot_be_traced(
    program: str, bwrap: Launcher, server: Serve, through: Through, need: Need
) -> None:
    attach = {"gdb": [need(program), "-batch", "-p"], "strace": [need(program), "-p"]}[program]
    script = """
        import subprocess
        thread, = set(os.listdir("/proc/1/task")) - {"1"}
        done = subprocess.run([*eval(sys.argv[2]), thread], capture_output=True, timeout=20, text=True)
        print("not permitted" in done.stderr.lower())
        s = connect(); s.sendall(b"x"); print(s.recv(1))
    """
    assert through(bwrap, server(echo).place, script, repr(attach)) == "True\nb'x'\n"


def test_the_doors_thread_cannot_be_killed_stopped_or_looked_into(
    bwrap: Launcher, server: Serve, through: Through
) -> None:
    script = """
        import ctypes, signal
        libc = ctypes.CDLL(None, use_errno=True)
        thread, = map(int, set(os.listdir("/proc/1/task")) - {"1"})
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGTERM, 32, 33, 34):
            libc.syscall(234 if os.uname().machine == "x86_64" else 131, 1, thread, int(number))
            os.kill(thread, number)
        ATTACH, SEIZE = 16, 0x4206
        print([libc.ptrace(how, thread, 0, 0) for how in (ATTACH, SEIZE)])
        for name in ("mem", "fd/3", "environ"):
            try: print(open(f"/proc/1/task/{thread}/{name}", "rb").read(1))
            except OSError as error: print(type(error).__name__)
        time.sleep(0.1)
        s = connect(); s.sendall(b"x"); print(s.recv(1))
    """
    said = through(bwrap, server(echo).place, script).splitlines()
    assert said == ["[-1, -1]", *["PermissionError"] * 3, "b'x'"]
