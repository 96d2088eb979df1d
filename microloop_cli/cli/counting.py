"""One line on stderr that counts while something long goes on; only on a terminal."""

from __future__ import annotations

import sys

BETWEEN_DRAWS_SECONDS = 0.2


class CountLine:
    """`show` as often as there is news; `clear` at the end. Seconds are any clock that does not go back."""

    def __init__(self) -> None:
        self._shown = False
        self._due = 0.0
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str, now_seconds: float) -> None:
        """Replace the line by harmless text, at most five times a second."""
        if not self._on_terminal or now_seconds < self._due:
            return
        self._due = now_seconds + BETWEEN_DRAWS_SECONDS
        self._shown = True
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
