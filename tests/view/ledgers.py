"""Ledgers made by hand for the view's tests: a run told event by event, in memory or as a bundle on disk."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import msgspec

from microloop_cli.bundle.writer import BundleWriter, KeptOutput
from microloop_cli.core.actions import Ended, Finding, Outcome, Release, Stop, Verdict
from microloop_cli.core.events import (
    AgentExited,
    ExecStarted,
    Lineage,
    RunStarted,
    SandboxReady,
    StepEnded,
    Stream,
)
from microloop_cli.core.progress.signals import Signals

RUN_ID = "20260102-030405-abc123"


class Told(msgspec.Struct, frozen=True):
    """An entry as the reader gives them, as far as the view cares."""

    seq: int
    at: float
    event: Any


class Story:
    """One run as it happens: each method puts events into the ledger; `at` is the time of the next one."""

    def __init__(self, argv: tuple[str, ...] = ("agent", "--fix"), run_id: str = RUN_ID) -> None:
        self.run_id = run_id
        self.entries: list[Told] = []
        self.at = 0.0
        self.execs = 0
        self.steps = 0
        self.outputs: dict[int, bytes] = {}
        self.streams: dict[int, Stream] = {}
        self.say(
            RunStarted(
                run_id=run_id,
                schema=1,
                microloop_version="0.1.0",
                started_at="2026-01-02T03:04:05Z",
                argv=argv,
                cwd="/ws",
                workspace="/ws",
                backend="bwrap",
                epoch="e0",
            ),
            SandboxReady(guard_version="1.0", kernel="6.18", capabilities=("capture",)),
        )
        self.exec(*argv, lineage="root", kind="agent")

    def say(self, *events: Any) -> None:
        for event in events:
            self.entries.append(Told(len(self.entries) + 1, self.at, event))

    def exec(
        self,
        *argv: str,
        lineage: Lineage = "nested",
        kind: str | None = None,
        step: int | None = None,
        parent: int | None = None,
        **more: Any,
    ) -> int:
        """A program start; with a kind it awaited a verdict and was allowed. Its exec id."""
        self.execs += 1
        self.say(
            ExecStarted(
                exec_id=self.execs,
                pid=100 + self.execs,
                ppid=1,
                parent_exec=parent,
                step=step,
                lineage=lineage,
                argv=argv,
                argv_bytes=sum(len(word) + 1 for word in argv),
                exe=f"/usr/bin/{argv[0][:40]}",
                cwd="/ws",
                fds=("null", "pipe", "pipe"),
                awaiting=kind is not None,
                **more,
            )
        )
        if kind not in (None, "step"):
            self.say(Verdict(exec_id=self.execs, kind=kind, allow=True))  # type: ignore[arg-type]
        return self.execs

    def begin(self, command: str, **more: Any) -> int:
        """A step starts and is allowed; its number."""
        exec_id = self.exec("sh", "-c", command, lineage="agent_child", kind="step", parent=1, **more)
        self.steps += 1
        self.say(Verdict(exec_id=exec_id, kind="step", allow=True, step=self.steps, command=command))
        return self.steps

    def end(
        self,
        n: int,
        exit_code: int | None = 0,
        output: bytes = b"",
        whole_bytes: int | None = None,
        nudge: str = "",
        **more: Any,
    ) -> None:
        self.at += 0.5
        self.outputs[n] = output
        size = len(output) if whole_bytes is None else whole_bytes
        half = len(output) // 2 if size > len(output) else len(output)
        stream = Stream(
            bytes=size,
            blake2b=blake2b(output, digest_size=32).hexdigest(),
            head_bytes=half,
            tail_bytes=len(output) - half,
        )
        self.streams[n] = stream
        digest = repr(output)[:64]
        self.say(
            StepEnded(
                step=n,
                exit_code=exit_code,
                stdout=stream,
                merged=True,
                signals=Signals(output_digest=digest) if digest else None,
                **more,
            )
        )
        if nudge:
            self.say(Finding(detector="repeat", steps=tuple(range(1, n + 1)), answer="nudge", text=nudge))
            self.say(Release(step=n, text=nudge))

    def step(self, command: str, exit_code: int | None = 0, output: bytes = b"out\n", **more: Any) -> int:
        n = self.begin(command)
        self.end(n, exit_code, output, **more)
        return n

    def refuse(self, command: str, why: str, answer: Literal["refuse", "stop"] = "refuse") -> int:
        exec_id = self.exec("sh", "-c", command, lineage="agent_child", kind="step", parent=1)
        self.steps += 1
        self.say(Finding(detector="repeat", steps=tuple(range(1, self.steps + 1)), answer=answer, text=why))
        if answer == "stop":
            self.say(Stop(outcome="no_progress", exit_code=120, reason=why))
        self.say(
            Verdict(exec_id=exec_id, kind="step", allow=False, step=self.steps, command=command, message=why)
        )
        return self.steps

    def finish(
        self, outcome: Outcome = "ended", exit_code: int = 0, reason: str = "the agent ended with exit code 0"
    ) -> Story:
        self.at += 1.0
        self.say(AgentExited(exit_code=exit_code), Ended(outcome=outcome, exit_code=exit_code, reason=reason))
        return self

    def write(self, workspace: Path, *, complete: bool = True, **files: Any) -> Path:
        """The bundle of this run in a workspace; keywords are its JSON files (`environment`, `changes`)."""
        path = workspace / ".microloop" / "runs" / self.run_id
        path.mkdir(parents=True)
        writer = BundleWriter(path)
        for entry in self.entries:
            writer.append(entry.at, entry.event)
        for n, output in self.outputs.items():
            stream = self.streams[n]
            head, tail = output[: stream.head_bytes], output[stream.head_bytes :]
            writer.write_step_output(n, stdout=KeptOutput(stream, head, tail))
        names = {
            "environment": "environment.json",
            "changes": "workspace/changes.json",
            "summary": "summary.json",
        }
        for key, value in files.items():
            writer.write_json(names[key], value)
        if complete:
            writer.finish()
        else:
            writer.close()
        return path


ENVIRONMENT = {
    "schema": 1,
    "backend": "bwrap",
    "enforcement": {
        "enforced": {"filesystem": "mount namespace", "network": "no network"},
        "missing": {"memory": "no cgroup that this user may write"},
    },
    "limits": {"steps": 10, "wall_seconds": 600.0, "idle_seconds": None, "warn_at": 0.8},
}
CHANGES = {
    "epoch_before": "e0",
    "epoch_after": "e1",
    "changes": [
        {"path": "calc.py", "kind": "modified", "bytes_before": 10, "bytes_after": 12, "in_patch": True},
        {"path": "new.txt", "kind": "added", "bytes_after": 3},
    ],
}


def loop_story() -> Story:
    """A loop: three equal failing runs, a nudge in the third, a refusal, a stop."""
    story = Story()
    for n in range(1, 4):
        story.step("pytest -q", 1, b"1 failed\n", nudge="same output 3 times" if n == 3 else "")
    story.refuse("pytest -q", "the same command gave the same output 3 times")
    story.refuse("pytest -q", "no progress: pytest -q", answer="stop")
    return story.finish("no_progress", 120, "no progress: pytest -q")
