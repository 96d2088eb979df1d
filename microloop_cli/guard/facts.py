"""The guard's messages as the facts of `core`, pure; a step's kept output is put together on the way."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import msgspec

from microloop_cli.core import events
from microloop_cli.core.progress.signals import Signals
from microloop_cli.errors import ProtocolError
from microloop_cli.guard import wire
from microloop_cli.guard.messages import NO_COARSE

_NOT_FOUND = frozenset({errno.ENOENT, errno.ENOTDIR})


def sandbox_ready(hello: wire.Hello) -> events.SandboxReady:
    return events.SandboxReady(
        guard_version=hello.guard_version, kernel=hello.kernel, capabilities=hello.capabilities
    )


def exec_started(e: wire.Exec) -> events.ExecStarted:
    return events.ExecStarted(
        exec_id=e.exec_id,
        pid=e.pid,
        ppid=e.ppid,
        parent_exec=e.parent_exec,
        step=e.step,
        lineage=e.lineage,
        argv=e.argv,
        argv_bytes=e.argv_bytes,
        argv_truncated=e.argv_truncated,
        exe=e.exe,
        cwd=e.cwd,
        parent_exe=e.parent_exe,
        fds=e.fds,
        captured=e.captured,
        verified=e.verified,
        awaiting=e.awaiting,
    )


def exec_cancelled(cancel: wire.Cancel) -> events.ExecCancelled:
    return events.ExecCancelled(exec_id=cancel.exec_id)


def late_output(late: wire.LateOutput) -> events.LateOutput:
    return events.LateOutput(step=late.step, stream=late.stream, bytes=late.bytes)


def agent_exited(end: wire.AgentExit) -> events.AgentExited:
    return events.AgentExited(exit_code=end.exit_code, signal=end.signal)


def agent_not_started(failed: wire.StartFailed) -> events.AgentNotStarted:
    reason = events.AgentNotStarted
    if failed.errno in _NOT_FOUND:
        return reason(reason="not_found", path=failed.path)
    return reason(reason="not_executable", path=failed.path)


def guard_notice(notice: wire.Notice) -> events.GuardNotice:
    return events.GuardNotice(text=notice.text)


def guard_failed(fatal: wire.Fatal) -> events.GuardFailed:
    return events.GuardFailed(reason=fatal.text)


_PLAIN: dict[type[Any], Callable[[Any], events.AnyFact]] = {
    wire.Hello: sandbox_ready,
    wire.Exec: exec_started,
    wire.Cancel: exec_cancelled,
    wire.LateOutput: late_output,
    wire.AgentExit: agent_exited,
    wire.StartFailed: agent_not_started,
    wire.Notice: guard_notice,
    wire.Fatal: guard_failed,
}


def plain_fact(message: wire.GuardMessage) -> events.AnyFact | None:
    """The fact a message is by itself; None for Output and StepEnd, which `StepOutputs` puts together."""
    make = _PLAIN.get(type(message))
    return make(message) if make is not None else None


class KeptStream(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one captured stream: its first and last bytes; `fact` describes the whole."""

    head: bytes
    tail: bytes
    fact: events.Stream


class EndedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step that ended, with its kept output; a stream that was not captured is None."""

    end: wire.StepEnd
    stdout: KeptStream | None
    stderr: KeptStream | None

    def fact(self, signals: Signals | None) -> events.StepEnded:
        """`signals`: what the kept output says, read off it by the caller."""
        return events.StepEnded(
            step=self.end.step,
            exit_code=self.end.exit_code,
            signal=self.end.signal,
            stdout=self.stdout.fact if self.stdout else None,
            stderr=self.stderr.fact if self.stderr else None,
            merged=self.end.merged,
            held=self.end.held,
            signals=signals,
        )


class StepOutputs:
    """Collects the Output messages of steps until their StepEnd.

    Raises ProtocolError when the guard sends more than the caps it was given, a head after a tail, or
    kept bytes or a coarse digest that contradict the end.
    """

    def __init__(self, head_bytes: int, tail_bytes: int) -> None:
        self._caps: dict[wire.Part, int] = {"head": head_bytes, "tail": tail_bytes}
        self._kept: dict[tuple[int, wire.StreamName, wire.Part], bytearray] = {}

    def add(self, output: wire.Output) -> None:
        if output.part == "head" and (output.step, output.stream, "tail") in self._kept:
            raise ProtocolError(f"channel: head after tail in the output of step {output.step}")
        kept = self._kept.setdefault((output.step, output.stream, output.part), bytearray())
        kept += output.data
        if len(kept) > self._caps[output.part]:
            raise ProtocolError(f"channel: step {output.step} sent more output than is kept")

    def end(self, end: wire.StepEnd) -> EndedStep:
        return EndedStep(
            end=end,
            stdout=self._take(end.step, "stdout", end.stdout),
            stderr=self._take(end.step, "stderr", end.stderr),
        )

    def _take(self, step: int, name: wire.StreamName, stream: wire.StreamEnd) -> KeptStream | None:
        head = bytes(self._kept.pop((step, name, "head"), b""))
        tail = bytes(self._kept.pop((step, name, "tail"), b""))
        if len(head) + len(tail) > stream.bytes or (not stream.captured and stream.bytes):
            raise ProtocolError(f"channel: step {step} kept more of its {name} than was written")
        is_whole = len(head) + len(tail) == stream.bytes
        if is_whole != (stream.coarse == NO_COARSE):
            raise ProtocolError(
                f"channel: the coarse digest of the {name} of step {step} contradicts its size"
            )
        if not stream.captured:
            return None
        fact = events.Stream(
            bytes=stream.bytes,
            blake2b=stream.blake2b.hex(),
            head_bytes=len(head),
            tail_bytes=len(tail),
            coarse="" if is_whole else stream.coarse.hex(),
        )
        return KeptStream(head=head, tail=tail, fact=fact)
