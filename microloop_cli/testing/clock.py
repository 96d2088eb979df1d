"""A clock that stands still until it is told to move."""

from __future__ import annotations

import datetime


class FakeClock:
    """Passes for `run.clock.Clock`; `advance` moves it, `jump_back` does what a broken one would."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)

    def monotonic(self) -> float:
        return self._now

    def utc_now(self) -> datetime.datetime:
        return self._start + datetime.timedelta(seconds=self._now - 1000.0)

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def jump_back(self, seconds: float) -> None:
        self._now -= seconds
