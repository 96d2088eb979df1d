"""The fold from a ledger's events to what a person wants to know about the run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec.structs import replace

from microloop_cli.core.actions import (
    DetectorFailed,
    Ended,
    Finding,
    LimitWarning,
    Release,
    Stop,
    ToolVerdict,
    Verdict,
)
from microloop_cli.core.events import (
    AgentExited,
    AgentNotStarted,
    ExecCancelled,
    ExecStarted,
    GuardFailed,
    GuardNotice,
    Interrupted,
    LateOutput,
    ResourceSample,
    RunStarted,
    SandboxReady,
    StepEnded,
    Tick,
    WatchDegraded,
    WorkspaceChanged,
)
from microloop_cli.core.traffic import ModelAnswered, ModelAsked, NetworkAsked, NetworkEnded
from microloop_cli.view.calls import ModelTotals
from microloop_cli.view.idle import Quiet
from microloop_cli.view.model import CRASHED, FindingView, Notice, RunView, Used
from microloop_cli.view.stepfold import StepFold
from microloop_cli.view.trafficfold import TRAFFIC, TrafficFold
from microloop_cli.view.tree import TreeFold

NOTICES_KEPT = 200


class EntryLike(Protocol):
    """What the fold reads of a ledger's entry."""

    @property
    def at(self) -> float: ...
    @property
    def event(self) -> Any: ...


def run_view(
    entries: Iterable[EntryLike], tree_of: int | None = None, *, network_log: bool = False
) -> RunView:
    """Fold a ledger, whole or cut off anywhere; `tree_of` names the step whose process tree is wanted too,
    `network_log` asks for each request, not only their sums.

    One pass; memory grows with steps, findings, model and tool calls, not with events. Steps the tree of
    which is not asked for cost nothing for their execs.
    """
    fold = RunFold(tree_of, network_log)
    for entry in entries:
        fold.add(entry.at, entry.event)
    return fold.view()


class RunFold:
    """`add` the events in order, `view` at any time."""

    def __init__(self, tree_of: int | None = None, network_log: bool = False) -> None:
        self._run = RunView()
        self._at = 0.0
        self._events = 0
        self._unknown = 0
        self._steps = StepFold()
        self._traffic = TrafficFold(network_log)
        self._findings: list[FindingView] = []
        self._warnings: list[LimitWarning] = []
        self._notices: list[Notice] = []
        self._notices_omitted = 0
        self._interruptions: list[int] = []
        self._stop: Stop | None = None
        self._ended: Ended | None = None
        self._used = Used()
        self._quiet = Quiet()
        self._tree = TreeFold(tree_of) if tree_of is not None else None

    def add(self, at: float, event: Any) -> None:
        """Fold one event in; `at` is seconds since the run's start."""
        self._events += 1
        self._at = at
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, at, event)
        elif type(event) not in _SILENT:
            self._unknown += 1

    def view(self) -> RunView:
        """What is known by now."""
        model = self._traffic.calls.totals(self._at)
        return replace(
            self._run,
            outcome=self._ended.outcome if self._ended else CRASHED,
            stop_reason=self._stop_reason(),
            exit_code=self._ended.exit_code if self._ended else None,
            used=self._used_by_now(model),
            steps=self._steps.steps(self._findings, self._traffic.calls),
            findings=tuple(self._findings),
            warnings=tuple(self._warnings),
            execs=self._steps.execs,
            execs_by_kind=dict(self._steps.by_kind),
            unverified_execs=self._steps.unverified,
            notices=tuple(self._notices),
            notices_omitted=self._notices_omitted,
            interruptions=tuple(self._interruptions),
            unknown_events=self._unknown,
            events=self._events,
            tree=self._tree.tree() if self._tree else None,
            calls=self._traffic.calls.calls(),
            tool_calls=self._traffic.calls.tools(),
            model=model,
            network=self._traffic.requests.totals(),
            requests=self._traffic.requests.requests(),
        )

    def _stop_reason(self) -> str:
        if self._ended:
            return self._ended.reason
        cut = "the ledger ends before the run does: microloop was killed, or the run still goes on"
        return f"{cut}; it was being stopped: {self._stop.reason}" if self._stop else cut

    def _used_by_now(self, model: ModelTotals) -> Used:
        return replace(
            self._used,
            steps=self._steps.count,
            wall_seconds=self._at,
            idle_seconds=self._quiet.longest(self._at),
            cost_usd=model.cost_usd,
            tokens=model.spent_tokens,
            model_calls=model.calls,
        )

    def _run_started(self, at: float, event: RunStarted) -> None:
        self._run = replace(
            self._run,
            run_id=event.run_id,
            started_at=event.started_at,
            microloop_version=event.microloop_version,
            backend=event.backend,
            argv=event.argv,
            cwd=event.cwd,
            workspace=event.workspace,
        )

    def _sandbox_ready(self, at: float, event: SandboxReady) -> None:
        self._run = replace(self._run, guard_version=event.guard_version, kernel=event.kernel)

    def _exec(self, at: float, event: ExecStarted) -> None:
        self._quiet.active(at)
        self._steps.started(at, event)
        if self._tree is not None:
            self._tree.started(event)

    def _verdict(self, at: float, event: Verdict) -> None:
        self._steps.judged(event)
        if event.tool_call is not None and event.step is not None:
            self._traffic.calls.ran(event.tool_call, event.step)
        if self._tree is not None:
            self._tree.judged(event)
        if event.step is not None and event.allow:
            self._quiet.opened(event.step)

    def _cancelled(self, at: float, event: ExecCancelled) -> None:
        step = self._steps.cancelled(event)
        if step is not None:
            self._quiet.closed(step)

    def _step_ended(self, at: float, event: StepEnded) -> None:
        self._quiet.active(at)
        self._quiet.closed(event.step)
        self._steps.ended(at, event)

    def _release(self, at: float, event: Release) -> None:
        self._steps.released(event)

    def _passed(self, at: float, event: Any) -> None:
        if isinstance(event, ModelAsked):
            self._quiet.asked(at, event.call)
        elif isinstance(event, ModelAnswered):
            self._quiet.answered(at, event.call)
        elif not isinstance(event, (NetworkAsked, NetworkEnded)):
            self._quiet.active(at)
        self._traffic.add(at, event)

    def _tool_verdict(self, at: float, event: ToolVerdict) -> None:
        self._traffic.calls.tool_judged(event)
        self._steps.tool_judged(at, event, self._traffic.calls.tool(event.id))

    def _late_output(self, at: float, event: LateOutput) -> None:
        self._steps.late_output(event)

    def _changed(self, at: float, event: WorkspaceChanged) -> None:
        self._quiet.active(at)

    def _sample(self, at: float, event: ResourceSample) -> None:
        self._quiet.sampled(at, event.cpu_seconds)
        used = self._used
        self._used = replace(
            used,
            cpu_seconds=max(used.cpu_seconds, event.cpu_seconds),
            peak_rss_bytes=max(used.peak_rss_bytes, event.rss_bytes),
            peak_processes=max(used.peak_processes, event.processes),
            samples=used.samples + 1,
        )

    def _finding(self, at: float, event: Finding) -> None:
        self._findings.append(FindingView(at, event))

    def _warning(self, at: float, event: LimitWarning) -> None:
        self._warnings.append(event)

    def _stopped(self, at: float, event: Stop) -> None:
        self._stop = self._stop or event

    def _end(self, at: float, event: Ended) -> None:
        self._ended = event

    def _interrupted(self, at: float, event: Interrupted) -> None:
        self._interruptions.append(event.signal)

    def _notice(self, at: float, event: GuardNotice) -> None:
        self._note(at, f"guard: {event.text}")

    def _failed(self, at: float, event: GuardFailed) -> None:
        self._note(at, f"the guard failed: {event.reason}")

    def _degraded(self, at: float, event: WatchDegraded) -> None:
        self._note(at, f"file changes were not seen as they happened: {event.reason}; {event.how}")

    def _detector_failed(self, at: float, event: DetectorFailed) -> None:
        self._note(
            at, f"a bug in microloop: step {event.step} was not judged by {event.detector}: {event.error}"
        )

    def _not_started(self, at: float, event: AgentNotStarted) -> None:
        self._note(at, f"the agent did not start: {event.path}: {event.reason.replace('_', ' ')}")

    def _note(self, at: float, text: str) -> None:
        if len(self._notices) < NOTICES_KEPT:
            self._notices.append(Notice(at, text))
        else:
            self._notices_omitted += 1


_HANDLERS: dict[type, Callable[[RunFold, float, Any], None]] = {
    RunStarted: RunFold._run_started,
    SandboxReady: RunFold._sandbox_ready,
    ExecStarted: RunFold._exec,
    ExecCancelled: RunFold._cancelled,
    Verdict: RunFold._verdict,
    StepEnded: RunFold._step_ended,
    Release: RunFold._release,
    LateOutput: RunFold._late_output,
    WorkspaceChanged: RunFold._changed,
    ResourceSample: RunFold._sample,
    ToolVerdict: RunFold._tool_verdict,
    Finding: RunFold._finding,
    DetectorFailed: RunFold._detector_failed,
    LimitWarning: RunFold._warning,
    Stop: RunFold._stopped,
    Ended: RunFold._end,
    Interrupted: RunFold._interrupted,
    GuardNotice: RunFold._notice,
    GuardFailed: RunFold._failed,
    WatchDegraded: RunFold._degraded,
    AgentNotStarted: RunFold._not_started,
    **dict.fromkeys(TRAFFIC, RunFold._passed),
}
_SILENT = {Tick, AgentExited}
