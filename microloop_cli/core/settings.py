"""The settings the pure core decides by: plain data, resolved before the run starts."""

from __future__ import annotations

from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Upper bounds of one run; `None` means no limit. A warning comes at `warn_at` of each."""

    steps: int | None = None
    wall_seconds: float | None = None
    idle_seconds: float | None = None
    warn_at: float = 0.8


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a repeat is answered: counted in runs of one command with equal output and no file change.

    `repeat_nudge=3` nudges in the third equal output, `repeat_refuse=4` refuses the fourth attempt,
    `repeat_stop=6` stops the run at the sixth. `None` switches an answer off. With `answers="record"`
    findings are only recorded (at the nudge's count) and the agent never notices.
    """

    answers: Literal["act", "record"] = "act"

    repeat_nudge: int | None = 3
    repeat_refuse: int | None = 4
    repeat_stop: int | None = 6


class AgentProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one agent starts programs. Regular expressions are searched in the argv joined by one space.

    match: basenames of the agent command this profile is for.
    processes: basenames of programs that are the agent itself (their children are steps).
    shims: programs of the agent that exec the real command in the same process.
    housekeeping: commands the agent runs for itself; never steps.
    wrappers: each has one group, the command the model asked for.
    steps: "any" child of the agent is a step, or only one that runs a "shell" command.
    """

    name: str = "generic"
    match: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    shims: tuple[str, ...] = ()
    housekeeping: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    steps: Literal["any", "shell"] = "any"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that `core.step` needs to know about the policy."""

    limits: Limits = Limits()
    progress: Progress = Progress()
    agent: AgentProfile = AgentProfile()
