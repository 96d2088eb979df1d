"""A recorded run of any agent as plain data: what it asked for and what came back, step by step. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Label = Literal["loop", "healthy"]
StepNumber = Annotated[int, Meta(ge=0, le=1_000_000_000)]
ExitCode = Annotated[int, Meta(ge=-(2**31), le=2**32)]

MESSAGE = "message"


class ForeignStep(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call. `tool` is loopbench's word for it, None when the recorder has none; a "message" is no
    command and is not judged. `observation`: what came back, None for nothing.

    seconds and cost_usd: how long the command took and what the model call before it cost, when recorded.
    """

    step: StepNumber
    action: str
    observation: str | None
    tool: str | None = None
    exit_code: ExitCode | None = None
    seconds: float | None = None
    cost_usd: float | None = None


class Trajectory(msgspec.Struct, frozen=True, kw_only=True):
    """A run of another recorder. `onset_step`: the first redundant step, of a loop only."""

    id: str
    steps: tuple[ForeignStep, ...]
    kind: str | None = None
    label: Label | None = None
    onset_step: StepNumber | None = None
