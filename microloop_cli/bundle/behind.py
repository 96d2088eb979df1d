"""Files written behind the caller's back, so that no verdict waits for them: one thread, bounded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

MOST_WAITING = 64


class Behind:
    """`put` work that may raise OSError; the first failure is kept for `take_failure`.

    When MOST_WAITING pieces wait, `put` waits too: memory stays bounded.
    """

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def put(self, work: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="microloop-bundle-files", daemon=True)
            self._thread.start()
        self._waiting.put(work)

    def finish(self) -> None:
        """Wait until all work is done. Nothing may be put afterwards."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def take_failure(self) -> OSError | None:
        failure, self._failure = self._failure, None
        return failure

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                work()
            except OSError as error:
                self._failure = self._failure or error
