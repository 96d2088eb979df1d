"""Guard messages become facts: the workspace is settled first, outputs are kept, then the inbox judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from microloop_cli.bundle.writer import KeptOutput
from microloop_cli.core.events import AnyFact, WatchDegraded, WorkspaceChanged
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.signals import Signals, TestOutcome
from microloop_cli.core.state import OpenStep
from microloop_cli.guard import wire
from microloop_cli.guard.facts import EndedStep, KeptStream, StepOutputs, plain_fact
from microloop_cli.run.inbox import Inbox

if TYPE_CHECKING:
    from microloop_cli.core.progress.reader import OutputReader

# Only these can be, or can end, a step: elsewhere the state of the files is not asked for.
SETTLED_LINEAGES = frozenset({"agent_child", "orphan"})


class Change(Protocol):
    """What a watch reports: the new epoch, some of the paths, how many there were."""

    @property
    def epoch(self) -> str: ...
    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def count(self) -> int: ...


class Watch(Protocol):
    """The workspace, as of now."""

    @property
    def degraded(self) -> WatchDegraded | None:
        """Set once changes can only be found by scanning."""

    def settle(self) -> Change | None:
        """All changes made so far; None when contents are what they were."""


class OutputStore(Protocol):
    """Where kept output goes."""

    def write_step_output(
        self, n: int, *, stdout: KeptOutput | None = None, stderr: KeptOutput | None = None
    ) -> None:
        """Store head and tail of both streams under `steps/NNNN/`; raises BundleError."""


class Reports(Protocol):
    """The test reports in the workspace."""

    def outcome(self, step: OpenStep, changed: tuple[str, ...]) -> TestOutcome | None:
        """What the reports that this step wrote say; None when it wrote none."""


class Intake:
    """Takes one guard message at a time, in the order they came."""

    def __init__(
        self,
        inbox: Inbox,
        watch: Watch,
        store: OutputStore,
        reports: Reports,
        *,
        head_bytes: int,
        tail_bytes: int,
        redact: Callable[[KeptStream], KeptStream] | None = None,
    ) -> None:
        """redact: takes secrets out of a kept output, before anything is read off it."""
        self._inbox = inbox
        self._watch = watch
        self._store = store
        self._reports = reports
        self._redact = redact
        self._outputs = StepOutputs(head_bytes, tail_bytes)
        self._degraded_told = False
        self._reader: OutputReader | None = None

    def __call__(self, message: wire.GuardMessage) -> None:
        """Raises BundleError when recording fails and ProtocolError when the guard contradicts itself."""
        if isinstance(message, wire.Output):
            self._outputs.add(message)
            return
        if isinstance(message, wire.StepEnd):
            self._step_end(message)
            return
        fact = plain_fact(message)
        if fact is None:
            return
        asks = isinstance(message, wire.Exec) and message.lineage in SETTLED_LINEAGES
        before = self.settled() if asks or isinstance(message, wire.AgentExit) else ()
        self._inbox.put(*before, fact)

    @property
    def reader(self) -> OutputReader:
        """Reads all results of the run: it knows which lines were shown before."""
        if self._reader is None:
            from microloop_cli.core.progress.reader import OutputReader  # its patterns: at the first step

            self._reader = OutputReader()
        return self._reader

    def settled(self) -> tuple[AnyFact, ...]:
        """What happened to the workspace up to now, as facts; empty when nothing did."""
        facts: list[AnyFact] = []
        change = self._watch.settle()
        if self._watch.degraded is not None and not self._degraded_told:
            self._degraded_told = True
            facts.append(self._watch.degraded)
        if change is not None:
            facts.append(WorkspaceChanged(epoch=change.epoch, paths=change.paths, count=change.count))
        return tuple(facts)

    def _step_end(self, message: wire.StepEnd) -> None:
        ended = self._without_secrets(self._outputs.end(message))
        before = self.settled()
        self._inbox.put(*before, ended.fact(self._signals(ended, before)))
        stdout, stderr = _kept(ended.stdout), _kept(ended.stderr)
        if stdout is not None or stderr is not None:
            self._store.write_step_output(message.step, stdout=stdout, stderr=stderr)

    def _without_secrets(self, ended: EndedStep) -> EndedStep:
        if self._redact is None:
            return ended
        stdout = None if ended.stdout is None else self._redact(ended.stdout)
        stderr = None if ended.stderr is None else self._redact(ended.stderr)
        return EndedStep(end=ended.end, stdout=stdout, stderr=stderr)

    def _signals(self, ended: EndedStep, before: tuple[AnyFact, ...]) -> Signals | None:
        """What the output says; nothing is read of a step that was not judged at its start."""
        opened = self._inbox.state.open_steps.get(ended.end.step)
        if opened is None:
            return None
        lately = [path for fact in before if isinstance(fact, WorkspaceChanged) for path in fact.paths]
        return self.reader.read(
            opened.attempt.meaning,
            opened.attempt.command,
            _as_kept(ended.stdout),
            _as_kept(ended.stderr),
            exit_code=ended.end.exit_code,
            report=self._reports.outcome(opened, (*self._inbox.state.changed, *lately)),
        )


def _kept(stream: KeptStream | None) -> KeptOutput | None:
    return None if stream is None else KeptOutput(stream.fact, stream.head, stream.tail)


def _as_kept(stream: KeptStream | None) -> Kept | None:
    if stream is None:
        return None
    total, coarse = stream.fact.bytes, stream.fact.coarse
    if stream.fact.redacted:  # the sizes are others now, and they say whether it is the whole
        kept = len(stream.head) + len(stream.tail)
        total = max(total, kept + 1) if coarse else kept
    return Kept(stream.head, stream.tail, total, coarse)
