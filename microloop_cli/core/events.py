"""What the world said: every fact a run is judged by, in the order the ledger holds them.

Facts come from outside (guard, workspace, clock, user) and are the only input of `core.step`.
Decisions, in `core.actions`, are its only output; both stand in the ledger, told apart by `type`.
Text from the sandbox is UTF-8 with `\\xNN` for bytes that are none.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from microloop_cli.core.fact import Fact
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelRefused,
    NetworkAsked,
    NetworkEnded,
    ToolAnswered,
    ToolCalled,
)

Lineage = Literal["root", "agent_self", "agent_child", "nested", "housekeeping", "orphan"]
FdKind = Literal["closed", "pipe", "socket", "tty", "file", "null", "other"]


class RunStarted(Fact, tag="run_started", kw_only=True, frozen=True):
    """The first event. `started_at` is UTC, ISO 8601; all other times are seconds after it."""

    run_id: str
    schema: int
    microloop_version: str
    started_at: str
    argv: tuple[str, ...]
    cwd: str
    workspace: str
    backend: str
    epoch: str


class SandboxReady(Fact, tag="sandbox_ready", kw_only=True, frozen=True):
    """The guard spoke its hello and holds the filter; nothing of the agent has run yet."""

    guard_version: str
    kernel: str
    capabilities: tuple[str, ...]


class ExecStarted(Fact, tag="exec", kw_only=True, frozen=True):
    """A program start, seen by the guard with its image loaded and no instruction run.

    exec_id counts all execs of the run from 1. `step` is set when the exec lies inside a step.
    `awaiting` execs wait for a verdict; the others the guard let pass by itself. `verified` is False
    only where the process was already traced and the argv could have changed after it was read.
    """

    exec_id: int
    pid: int
    ppid: int
    parent_exec: int | None = None
    step: int | None = None
    lineage: Lineage
    argv: tuple[str, ...]
    argv_bytes: int
    argv_truncated: bool = False
    exe: str
    cwd: str
    parent_exe: str = ""
    fds: tuple[FdKind, FdKind, FdKind]
    captured: bool = False
    verified: bool = True
    awaiting: bool


class ExecCancelled(Fact, tag="exec_cancelled", kw_only=True, frozen=True):
    """The process died before its verdict."""

    exec_id: int


class Stream(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One captured output: size and BLAKE2b-256 of the whole; head and tail are kept in the bundle.

    `coarse`: where they are not the whole, the digest (32 hex digits) that leaves out what holds a digit.
    `redacted`: secrets were taken out of what is kept; `bytes` is still the size of the whole as it was, but
    `blake2b` is of the kept bytes, which head_bytes and tail_bytes count.
    """

    bytes: int
    blake2b: str
    head_bytes: int
    tail_bytes: int
    coarse: str = ""
    redacted: bool = False


class StepEnded(Fact, tag="step_ended", kw_only=True, frozen=True):
    """A step's process is gone (or held at its exit, `held`, until the core releases it).

    Exactly one of `exit_code` and `signal` is set. A stream that was not captured (a tty) is None;
    `merged` says stdout and stderr were one file and are both in `stdout`. `signals` is what the output
    says about progress; None when nothing was captured.
    """

    step: int
    exit_code: int | None = None
    signal: int | None = None
    stdout: Stream | None = None
    stderr: Stream | None = None
    merged: bool = False
    held: bool = False
    signals: Signals | None = None


class LateOutput(Fact, tag="late_output", kw_only=True, frozen=True):
    """Bytes a step's background processes wrote after its own process had ended."""

    step: int
    stream: Literal["stdout", "stderr"]
    bytes: int


class WorkspaceChanged(Fact, tag="workspace_changed", kw_only=True, frozen=True):
    """Contents changed. `epoch` names the new state of the whole workspace; equal states have equal names."""

    epoch: str
    paths: tuple[str, ...]
    count: int


class WatchDegraded(Fact, tag="watch_degraded", kw_only=True, frozen=True):
    """File changes are no longer (or not) seen as they happen; `how` says what is done instead."""

    reason: str
    how: str


class ResourceSample(Fact, tag="resource_sample", kw_only=True, frozen=True):
    """All processes of the sandbox together, sampled on the host."""

    cpu_seconds: float
    rss_bytes: int
    processes: int


class Tick(Fact, tag="tick", kw_only=True, frozen=True):
    """Time passed; sent when the core asked to be woken."""


class Interrupted(Fact, tag="interrupted", kw_only=True, frozen=True):
    """The user (or the CI runner) sent microloop a signal: 2 is ^C, 15 SIGTERM, 1 a closed terminal."""

    signal: int


class AgentExited(Fact, tag="agent_exited", kw_only=True, frozen=True):
    """The agent's root process ended."""

    exit_code: int | None = None
    signal: int | None = None


class AgentNotStarted(Fact, tag="agent_not_started", kw_only=True, frozen=True):
    """The agent command could not be executed in the sandbox."""

    reason: Literal["not_found", "not_executable"]
    path: str


class GuardNotice(Fact, tag="guard_notice", kw_only=True, frozen=True):
    """The guard could not do something it should (capture, an exit status) and says so."""

    text: str


class GuardFailed(Fact, tag="guard_failed", kw_only=True, frozen=True):
    """The channel broke, the guard died or spoke nonsense; the sandbox is being killed."""

    reason: str


AnyFact = (
    RunStarted
    | SandboxReady
    | ExecStarted
    | ExecCancelled
    | StepEnded
    | LateOutput
    | WorkspaceChanged
    | WatchDegraded
    | ResourceSample
    | Tick
    | Interrupted
    | AgentExited
    | AgentNotStarted
    | GuardNotice
    | GuardFailed
    | ModelAsked
    | ModelAnswered
    | ModelRefused
    | ToolCalled
    | ToolAnswered
    | NetworkAsked
    | NetworkEnded
)
