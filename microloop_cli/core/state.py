"""What the core remembers between facts; frozen, so that a state can be kept, compared and folded on from."""

from __future__ import annotations

import msgspec

from microloop_cli.core.actions import Stop
from microloop_cli.core.limits import LimitState
from microloop_cli.core.lineage import Family
from microloop_cli.core.money import Money
from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.engine import Memory
from microloop_cli.core.settings import Settings
from microloop_cli.core.tools import Tools


class OpenStep(msgspec.Struct, frozen=True):
    """A step that was allowed and has not ended. `began`: seconds of the run.

    output_seen: none of its output goes past the guard.
    """

    exec_id: int
    attempt: Attempt
    cwd: str
    began: float
    output_seen: bool


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one run. `steps` counts allowed and refused ones; `stop` is the first stop, for good.

    `changed`: some of the paths that changed since the last step began.
    """

    settings: Settings
    workspace: str = ""
    epoch: str = ""
    steps: int = 0
    open_steps: dict[int, OpenStep] = {}
    family: Family = Family()
    memory: Memory = Memory()
    changed: tuple[str, ...] = ()
    limits: LimitState = LimitState()
    money: Money = Money()
    tools: Tools = Tools()
    cpu_seconds: float = 0.0
    stop: Stop | None = None
    ended: bool = False


def initial(settings: Settings) -> State:
    """The state before the first fact."""
    return State(settings=settings)
