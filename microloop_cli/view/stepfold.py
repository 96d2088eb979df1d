"""The part of the fold that follows execs, their verdicts and the steps among them. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from microloop_cli.core.actions import Release, ToolVerdict, Verdict
from microloop_cli.core.events import ExecCancelled, ExecStarted, LateOutput, StepEnded
from microloop_cli.view.callfold import CallFold
from microloop_cli.view.calls import ToolCallView
from microloop_cli.view.model import FindingView, StepVerdict, StepView

REFUSED_EXIT_CODE = 126
_TOOL_VERDICTS: dict[str, StepVerdict] = {"pass": "allowed", "append": "nudged", "replace": "refused"}


class StepFold:
    """Told of execs and steps in the ledger's order; memory grows with steps, not with execs."""

    def __init__(self) -> None:
        self.execs = 0
        self.unverified = 0
        self.by_kind: dict[str, int] = {}
        self._pending: dict[int, tuple[float, ExecStarted]] = {}
        self._steps: dict[int, StepView] = {}
        self._step_of_exec: dict[int, int] = {}
        self._below: dict[int, int] = {}

    @property
    def count(self) -> int:
        return len(self._steps)

    def steps(self, findings: list[FindingView], calls: CallFold) -> tuple[StepView, ...]:
        """Steps in order, each with the findings that were answered at it (those whose evidence it ends), and
        with what the model calls tell of it."""
        answered: dict[int, list[int]] = {}
        for index, found in enumerate(findings):
            if found.finding.steps:
                answered.setdefault(found.finding.steps[-1], []).append(index)
        costs, seen = calls.costs_of_steps(), calls.saw_tools
        return tuple(
            replace(
                step,
                findings=tuple(answered.get(n, ())),
                execs_below=self._below.get(n, 0),
                asked=step.tool_call is not None if seen else None,
                cost_usd=costs.get(n),
            )
            for n, step in sorted(self._steps.items())
        )

    def started(self, at: float, event: ExecStarted) -> None:
        self.execs += 1
        self.unverified += not event.verified
        if event.step is not None:
            self._below[event.step] = self._below.get(event.step, 0) + 1
        if event.awaiting:
            self._pending[event.exec_id] = (at, event)
        else:
            self._count("housekeeping" if event.lineage == "housekeeping" else "nested")

    def judged(self, verdict: Verdict) -> None:
        self._count(verdict.kind)
        asked = self._pending.pop(verdict.exec_id, None)
        if verdict.step is None or asked is None:
            return
        started_at, event = asked
        self._step_of_exec[verdict.exec_id] = verdict.step
        self._steps[verdict.step] = StepView(
            n=verdict.step,
            command=verdict.command if verdict.command is not None else " ".join(event.argv),
            argv=event.argv,
            argv_bytes=event.argv_bytes,
            argv_truncated=event.argv_truncated,
            cwd=event.cwd,
            exe=event.exe,
            exec_id=verdict.exec_id,
            pid=event.pid,
            started_at_seconds=started_at,
            verdict="allowed" if verdict.allow else "refused",
            exit_code=None if verdict.allow else REFUSED_EXIT_CODE,
            message=verdict.message,
            verified=event.verified,
            tool_call=verdict.tool_call,
        )

    def tool_judged(self, at: float, verdict: ToolVerdict, tool: ToolCallView | None) -> None:
        """A tool call that no process ran is a step of its own; another's answer belongs to no step."""
        if verdict.step is None or verdict.command is None or verdict.step in self._steps:
            return
        began = tool.at_seconds if tool is not None and tool.at_seconds is not None else at
        self._steps[verdict.step] = StepView(
            n=verdict.step,
            kind="tool",
            command=verdict.command,
            started_at_seconds=began,
            duration_seconds=max(0.0, at - began),
            verdict=_TOOL_VERDICTS[verdict.answer],
            message=verdict.text,
            tool_call=verdict.id,
            failed=tool is not None and tool.failed,
            output_digest=tool.digest if tool is not None else None,
            output_bytes=tool.result_bytes if tool is not None else None,
        )

    def cancelled(self, event: ExecCancelled) -> int | None:
        """The step whose process died before it could run, if it had been judged already."""
        n = self._step_of_exec.get(event.exec_id)
        if self._pending.pop(event.exec_id, None) is not None:
            self._count("cancelled")
        elif n is not None:
            self._steps[n] = replace(self._steps[n], verdict="cancelled", exit_code=None)
        return n

    def ended(self, at: float, event: StepEnded) -> None:
        step = self._steps.get(event.step)
        if step is None:
            return
        self._steps[event.step] = replace(
            step,
            duration_seconds=max(0.0, at - step.started_at_seconds),
            exit_code=event.exit_code,
            signal=event.signal,
            stdout=event.stdout,
            stderr=event.stderr,
            merged=event.merged,
            output_digest=event.signals.output_digest if event.signals else None,
        )

    def released(self, release: Release) -> None:
        step = self._steps.get(release.step)
        if step is not None and release.text:
            self._steps[release.step] = replace(step, verdict="nudged", message=release.text)

    def late_output(self, event: LateOutput) -> None:
        step = self._steps.get(event.step)
        if step is not None:
            self._steps[event.step] = replace(step, late_bytes=step.late_bytes + event.bytes)

    def _count(self, kind: str) -> None:
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
