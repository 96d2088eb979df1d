"""How long a run was quiet, judged as the idle limit judges it. Pure."""

from __future__ import annotations

from microloop_cli.core.limits import computes


class Quiet:
    """Told of activity in order; knows the longest time without any. Seconds of the run throughout."""

    def __init__(self) -> None:
        self._last = 0.0
        self._longest = 0.0
        self._cpu_seconds = 0.0
        self._open: set[int] = set()
        self._calls: set[int] = set()

    def active(self, at: float) -> None:
        self._longest = self.longest(at)
        self._last = at

    def asked(self, at: float, call: int) -> None:
        """A model call began: who waits for its answer is not idle."""
        self.active(at)
        self._calls.add(call)

    def answered(self, at: float, call: int) -> None:
        self.active(at)
        self._calls.discard(call)

    def opened(self, step: int) -> None:
        self._open.add(step)

    def closed(self, step: int) -> None:
        self._open.discard(step)

    def sampled(self, at: float, cpu_seconds: float) -> None:
        """A silent step that computes is not idle."""
        used = cpu_seconds - self._cpu_seconds
        self._cpu_seconds = cpu_seconds
        if self._open and computes(used, at - self._last):
            self.active(at)

    def longest(self, now: float) -> float:
        return self._longest if self._calls else max(self._longest, now - self._last)
