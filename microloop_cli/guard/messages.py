"""The messages of the guard's protocol; names of lineages, kinds and fds are those of `core`."""

from __future__ import annotations

from typing import Literal

import msgspec

from microloop_cli.core.actions import ExecKind
from microloop_cli.core.events import FdKind, Lineage

VERSION = 2
Capability = Literal["capture", "wait_killable", "pid1"]
StreamName = Literal["stdout", "stderr"]
Part = Literal["head", "tail"]
Digest = bytes
NO_DIGEST: Digest = bytes(32)
NO_COARSE: Digest = bytes(16)


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The guard's first message; `nonce` proves it was started for this run."""

    version: int = VERSION
    guard_pid: int
    capabilities: tuple[Capability, ...] = ()
    nonce: str
    kernel: str = ""
    guard_version: str = ""


class Exec(msgspec.Struct, frozen=True, kw_only=True):
    """A program start; see `core.events.ExecStarted`. `argv_bytes` is the size of the whole argv."""

    exec_id: int
    pid: int
    ppid: int
    parent_exec: int | None = None
    step: int | None = None
    lineage: Lineage
    fds: tuple[FdKind, FdKind, FdKind]
    verified: bool = True
    awaiting: bool = False
    captured: bool = False
    argv_truncated: bool = False
    argv_bytes: int
    exe: str
    cwd: str
    parent_exe: str = ""
    argv: tuple[str, ...]


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """The process died before its verdict."""

    exec_id: int


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Kept bytes of a step's output, at most 64 KiB a message; they come right before the StepEnd."""

    step: int
    stream: StreamName
    part: Part
    data: bytes


class StreamEnd(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of an ended step: bytes written in all and their BLAKE2b-256.

    `coarse` is the digest that leaves out what holds a digit; zeros when head and tail are the whole.
    """

    captured: bool
    bytes: int = 0
    blake2b: Digest = NO_DIGEST
    coarse: Digest = NO_COARSE


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A step's process ended; exactly one of `exit_code` and `signal` is set."""

    step: int
    exit_code: int | None = None
    signal: int | None = None
    merged: bool = False
    held: bool = False
    stdout: StreamEnd
    stderr: StreamEnd


class LateOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes written into a step's stream after its StepEnd."""

    step: int
    stream: StreamName
    bytes: int


class AgentExit(msgspec.Struct, frozen=True, kw_only=True):
    """The root process ended; exactly one of `exit_code` and `signal` is set."""

    exit_code: int | None = None
    signal: int | None = None


class StartFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The root command could not be executed."""

    errno: int
    path: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something is not as it should be; the run goes on."""

    text: str


class Fatal(msgspec.Struct, frozen=True, kw_only=True):
    """The guard gives up: it kills everything and exits 125."""

    text: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor's answer to Hello. `agent_names` are basenames of programs that are the agent itself."""

    nested_local: bool = True
    capture: bool = True
    verdict_timeout_ms: int = 10_000
    release_timeout_ms: int = 10_000
    head_bytes: int = 65_536
    tail_bytes: int = 65_536
    agent_names: tuple[str, ...] = ()


class ExecVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an awaiting Exec; `message` is what a refused program prints."""

    exec_id: int
    allow: bool
    kind: ExecKind
    hold_end: bool = False
    step: int | None = None
    message: str = ""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Let a held step go, with `text` appended to its output."""

    step: int
    text: str = ""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Send `signal` to every process of the sandbox but the guard."""

    signal: int


class Bye(msgspec.Struct, frozen=True, kw_only=True):
    """Answers AgentExit and StartFailed: the guard kills what is left and exits."""


GuardMessage = (
    Hello | Exec | Cancel | Output | StepEnd | LateOutput | AgentExit | StartFailed | Notice | Fatal
)
SupervisorMessage = Config | ExecVerdict | Release | Signal | Bye
Message = GuardMessage | SupervisorMessage
