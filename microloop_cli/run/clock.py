"""The one place that reads a clock."""

from __future__ import annotations

import datetime
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never go back, and the wall-clock time for people."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""

    def utc_now(self) -> datetime.datetime:
        """The time now, aware, UTC."""


class SystemClock:
    """The real one."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc_now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)
