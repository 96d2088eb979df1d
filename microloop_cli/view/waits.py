"""How long a run waited for models, and how long for their rate limits. Pure."""

from __future__ import annotations

from microloop_cli.view.figures import believable

RATE_LIMITED = frozenset({429, 503, 529})
"""Too many requests, unavailable, overloaded: answers after which an agent waits and asks again."""


class Waits:
    """Told when calls begin and end, in order. Seconds of the run throughout; times may be hostile."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._busy_since = 0.0
        self._waited = 0.0
        self._limited_since: float | None = None
        self._limited = 0.0

    def asked(self, at: float, call: int) -> None:
        at = believable(at)
        if not self._open:
            self._busy_since = at
        self._open.add(call)
        if self._limited_since is not None:
            self._limited += max(0.0, at - self._limited_since)
            self._limited_since = None

    def answered(self, at: float, call: int, status: int) -> None:
        at = believable(at)
        if call in self._open:
            self._open.discard(call)
            if not self._open:
                self._waited += max(0.0, at - self._busy_since)
        if status in RATE_LIMITED and self._limited_since is None:
            self._limited_since = at

    def waiting(self, now: float) -> float:
        """Seconds in which at least one call was under way."""
        return self._waited + (max(0.0, believable(now) - self._busy_since) if self._open else 0.0)

    def rate_limited(self, now: float) -> float:
        """Seconds from an answer that said to come back later until the next call, or until `now`."""
        if self._limited_since is None:
            return self._limited
        return self._limited + max(0.0, believable(now) - self._limited_since)
