"""A terminal for tests: a pty whose master end the test types into and reads from."""

from __future__ import annotations

import os
import pty
import re
import select
import time


class Terminal:
    """The agent gets `slave` as its stdin, stdout and stderr; `expect` waits for what it shows."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.shown = b""
        self._seen = 0

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def expect(self, pattern: str, timeout_seconds: float = 10.0) -> re.Match[bytes]:
        """The next match after the last one. Raises AssertionError with all that was shown when none comes."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            found = re.compile(pattern.encode()).search(self.shown, self._seen)
            if found:
                self._seen = found.end()
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} did not come: {self.shown!r}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.shown += os.read(self.master, 65_536)
                except OSError as error:  # the other end is closed by all
                    raise AssertionError(f"{pattern!r} did not come: {self.shown!r}") from error

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)
