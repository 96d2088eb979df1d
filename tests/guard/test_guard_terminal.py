"""On a terminal nothing is different: job control, ^C, sizes; the terminal's descriptors are never replaced."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from microloop_cli.guard import wire

from .conftest import Helper, Start
from .harness import Decider, Launcher, Session
from .terminal import Terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def shell(launcher: Launcher, start: Start, helper: Helper, terminal: Terminal) -> Session:
    """An interactive bash as the agent, leading its session on the terminal, with the prompt `>> `."""
    session: Session = start(
        _leading(launcher, helper("ctty")),
        "bash", "--norc", "--noprofile", "-i",
        stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave,
        env={"PATH": "/usr/bin:/bin", "PS1": ">> ", "TERM": "dumb", "HISTFILE": ""},
        decide=Decider(deny=lambda e: "forbidden" in e.argv, message="microloop: refused\n"),
    )  # fmt: skip
    terminal.expect(">> ")
    return session


class _Leading(Launcher):
    """The launcher itself is started as the leader of the terminal's session."""

    def __init__(self, launcher: Launcher, ctty: Path) -> None:
        super().__init__(launcher.name, launcher.guard, launcher.writable)
        self._ctty = ctty

    def argv(self, channel: Path, command: Sequence[str], options: Sequence[str] = ()) -> list[str]:
        return [str(self._ctty), *super().argv(channel, command, options)]


def _leading(launcher: Launcher, ctty: Path) -> Launcher:
    return _Leading(launcher, ctty)


def test_a_job_is_stopped_listed_brought_back_and_interrupted(shell: Session, terminal: Terminal) -> None:
    terminal.type("sleep 300\n")
    shell.until(lambda: [e for e in shell.all(wire.Exec) if e.argv[:1] == ("sleep",)])
    terminal.type("\x1a")
    terminal.expect(r"Stopped +sleep 300")
    terminal.expect(">> ")
    terminal.type("jobs; echo listed\n")
    terminal.expect(r"\[1\]\+ +Stopped +sleep 300\r\nlisted\r\n>> ")
    terminal.type("fg\n")
    terminal.expect(r"sleep 300\r\n")
    time.sleep(0.2)  # the shell says this before it hands the terminal over
    terminal.type("\x03")
    terminal.expect(">> ")
    terminal.type("echo code $?\n")
    terminal.expect(r"code 130\r\n")
    terminal.type("exit 3\n")
    assert shell.wait() == 3
    assert shell.one(wire.StepEnd).signal == 2


def test_a_job_in_the_background_ends_by_itself(shell: Session, terminal: Terminal) -> None:
    terminal.type("sleep 0.2 & wait; echo waited $?\n")
    terminal.expect(r"\r\nwaited 0\r\n")
    terminal.type("sleep 300 & kill %1; wait %1; echo killed $?\n")
    terminal.expect(r"killed 143\r\n")
    terminal.type("exit 0\n")
    assert shell.wait() == 0


def test_a_terminals_descriptors_are_left_alone(shell: Session, terminal: Terminal) -> None:
    terminal.type("test -t 0 -a -t 1 -a -t 2 && /bin/echo they are ttys\n")
    terminal.expect(r"\r\nthey are ttys\r\n")
    terminal.type("sh -c 'test -t 0 && test -t 1 && test -t 2; echo inner $?'\n")
    terminal.expect(r"inner 0\r\n")
    terminal.type("exit\n")
    assert shell.wait() == 0
    e = shell.exec_of("echo")
    assert (e.fds, e.captured) == (("tty", "tty", "tty"), False)
    assert all(not end.stdout.captured and not end.stderr.captured for end in shell.all(wire.StepEnd))


def test_what_is_redirected_on_a_terminal_is_captured(shell: Session, terminal: Terminal) -> None:
    terminal.type("/bin/echo to a pipe | cat\n")
    terminal.expect(r"\r\nto a pipe\r\n")
    terminal.type("exit\n")
    assert shell.wait() == 0
    assert shell.exec_of("echo").fds == ("tty", "pipe", "tty")
    kept = shell.ended[1].stdout or shell.ended[2].stdout
    assert kept is not None
    assert kept.head == b"to a pipe\n"


def test_a_refusal_is_shown_on_the_terminal(shell: Session, terminal: Terminal) -> None:
    terminal.type("/bin/echo forbidden\n")
    terminal.expect(r"\r\nmicroloop: refused\r\n")
    terminal.type("echo code $?\n")
    terminal.expect(r"code 126\r\n")
    terminal.type("exit 4\n")
    assert shell.wait() == 4


def test_an_interrupt_reaches_the_foreground_job_only(shell: Session, terminal: Terminal) -> None:
    terminal.type("sh -c 'trap \"echo caught; exit 7\" INT; echo ready; while :; do sleep 0.05; done'\n")
    terminal.expect(r"\r\nready\r\n")
    terminal.type("\x03")
    terminal.expect(r"caught\r\n")
    terminal.expect(">> ")
    terminal.type("echo code $?; exit 5\n")
    terminal.expect(r"code 7\r\n")
    assert shell.wait() == 5


def test_a_program_that_stops_itself_can_be_continued(shell: Session, terminal: Terminal) -> None:
    terminal.type("sh -c 'kill -STOP $$; echo continued'\n")
    terminal.expect(r"Stopped")
    terminal.expect(">> ")
    terminal.type("fg; echo code $?\n")
    terminal.expect(r"continued\r\ncode 0\r\n")
    terminal.type("exit 0\n")
    assert shell.wait() == 0


def test_a_closed_terminal_ends_the_agent(shell: Session, terminal: Terminal) -> None:
    terminal.type("sleep 300\n")
    shell.until(lambda: [e for e in shell.all(wire.Exec) if e.argv[:1] == ("sleep",)])
    terminal.type("\x1c")
    terminal.expect(">> ")
    terminal.type("\x04")
    assert shell.wait(10) == 131
