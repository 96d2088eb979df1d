"""The look at the workspace before the run, which a stopping signal ends at once."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

from microloop_cli.core.events import RunStarted


class Looking:
    """`stopped_by`: the last stopping signal that came, 0 for none."""

    def __init__(self) -> None:
        self.stopped_by = 0
        self._goes_on = False

    def at(self, look: Callable[[], RunStarted]) -> RunStarted:
        """What `look` gives. SystemExit when a signal came before or comes meanwhile."""
        self._goes_on = True
        try:
            if self.stopped_by:
                raise SystemExit(128 + self.stopped_by)
            return look()
        finally:
            self._goes_on = False

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """A look ends at once; starting and clearing away do not: a container would be left behind."""
        self.stopped_by = number
        if self._goes_on:
            self._goes_on = False
            raise SystemExit(128 + number)
