"""Bundles of runs that never were, with the verdicts the core really gives: facts folded, written, completed."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import msgspec

from microloop_cli.bundle.paths import create_run_dir
from microloop_cli.bundle.writer import BundleWriter, KeptOutput
from microloop_cli.core.actions import Verdict, WakeAt
from microloop_cli.core.events import (
    AgentExited,
    AnyFact,
    ExecStarted,
    Lineage,
    RunStarted,
    SandboxReady,
    StepEnded,
    Stream,
    WorkspaceChanged,
)
from microloop_cli.core.progress.commands.meaning import meaning
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.reader import OutputReader
from microloop_cli.core.state import initial
from microloop_cli.core.step import step as fold
from microloop_cli.policy.explain import to_yaml
from microloop_cli.policy.load import load
from microloop_cli.policy.profiles import load_profile
from microloop_cli.policy.settings import to_settings

RUN_ID = "20260102-030405-abc123"


class Recording:
    """One run under a policy. Each step takes a second; one that is refused or comes after a stop none."""

    def __init__(self, workspace: Path, policy: str | None = None, run_id: str = RUN_ID) -> None:
        resolved = load(policy)
        self._state = initial(to_settings(resolved, load_profile("generic")))
        self.path = create_run_dir(workspace, run_id)
        self._writer = BundleWriter(self.path)
        self._writer.write_text("policy.yaml", to_yaml(resolved))
        self._writer.write_json("environment.json", {"backend": "none", "agent_profile": "generic"})
        self._reader = OutputReader()
        self._at = 0.0
        self._execs = 0
        self.steps = 0
        self._take(self._started(run_id), SandboxReady(guard_version="1", kernel="6", capabilities=()))
        self._exec("root", "agent")

    def ran(
        self, command: str, output: str = "", exit_code: int = 0, changes: str | None = None
    ) -> Recording:
        """A step the agent asked for; `changes` names the state of the files after it."""
        verdict = self._exec("agent_child", "sh", "-c", command)
        self.steps += 1
        if not verdict.allow:
            return self
        self._at += 1.0
        if changes is not None:
            self._take(WorkspaceChanged(epoch=changes, paths=("calc.py",), count=1))
        data = output.encode()
        stream = Stream(
            bytes=len(data), blake2b=blake2b(data).hexdigest(), head_bytes=len(data), tail_bytes=0
        )
        self._writer.write_step_output(self.steps, stdout=KeptOutput(stream, data))
        self._take(
            StepEnded(
                step=self.steps,
                exit_code=exit_code,
                stdout=stream,
                merged=True,
                held=verdict.hold_end,
                signals=self._reader.read(
                    meaning(command), command, Kept(data, b"", len(data)), exit_code=exit_code
                ),
            )
        )
        return self

    def ended(self) -> Path:
        """The complete bundle."""
        self._at += 1.0
        self._take(AgentExited(exit_code=0))
        self._writer.finish()
        return self.path

    def _exec(self, lineage: Lineage, *argv: str) -> Verdict:
        self._execs += 1
        fact = ExecStarted(
            exec_id=self._execs,
            pid=100 + self._execs,
            ppid=1 if lineage == "root" else 101,
            parent_exec=None if lineage == "root" else 1,
            lineage=lineage,
            argv=argv,
            argv_bytes=sum(len(word) + 1 for word in argv),
            exe=f"/usr/bin/{argv[0]}",
            cwd="/ws",
            fds=("null", "pipe", "pipe"),
            captured=True,
            awaiting=True,
        )
        verdicts = [decision for decision in self._take(fact) if isinstance(decision, Verdict)]
        return verdicts[0]

    def _take(self, *facts: AnyFact) -> list[msgspec.Struct]:
        decided: list[msgspec.Struct] = []
        for fact in facts:
            self._state, actions = fold(self._state, self._at, fact)
            kept = [action for action in actions if not isinstance(action, WakeAt)]
            self._writer.append(self._at, fact, *kept)
            decided += kept
        return decided

    def _started(self, run_id: str) -> RunStarted:
        return RunStarted(
            run_id=run_id,
            schema=1,
            microloop_version="0.1.0",
            started_at="2026-01-02T03:04:05Z",
            argv=("agent",),
            cwd="/ws",
            workspace="/ws",
            backend="none",
            epoch="e0",
        )


def looping_run(workspace: Path, policy: str | None = None, times: int = 12, run_id: str = RUN_ID) -> Path:
    """The same command with the same output, again and again."""
    recording = Recording(workspace, policy, run_id).ran("ls", "calc.py\n")
    for _ in range(times):
        recording.ran("cat missing", "cat: missing: No such file or directory\n", 1)
    return recording.ended()


def healthy_run(workspace: Path, run_id: str = RUN_ID) -> Path:
    recording = Recording(workspace, None, run_id).ran("ls", "calc.py\n").ran("cat calc.py", "x = 1\n")
    return recording.ran("sed -i s/1/2/ calc.py", changes="e1").ran("cat calc.py", "x = 2\n").ended()
