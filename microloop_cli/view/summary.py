"""The document of `inspect --json` and of summary.json: plain data, units in the names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from microloop_cli.core.events import Stream
from microloop_cli.view.dollars import exact
from microloop_cli.view.extras import Change, Environment, read_changes, read_environment
from microloop_cli.view.limitrows import limit_rows
from microloop_cli.view.model import ExecNode, FindingView, RunView, StepTree, StepView
from microloop_cli.view.trafficdocs import (
    call_document,
    model_document,
    network_document,
    tool_document,
    tools_document,
)

SUMMARY_SCHEMA = 1


def summary(view: RunView, environment: Any, changes: Any) -> dict[str, Any]:
    """The whole run as JSON data.

    environment, changes: the data of environment.json and workspace/changes.json, None when there is none.
    outcome is "crashed" and exit_code null when the ledger has no end. `steps[].findings` are indexes into
    `findings`. BundleError when environment or changes have the wrong shape.
    """
    about, changed = read_environment(environment), read_changes(changes)
    return {
        "schema": SUMMARY_SCHEMA,
        "run_id": view.run_id,
        "started_at": view.started_at,
        "argv": list(view.argv),
        "workspace": view.workspace,
        "outcome": view.outcome,
        "stop_reason": view.stop_reason,
        "exit_code": view.exit_code,
        "duration_seconds": round(view.used.wall_seconds, 6),
        "sandbox": sandbox(view, about),
        "limits": limits(view, about),
        "steps": [_step(step) for step in view.steps],
        "findings": [_finding(found) for found in view.findings],
        "execs": view.execs,
        "execs_by_kind": view.execs_by_kind,
        "unverified_execs": view.unverified_execs,
        "changed_files": [_change(change) for change in changed],
        "resources": {
            "cpu_seconds": view.used.cpu_seconds,
            "peak_rss_bytes": view.used.peak_rss_bytes,
            "peak_processes": view.used.peak_processes,
            "samples": view.used.samples,
        },
        "notices": [{"at_seconds": notice.at_seconds, "text": notice.text} for notice in view.notices],
        "interruptions": list(view.interruptions),
        "model": model_document(view.model),
        "tool_calls": tools_document(view.model.tools),
        "network": network_document(view.network),
    }


def step_document(
    view: RunView, step: StepView, tree: StepTree, kept: Mapping[str, bytes | None]
) -> dict[str, Any]:
    """One step as JSON data, with its findings, process tree and the kept text of its streams."""
    return {
        "schema": SUMMARY_SCHEMA,
        "run_id": view.run_id,
        "step": _step(step),
        "findings": [_finding(view.findings[index]) for index in step.findings],
        "above": [_node(node) for node in tree.above],
        "below": [_node(node) for node in tree.below],
        "below_omitted": tree.omitted,
        **_asked_by(view, step),
        "kept": {
            name: None if content is None else content.decode("utf-8", "backslashreplace")
            for name, content in kept.items()
        },
    }


def _asked_by(view: RunView, step: StepView) -> dict[str, Any]:
    """The tool call that asked for a step, and the model call it came in; null when none did."""
    tool = view.tool_calls.get(step.tool_call) if step.tool_call is not None else None
    call = next((call for call in view.calls if call.number == tool.call), None) if tool else None
    return {
        "tool_call": tool_document(tool) if tool else None,
        "model_call": call_document(call) if call else None,
    }


def sandbox(view: RunView, about: Environment) -> dict[str, Any]:
    """What contained the run: backend, and for each boundary how it was enforced or why it was not."""
    return {
        "backend": view.backend or about.backend,
        "enforced": about.enforcement.enforced,
        "missing": about.enforcement.missing,
    }


def limits(view: RunView, about: Environment) -> dict[str, dict[str, int | float | str | None]]:
    """Each limit with what was used of it; `allowed` is null where there was none. Dollars are text."""
    return {
        row.name: {"used": _plain(row.used), "allowed": _plain(row.allowed)}
        for row in limit_rows(view, about)
    }


def _plain(value: int | float | Decimal | None) -> int | float | str | None:
    return exact(value) if isinstance(value, Decimal) else value


def _step(step: StepView) -> dict[str, Any]:
    return {
        "n": step.n,
        "command": step.command,
        "argv": list(step.argv),
        "cwd": step.cwd,
        "exe": step.exe,
        "exec_id": step.exec_id,
        "pid": step.pid,
        "started_at_seconds": step.started_at_seconds,
        "duration_seconds": None if step.duration_seconds is None else round(step.duration_seconds, 6),
        "exit_code": step.exit_code,
        "signal": step.signal,
        "verdict": step.verdict,
        "message": step.message,
        "findings": list(step.findings),
        "output": {"stdout": _stream(step.stdout), "stderr": _stream(step.stderr), "merged": step.merged},
        "late_output_bytes": step.late_bytes,
        "execs_below": step.execs_below,
        "verified": step.verified,
        "kind": step.kind,
        "tool_call": step.tool_call,
        "asked": step.asked,
        "cost_usd": exact(step.cost_usd),
        "failed": step.failed,
        "result_bytes": step.output_bytes,
    }


def _stream(stream: Stream | None) -> dict[str, Any] | None:
    return None if stream is None else {"bytes": stream.bytes, "blake2b": stream.blake2b}


def _finding(found: FindingView) -> dict[str, Any]:
    finding = found.finding
    return {
        "detector": finding.detector,
        "steps": list(finding.steps),
        "answer": finding.answer,
        "confidence": finding.confidence,
        "text": finding.text,
        "at_seconds": found.at_seconds,
    }


def _node(node: ExecNode) -> dict[str, Any]:
    return {
        "exec_id": node.exec_id,
        "parent_exec": node.parent_exec,
        "pid": node.pid,
        "kind": node.kind,
        "argv": list(node.argv),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "path": change.path,
        "kind": change.kind,
        "bytes_before": change.bytes_before,
        "bytes_after": change.bytes_after,
    }
