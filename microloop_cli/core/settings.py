"""The settings the pure core decides by: plain data, resolved before the run starts."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Upper bounds of one run; `None` means no limit. A warning comes at `warn_at` of each."""

    steps: int | None = None
    wall_seconds: float | None = None
    idle_seconds: float | None = None
    cost_usd: Decimal | None = None
    tokens: int | None = None
    model_calls: int | None = None
    warn_at: float = 0.8


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At which count of its pattern a finding is answered how; None switches that answer off."""

    nudge: int | None
    refuse: int | None
    stop: int | None


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a pattern is answered. With `answers="record"` findings are only recorded, at the nudge's count.

    repeat: equal results of one command, no file changed. poll: the same after a wait. cycle: rounds of two
    to four commands. tests: runs with one failing set, no file changed; tests_edited: with edits before each.
    failure: attempts with one error. edit: the same edit made. edit_error: edits refused in a row for one
    reason. stale: steps that showed nothing new. regress: returns to an earlier state of the files.
    """

    answers: Literal["act", "record"] = "act"
    repeat: Ladder = Ladder(3, 4, 6)
    poll: Ladder = Ladder(4, 6, 9)
    cycle: Ladder = Ladder(3, 4, 5)
    tests: Ladder = Ladder(3, 4, 6)
    tests_edited: Ladder = Ladder(4, 6, 8)
    failure: Ladder = Ladder(5, 8, 12)
    edit: Ladder = Ladder(3, 4, 6)
    edit_error: Ladder = Ladder(3, 5, 8)
    stale: Ladder = Ladder(12, 18, 24)
    regress: Ladder = Ladder(3, 5, 7)


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
