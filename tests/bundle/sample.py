"""A small run's bundle, written by the real writer."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from microloop_cli.bundle.manifest import BUNDLE_SCHEMA
from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.writer import BundleWriter, KeptOutput
from microloop_cli.core.actions import Ended, Finding, LimitWarning, Release, Stop, Verdict
from microloop_cli.core.events import (
    AgentExited,
    ExecStarted,
    RunStarted,
    SandboxReady,
    StepEnded,
    Stream,
    Tick,
    WorkspaceChanged,
)
from microloop_cli.core.progress.signals import Signals

RUN_ID = "20260102-030405-abcdef"
OUTPUT = b"1 failed in 0.01s\n"


def started(*, schema: int = BUNDLE_SCHEMA, version: str = "0.1.0") -> RunStarted:
    return RunStarted(
        run_id=RUN_ID,
        schema=schema,
        microloop_version=version,
        started_at="2026-01-02T03:04:05Z",
        argv=("agent", "--fix"),
        cwd="/home/user/project",
        workspace="/home/user/project",
        backend="bwrap",
        epoch="0" * 32,
    )


def exec_started(exec_id: int) -> ExecStarted:
    return ExecStarted(
        exec_id=exec_id,
        pid=100 + exec_id,
        ppid=100,
        lineage="agent_child",
        argv=("sh", "-c", "pytest -q tests/test_calc.py"),
        argv_bytes=34,
        exe="/bin/sh",
        cwd="/home/user/project",
        fds=("null", "pipe", "pipe"),
        captured=True,
        awaiting=True,
    )


def kept(output: bytes) -> KeptOutput:
    digest = blake2b(output, digest_size=32).hexdigest()
    return KeptOutput(Stream(bytes=len(output), blake2b=digest, head_bytes=len(output), tail_bytes=0), output)


def fill(writer: BundleWriter) -> None:
    """Thirteen events, among them at least one of most types, one step with output, and the usual files."""
    writer.append(0.0, started())
    writer.append(0.01, SandboxReady(guard_version="1", kernel="6.1", capabilities=("capture",)))
    writer.append(
        0.5,
        exec_started(1),
        Verdict(exec_id=1, kind="step", allow=True, step=1, command="pytest -q", hold_end=True),
    )
    out = kept(OUTPUT)
    writer.write_step_output(1, stdout=out)
    writer.append(
        0.75,
        StepEnded(step=1, exit_code=1, stdout=out.stream, held=True, signals=Signals(output_digest="d")),
        Release(step=1, text="again the same"),
        Finding(detector="repeat", steps=(1,), answer="nudge", text="again the same"),
    )
    writer.append(0.8, WorkspaceChanged(epoch="1" * 32, paths=("calc.py",), count=1))
    writer.append(1.0, Tick(), LimitWarning(limit="steps", used=1, allowed=1))
    writer.append(1.25, Stop(outcome="step_limit", exit_code=121, reason="enough"))
    writer.append(1.5, AgentExited(signal=15), Ended(outcome="step_limit", exit_code=121, reason="enough"))
    writer.write_text("policy.yaml", "limits: {}\n")
    writer.write_json("environment.json", {"backend": "bwrap"})
    writer.write_json("summary.json", {"outcome": "step_limit"})


def complete_bundle(workspace: Path) -> Path:
    run = create_run_dir(workspace, RUN_ID)
    with BundleWriter(run) as writer:
        fill(writer)
        writer.finish()
    return run


def crashed_bundle(workspace: Path) -> Path:
    """The same without its manifest: what the death of the supervisor leaves."""
    run = create_run_dir(workspace, RUN_ID)
    with BundleWriter(run) as writer:
        fill(writer)
    return run
