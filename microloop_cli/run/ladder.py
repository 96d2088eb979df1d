"""The stop ladder: freeze, TERM, a grace period, KILL. Each rung is sent through the guard."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

# The tree is frozen for this long so that nothing new starts between the decision and the TERM.
FREEZE_SECONDS = 0.05
# The guard reports how its agent died; when it cannot any more, the backend kills from outside.
GUARD_KILL_SECONDS = 3.0


class StopLadder:
    """Climbed once; `hurry()` goes straight to KILL."""

    def __init__(
        self,
        send_signal: Callable[[int], None],
        kill: Callable[[], Awaitable[None]],
        grace_seconds: float,
        guard_kill_seconds: float = GUARD_KILL_SECONDS,
    ) -> None:
        self._send_signal = send_signal
        self._kill = kill
        self._grace_seconds = grace_seconds
        self._guard_kill_seconds = guard_kill_seconds
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    @property
    def climbing(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        """Begin to end the agent; does nothing when already begun. It is frozen when this returns."""
        if self._task is None:
            if not self._hurry.is_set():
                self._send_signal(signal.SIGSTOP)
            self._task = asyncio.get_running_loop().create_task(self._climb())

    def hurry(self) -> None:
        """Kill now: the user asked twice."""
        self._hurry.set()
        self.start()

    async def _climb(self) -> None:
        if not self._hurry.is_set():
            await self._pause(FREEZE_SECONDS)
            self._send_signal(signal.SIGTERM)
            self._send_signal(signal.SIGCONT)
            await self._pause(self._grace_seconds)
        self._send_signal(signal.SIGKILL)
        await asyncio.sleep(self._guard_kill_seconds)
        await self._kill()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except asyncio.TimeoutError:
            return

    async def finished(self) -> None:
        """The sandbox is gone: stop climbing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
