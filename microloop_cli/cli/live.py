"""What microloop says on stderr while a run goes on: a status line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping

from microloop_cli.cli.outlet import Outlet
from microloop_cli.cli.row import LastRow, TerminalModes, line_by_line
from microloop_cli.view import status

BETWEEN_DRAWS_SECONDS = 0.2
AWAY_SECONDS = 1.0
"""How long a terminal has to be in line mode before the line is shown. At the start too: a program with an
interface of its own takes the terminal in its first moments, and a short run needs no line."""

_LAST_PATIENCE_SECONDS = 1.0
_MOST_SAID = 4000
# Out of the other screen, cursor shown, no mouse or paste reports, plain keys: what a killed program left on.
_SANE = b"\033[?1049l\033[?25h\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?1l\033>\033[0m\r\n"


class StatusLine:
    """start, then update, say and tick as things happen, then stop. Never waits, never raises, no threads.

    All times are seconds of the run, given by the caller; `tick` should come at least every 0.5 s. On a
    terminal the line has the last row to itself; while a program on the terminal reads single keys (canonical
    mode off), it keeps away and what is said is held back. Elsewhere only `start`, `say` and `stop` write, a
    line each.
    """

    def __init__(
        self, *, quiet: bool = False, fd: int | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        environment = os.environ if environment is None else environment
        self._quiet = quiet
        self._out = Outlet(stderr_fd() if fd is None else fd)
        self._on_terminal = not quiet and can_move_cursor(self._out.fd, environment)
        self._plain = bool(environment.get("NO_COLOR"))
        self._row = LastRow(self._out)
        self._modes = TerminalModes(self._out.fd)
        self._shown = (0, 0, "", "")
        self._elapsed = self._due = 0.0
        self._back_at = AWAY_SECONDS
        self._to_say: list[str] = []
        self._running = False

    def start(self, run_id: str, sandbox: str) -> None:
        """The run begins: say its id and what contains it."""
        self.begin(f"run {run_id}, sandbox {sandbox}")

    def begin(self, said: str) -> None:
        """As `start`, in other words."""
        self._running = True
        if self._on_terminal:
            self._modes.remember()
            atexit.register(self._give_back)
        self.say(said)

    def update(
        self, *, elapsed_seconds: float, steps: int, findings: int, last_command: str, cost: str = ""
    ) -> None:
        """What the line shows from now on; cost is told as it is, "" for none."""
        self._shown = (steps, findings, last_command, cost)
        self.tick(elapsed_seconds)

    def tick(self, elapsed_seconds: float) -> None:
        """Time passed: draw anew when it is due, follow the terminal's size, keep away or come back."""
        self._elapsed = elapsed_seconds
        if not self._running or elapsed_seconds < self._due:
            return
        self._due = elapsed_seconds + BETWEEN_DRAWS_SECONDS
        if not self._on_terminal:
            self._out.push()
        elif not line_by_line(self._out.fd):
            self._row.release()
            self._back_at = elapsed_seconds + AWAY_SECONDS
        else:
            self._pass_on()
            if elapsed_seconds >= self._back_at:
                self._row.show(self._line)

    def say(self, text: str) -> None:
        """One line worth reading: a warning, a finding, the stop."""
        if self._quiet:
            return
        self._to_say.append(f"microloop: {status.one_line(text[:_MOST_SAID])}\n")
        if not self._on_terminal or line_by_line(self._out.fd):
            self._pass_on()

    def stop(self, text: str = "") -> None:
        """The run is over: give the terminal back and say how it ended. Harmless a second time."""
        if not self._running:
            return
        self._running = False
        self._give_back()
        atexit.unregister(self._give_back)
        if text:
            self.say(text)
        self._pass_on()
        self._out.push(_LAST_PATIENCE_SECONDS)

    def _line(self, width: int) -> str:
        steps, findings, command, cost = self._shown
        text = status.line(steps, self._elapsed, command, findings, width, cost)
        return text if self._plain else f"\033[2m{text}\033[0m"

    def _pass_on(self) -> None:
        said, self._to_say = "".join(self._to_say), []
        if said:
            self._out.put(said.encode("utf-8", "backslashreplace"))

    def _give_back(self) -> None:
        """The terminal as it was, whatever the agent left it like."""
        self._row.release()
        if self._on_terminal and self._modes.restore():
            self._out.put(_SANE)


def stderr_fd() -> int:
    return sys.stderr.fileno() if sys.stderr is not None else 2


def can_move_cursor(fd: int, environment: Mapping[str, str]) -> bool:
    """Whether `fd` is a terminal that understands cursor movement."""
    return os.isatty(fd) and environment.get("TERM", "dumb") not in {"", "dumb"}
