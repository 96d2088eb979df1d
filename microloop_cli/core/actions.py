"""What the core decided: performed by `run.perform`, recorded in the ledger beside the facts."""

from __future__ import annotations

from typing import Literal

import msgspec

ExecKind = Literal["agent", "shim", "step", "housekeeping", "nested"]
Outcome = Literal[
    "ended", "no_progress", "step_limit", "policy_stop", "cost_limit", "time_limit", "interrupted", "failed"
]


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all decisions; the tag is the event's type in the ledger."""


class Verdict(Decision, tag="verdict", kw_only=True, frozen=True):
    """The answer to an awaiting exec. `command` is what the agent meant; set for steps only.

    `hold_end` asks the guard to hold the process at its exit until a `Release`, so that a nudge can
    still be written into its output. `tool_call`: id of the model's tool call that asked for this step; None
    when none did, or none could be seen.
    """

    exec_id: int
    kind: ExecKind
    allow: bool
    step: int | None = None
    command: str | None = None
    message: str = ""
    hold_end: bool = False
    tool_call: str | None = None


class Release(Decision, tag="release", kw_only=True, frozen=True):
    """Let a held step go, with `text` appended to its output (empty: nothing)."""

    step: int
    text: str = ""


class ToolVerdict(Decision, tag="tool_verdict", kw_only=True, frozen=True):
    """What becomes of a tool's result on its way to the model: it passes, `text` is added, or stands for it.

    step: the number this tool call has among the steps: its own when no process ran it, else the first of the
    steps it asked for. command: what it was, in words; set when the number is its own.
    """

    id: str
    step: int | None = None
    command: str | None = None
    answer: Literal["pass", "append", "replace"] = "pass"
    text: str = ""


class Finding(Decision, tag="finding", kw_only=True, frozen=True):
    """A detector found no progress. `steps` are the evidence; `answer` is what was done about it.

    `confidence` (0 to 1) says how surely the pattern is no progress.
    """

    detector: str
    steps: tuple[int, ...]
    answer: Literal["record", "nudge", "refuse", "stop"]
    confidence: float = 1.0
    text: str


class DetectorFailed(Decision, tag="detector_failed", kw_only=True, frozen=True):
    """A detector raised while it judged a step: a bug of microloop's, no word about the run's progress."""

    detector: str
    step: int
    error: str


class LimitWarning(Decision, tag="limit_warning", kw_only=True, frozen=True):
    """A limit is `warn_at` used up; said once a limit."""

    limit: Literal["steps", "wall_seconds", "idle_seconds", "cost_usd", "tokens", "model_calls"]
    used: float
    allowed: float


class Stop(Decision, tag="stop", kw_only=True, frozen=True):
    """The run ends now: the stop ladder runs. The first stop wins; later ones are not made."""

    outcome: Outcome
    exit_code: int
    reason: str


class Ended(Decision, tag="ended", kw_only=True, frozen=True):
    """The last decision: how the run ended and the exit code of `microloop run`."""

    outcome: Outcome
    exit_code: int
    reason: str


class WakeAt(Decision, tag="wake_at", kw_only=True, frozen=True):
    """Send a Tick at this second of the run. Not recorded: the Tick itself is."""

    at: float


AnyDecision = Verdict | Release | ToolVerdict | Finding | DetectorFailed | LimitWarning | Stop | Ended
Action = Verdict | Release | ToolVerdict | Finding | DetectorFailed | LimitWarning | Stop | Ended | WakeAt
