"""What a run looks like to a person: frozen data, made by `view.runview` from the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from microloop_cli.core.actions import Finding, LimitWarning
from microloop_cli.core.events import Stream
from microloop_cli.view.calls import CallView, ModelTotals, ToolCallView
from microloop_cli.view.requests import NetworkTotals, RequestView

StepVerdict = Literal["allowed", "nudged", "refused", "cancelled"]
StepKind = Literal["process", "tool"]
CRASHED = "crashed"


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `command` is what the agent meant, `argv` what ran; times are seconds of the run.

    verdict: "nudged" ran and had a line added to its output; "cancelled" died before it could run.
    message: why it was refused, or the line that was added. duration_seconds: None when no end is recorded.
    findings: indexes into RunView.findings of those that were answered at this step.
    kind: a "tool" is a call of the model's that no process ran; then argv, cwd, exe, exec_id and pid are
    empty, `failed` says that the agent marked its result as an error, output_bytes is that result's size.
    asked: whether the model asked for it, by `tool_call`; False is the agent's own business, None when no
    tool call of the whole run was seen. cost_usd: the dollars of the model call that asked for it, split
    evenly over the tools asked for in that call, and a tool's part evenly over the steps it came to.
    """

    n: int
    command: str
    argv: tuple[str, ...] = ()
    cwd: str = ""
    exe: str = ""
    exec_id: int = 0
    pid: int = 0
    started_at_seconds: float
    kind: StepKind = "process"
    tool_call: str | None = None
    asked: bool | None = None
    cost_usd: Decimal | None = None
    failed: bool = False
    output_bytes: int | None = None
    duration_seconds: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    verdict: StepVerdict = "allowed"
    message: str = ""
    findings: tuple[int, ...] = ()
    stdout: Stream | None = None
    stderr: Stream | None = None
    merged: bool = False
    output_digest: str | None = None
    late_bytes: int = 0
    execs_below: int = 0
    argv_bytes: int = 0
    argv_truncated: bool = False
    verified: bool = True


class FindingView(msgspec.Struct, frozen=True):
    """A finding and the second of the run it was made at."""

    at_seconds: float
    finding: Finding


class ExecNode(msgspec.Struct, frozen=True):
    """A program start in the process tree of one step."""

    exec_id: int
    parent_exec: int | None
    pid: int
    argv: tuple[str, ...]
    kind: str


class StepTree(msgspec.Struct, frozen=True):
    """The place of one step in the process tree: what is above it, nearest last, and the execs below it.

    omitted: how many execs below it are not in `below`.
    """

    n: int
    above: tuple[ExecNode, ...] = ()
    below: tuple[ExecNode, ...] = ()
    omitted: int = 0


class Notice(msgspec.Struct, frozen=True):
    """Something that was not as it should be."""

    at_seconds: float
    text: str


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What the run took of what limits bound and samples saw; `idle_seconds` is the longest quiet time."""

    steps: int = 0
    wall_seconds: float = 0.0
    idle_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int = 0
    peak_processes: int = 0
    samples: int = 0
    cost_usd: Decimal | None = None
    tokens: int = 0
    model_calls: int = 0


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `outcome` is a core Outcome, or "crashed" when there is no end; then `exit_code` is None.

    tool_calls: by id. requests: empty unless the network log was asked for.
    """

    run_id: str = ""
    started_at: str = ""
    microloop_version: str = ""
    guard_version: str = ""
    kernel: str = ""
    backend: str = ""
    argv: tuple[str, ...] = ()
    cwd: str = ""
    workspace: str = ""
    outcome: str = CRASHED
    stop_reason: str = ""
    exit_code: int | None = None
    used: Used = Used()
    steps: tuple[StepView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    warnings: tuple[LimitWarning, ...] = ()
    execs: int = 0
    execs_by_kind: dict[str, int] = {}
    unverified_execs: int = 0
    notices: tuple[Notice, ...] = ()
    notices_omitted: int = 0
    interruptions: tuple[int, ...] = ()
    unknown_events: int = 0
    events: int = 0
    tree: StepTree | None = None
    calls: tuple[CallView, ...] = ()
    tool_calls: dict[str, ToolCallView] = {}
    model: ModelTotals = ModelTotals()
    network: NetworkTotals = NetworkTotals()
    requests: tuple[RequestView, ...] = ()
