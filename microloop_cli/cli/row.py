"""The last row of a terminal, kept for one line while everything else scrolls above it."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable
from typing import Any

from microloop_cli.cli.outlet import Outlet

LEAST_ROWS = 4
LEAST_COLUMNS = 20
_LFLAG = 3


class LastRow:
    """Reserved by `show`, given back by `release`; follows the terminal's size at every `show`.

    The sequences: IND and cursor up make room without moving the cursor's column; DECSTBM takes the row out
    of the scrolling region; DECSC and DECRC (ESC 7, ESC 8) keep the cursor where the agent has it.
    """

    def __init__(self, out: Outlet) -> None:
        self._out = out
        self._rows = 0

    def show(self, line: Callable[[int], str]) -> None:
        """Draw `line(width)`; nothing while the terminal does not take bytes or is too small."""
        if not self._out.clear:
            self._out.push()
            return
        rows, columns = self._size()
        if rows < LEAST_ROWS or columns < LEAST_COLUMNS:
            self.release()
            return
        reserve = self._reserve(rows) if rows != self._rows else ""
        # One cell is left free: writing the last one would leave the cursor in a pending wrap.
        text = line(columns - 1)
        self._out.put(f"{reserve}\0337\033[{rows};1H\033[2K{text}\0338".encode("utf-8", "backslashreplace"))

    def release(self) -> None:
        """Give the row back, empty, the cursor where it was; harmless when it is not reserved."""
        if self._rows:
            self._out.put(f"\0337\033[r\033[{self._rows};1H\033[2K\0338".encode())
            self._rows = 0

    def _reserve(self, rows: int) -> str:
        # After a resize the old row is not cleared: terminals move their contents, it may hold output.
        self._rows = rows
        return f"\0337\033[r\0338\033D\033[A\0337\033[1;{rows - 1}r\0338"

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._out.fd)
        except OSError:
            return 0, 0
        return rows, columns


def line_by_line(fd: int) -> bool:
    """Whether the terminal `fd` is in canonical mode: if not, a program draws its own interface on it."""
    try:
        return bool(termios.tcgetattr(fd)[_LFLAG] & termios.ICANON)
    except termios.error:
        return False


class TerminalModes:
    """The line settings of a terminal, remembered and put back when a program that was killed left others."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._modes: list[Any] | None = None

    def remember(self) -> None:
        try:
            self._modes = termios.tcgetattr(self._fd)
        except termios.error:
            self._modes = None

    def restore(self) -> bool:
        """Whether the terminal had been left in single-key mode. Only the foreground job may set it."""
        if self._modes is None or not self._modes[_LFLAG] & termios.ICANON or line_by_line(self._fd):
            return False
        try:
            if os.tcgetpgrp(self._fd) != os.getpgrp():
                return False
            termios.tcsetattr(self._fd, termios.TCSANOW, self._modes)
        except (OSError, termios.error):
            return False
        return True
