"""An interactive agent owns the terminal: its size, its keys and its signals, in every backend."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable

from tests.backends.world import World

ALL_TTYS = "test -t 0 && test -t 1 && test -t 2 && "


def test_the_size_is_the_terminals(world: World) -> None:
    output, code = on_a_terminal(world, ALL_TTYS + "stty size; exit 3")
    assert b"33 101\r" in output
    assert code == 3


def test_control_c_interrupts_the_agent_and_nothing_else(world: World) -> None:
    script = ALL_TTYS + 'trap "echo caught; exit 7" INT && echo ready; sleep 20 & wait'
    output, code = on_a_terminal(
        world, script, after=b"ready", act=lambda terminal: os.write(terminal, b"\x03")
    )
    assert b"caught" in output
    assert code == 7


def test_a_new_size_reaches_the_agent(world: World) -> None:
    seen = "trap 'stty size; exit 5' WINCH; "
    script = ALL_TTYS + seen + "echo ready; for try in 1 2 3 4 5; do sleep 4 & wait; done"
    output, code = on_a_terminal(world, script, after=b"ready", act=lambda terminal: resize(terminal, 44, 77))
    assert b"44 77" in output
    assert code == 5


def test_what_is_typed_is_read(world: World) -> None:
    script = ALL_TTYS + "echo ready; read -r line; echo got $line"
    output, code = on_a_terminal(
        world, script, after=b"ready", act=lambda terminal: os.write(terminal, b"words\r")
    )
    assert b"got words" in output
    assert code == 0


def resize(terminal: int, rows: int, columns: int) -> None:
    time.sleep(0.3)  # the shell is at its `wait`
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def on_a_terminal(
    world: World, script: str, after: bytes = b"\0", act: Callable[[int], object] = lambda _: None
) -> tuple[bytes, int]:
    """Run with a controlling terminal of 33 x 101; `act` on it once `after` is seen. Output and exit code."""
    command = world._argv(world.spec(["sh", "-c", script], interactive=True))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(world.workspace)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
        os.execvpe(command[0], command, world.environment())
    output, acted, until = b"", False, time.monotonic() + 30
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            output += os.read(terminal, 4096)
        except OSError:  # the other side is closed: all has ended
            break
        if after in output and not acted:
            act(terminal)
            acted = True
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return output, os.waitstatus_to_exitcode(status)
