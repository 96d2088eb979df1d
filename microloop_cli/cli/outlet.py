"""Writing to stderr without ever waiting for it: a stopped terminal must not hold up verdicts."""

from __future__ import annotations

import os
import select

_MOST_WAITING_BYTES = 64 * 1024


class Outlet:
    """Bytes for one descriptor, passed on as it takes them. One that fails is left alone from then on."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._waiting = b""
        self._gone = False

    @property
    def clear(self) -> bool:
        """Whether everything was passed on and more would be taken."""
        return not self._waiting and not self._gone

    def put(self, data: bytes) -> None:
        """Take `data` (whole, or not at all when too much waits already) and pass on what can be."""
        if not self._gone and len(self._waiting) + len(data) <= _MOST_WAITING_BYTES:
            self._waiting += data
        self.push()

    def push(self, patience_seconds: float = 0.0) -> None:
        """Pass on what waits; at most `patience_seconds` between two writes for a reader that is slow."""
        while self._waiting and not self._gone:
            try:
                if not select.select([], [self.fd], [], patience_seconds)[1]:
                    return
                self._waiting = self._waiting[os.write(self.fd, self._waiting[:4096]) :]
            except BlockingIOError:  # the agent made the shared terminal non-blocking
                return
            except (OSError, ValueError):
                self._gone, self._waiting = True, b""
