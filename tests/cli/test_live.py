"""What is said while a run goes on, on real terminals and elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from microloop_cli.cli.live import StatusLine
from microloop_cli.cli.outlet import Outlet
from tests.cli.calling import environment
from tests.needs import need

# Stands in for the supervisor: an agent on the same terminal, the line updated as it goes.
SUPERVISOR = """
import subprocess, sys, time
from microloop_cli.cli.live import StatusLine
line = StatusLine()
line.start("RUN-ID", "bwrap")
agent = subprocess.Popen(["sh", "-c", sys.argv[1]])
begun, updates = time.monotonic(), 0
while agent.poll() is None:
    time.sleep(0.05)
    updates += 1
    elapsed = time.monotonic() - begun
    line.update(elapsed_seconds=elapsed, steps=7, findings=2, last_command="pytest -q", cost="$0.42")
    if "CRASH" in sys.argv[1] and updates == 40:
        raise RuntimeError("crashed")
line.stop("the agent ended")
"""


class Screen:
    """A real terminal (tmux) with a shell in it."""

    def __init__(self, folder: Path, rows: int = 12) -> None:
        self._tmux = [str(need("tmux")), "-L", f"microloop-{uuid4().hex[:8]}", "-f", "/dev/null"]
        self._program = folder / "supervisor.py"
        self._program.write_text(SUPERVISOR)
        self._run("new-session", "-d", "-x", "60", "-y", str(rows), "env PS1='$ ' sh")
        self.until("$")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=20,
            check=False,
        )
        return done.stdout

    def close(self) -> None:
        self._run("kill-server")

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)
        self._run("send-keys", "Enter")

    def start(self, agent: str) -> None:
        """Run `agent` (a shell script) under the stand-in supervisor."""
        script = self._program.with_name("agent.sh")
        script.write_text(agent)
        package = Path(__file__).parents[2]
        marker = "CRASH" if "CRASH" in agent else ""
        self.type(f"clear; PYTHONPATH={package} {sys.executable} {self._program} 'sh {script} {marker}' 2>&1")

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def rows(self) -> list[str]:
        return [row.rstrip() for row in self._run("capture-pane", "-p").split("\n")[:-1]]

    def until(self, text: str) -> list[str]:
        """The screen as soon as `text` is on it."""
        return self.when(lambda rows: any(text in row for row in rows))

    def when(self, wanted: Callable[[list[str]], bool], seconds: float = 15.0) -> list[str]:
        """The screen as soon as it is as wanted; fails with the screen when it does not come to that."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            rows = self.rows()
            if wanted(rows):
                return rows
            time.sleep(0.05)
        pytest.fail("this did not become what was wanted:\n" + "\n".join(self.rows()))


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path)
    yield made
    made.close()


STATUS = "microloop  7 steps  0:0"


def test_the_agents_lines_scroll_above_the_status_line(screen: Screen) -> None:
    screen.start("for i in $(seq 30); do echo line $i; sleep 0.05; done; sleep 0.6; echo done; sleep 0.4")
    rows = screen.until("line 30")
    rows = screen.until(STATUS)
    assert rows[-1].startswith(STATUS)
    assert rows[-1].endswith("  $0.42  2 findings  pytest -q")
    numbers = [row for row in rows[:-1] if row.startswith("line ")]
    assert numbers == [f"line {n}" for n in range(31 - len(numbers), 31)]


def test_afterwards_the_terminal_scrolls_on_its_whole_height_and_the_line_is_gone(screen: Screen) -> None:
    screen.start("echo begun; sleep 1.6")
    screen.until(STATUS)
    rows = screen.until("microloop: the agent ended")
    assert not any(row.startswith("microloop  7 steps") for row in rows)
    screen.type("seq 50")
    screen.when(lambda rows: rows[-2:] == ["50", "$"] and rows[0] == "40")


@pytest.mark.slow
def test_the_line_follows_the_size_of_the_terminal(screen: Screen) -> None:
    screen.start("sleep 5; echo end")
    assert screen.until(STATUS)[-1].startswith(STATUS)
    for columns, rows in ((40, 8), (60, 20)):
        screen.resize(columns, rows)
        screen.when(lambda shown, rows=rows: len(shown) == rows and shown[-1].startswith(STATUS))  # type: ignore[misc]
    screen.until("microloop: the agent ended")


@pytest.mark.slow
def test_a_program_that_reads_single_keys_has_the_terminal_for_itself(screen: Screen) -> None:
    screen.start("sleep 1.4; stty raw -echo; sleep 1.2; printf FULL; sleep 1; stty sane; sleep 1.8")
    screen.until(STATUS)
    rows = screen.until("FULL")
    assert not any(row.startswith("microloop  7") for row in rows)
    screen.until(STATUS)
    screen.until("microloop: the agent ended")


def test_a_terminal_a_killed_program_left_in_raw_mode_is_usable_again(screen: Screen) -> None:
    screen.start("stty raw -echo; printf '\\033[?1049h\\033[?25lFULL'; sleep 0.5; kill -9 $$")
    screen.until("microloop: the agent ended")
    screen.type("echo a$((1 + 1))b")
    rows = screen.until("a2b")
    assert not any("FULL" in row for row in rows)


def test_a_crash_of_microloop_gives_the_terminal_back(screen: Screen) -> None:
    screen.start("# CRASH\nsleep 2.5")
    screen.until(STATUS)
    screen.until("RuntimeError: crashed")
    screen.type("clear; seq 50")
    screen.when(lambda rows: rows[-2:] == ["50", "$"] and rows[0] == "40")


def said(*, quiet: bool = False, **env: str) -> str:
    """What goes into a pipe during a small run."""
    read, write = os.pipe()
    line = StatusLine(quiet=quiet, fd=write, environment=env)
    line.start("RUN-ID", "bwrap")
    for n in range(100):
        line.update(elapsed_seconds=n / 10, steps=n, findings=0, last_command="x")
        line.tick(n / 10 + 0.05)
    line.say("steps: 40 of 50 used")
    line.say("no progress \x1b[2J\n at step 3 " + "x" * 10_000_000)
    line.stop("stopped: no progress")
    line.stop("stopped: no progress")
    os.close(write)
    with os.fdopen(read, "rb") as file:
        return file.read().decode()


def test_elsewhere_only_what_is_worth_saying_is_said_a_line_each() -> None:
    lines = said(TERM="xterm").splitlines()
    assert lines[:2] == ["microloop: run RUN-ID, sandbox bwrap", "microloop: steps: 40 of 50 used"]
    assert lines[2].startswith("microloop: no progress \\x1b[2J at step 3 xxx")
    assert lines[3:] == ["microloop: stopped: no progress"]
    assert len(lines[2]) < 5000


def test_quiet_says_nothing() -> None:
    assert said(quiet=True) == ""


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines() -> None:
    master, slave = pty.openpty()
    line = StatusLine(fd=slave, environment={"TERM": "dumb"})
    line.start("R", "bwrap")
    for second in range(50):
        line.update(elapsed_seconds=float(second), steps=1, findings=0, last_command="x")
    line.stop("end")
    shown = b""
    while b"end" not in shown:  # a terminal hands over a line at a time
        shown += os.read(master, 65536)
    assert shown == b"microloop: run R, sandbox bwrap\r\nmicroloop: end\r\n"
    os.close(master)
    os.close(slave)


def test_a_reader_that_does_not_read_holds_nothing_up() -> None:
    read, write = os.pipe()
    line = StatusLine(fd=write, environment={})
    line.start("R", "bwrap")
    begun = time.monotonic()
    for n in range(2000):
        line.say("x" * 1000)
        line.tick(float(n))
    line.stop("end")
    assert time.monotonic() - begun < 5
    os.close(read)
    os.close(write)


def test_a_reader_that_is_gone_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    line = StatusLine(fd=write, environment={})
    line.start("R", "bwrap")
    line.say("x")
    line.stop("end")
    os.close(write)


def test_what_could_not_be_written_at_once_comes_later_and_whole() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    out = Outlet(write)
    data = b"".join(b"%06d\n" % n for n in range(12_000))
    for start in range(0, len(data), 7_000):
        out.put(data[start : start + 7_000])
    got = b""
    while not out.clear:
        got += os.read(read, 65536)
        out.push()
    os.close(write)
    got += os.read(read, 1 << 20)
    os.close(read)
    assert got == data
