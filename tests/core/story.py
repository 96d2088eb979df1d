"""A tiny language to tell a run's story to the core: facts in, decisions out."""

from __future__ import annotations

from typing import TypeVar

from microloop_cli.core.actions import Action, Verdict
from microloop_cli.core.events import (
    AnyFact,
    ExecStarted,
    FdKind,
    RunStarted,
    StepEnded,
    Stream,
    WorkspaceChanged,
)
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.settings import AgentProfile, Limits, Progress, Settings
from microloop_cli.core.state import initial
from microloop_cli.core.step import step

A = TypeVar("A", bound=Action)


def exec_fact(
    exec_id: int,
    *argv: str,
    lineage: str = "agent_child",
    awaiting: bool = True,
    fds: tuple[FdKind, FdKind, FdKind] = ("null", "pipe", "pipe"),
) -> ExecStarted:
    return ExecStarted(
        exec_id=exec_id,
        pid=100 + exec_id,
        ppid=2,
        parent_exec=1,
        lineage=lineage,  # type: ignore[arg-type]
        argv=argv,
        argv_bytes=sum(len(word) + 1 for word in argv),
        exe=f"/usr/bin/{argv[0]}",
        cwd="/repo",
        fds=fds,
        captured=True,
        awaiting=awaiting,
    )


class Story:
    """Folds facts one by one; `heard` keeps every decision with the second it was made at."""

    def __init__(
        self,
        limits: Limits | None = None,
        progress: Progress | None = None,
        agent: AgentProfile | None = None,
    ) -> None:
        self.settings = Settings(
            limits=limits or Limits(), progress=progress or Progress(), agent=agent or AgentProfile()
        )
        self.state = initial(self.settings)
        self.at = 0.0
        self.outputs: set[str] = set()
        self.execs = 0
        self.fds: tuple[FdKind, FdKind, FdKind] = ("null", "pipe", "pipe")
        self.heard: list[tuple[float, Action]] = []
        self.told: list[tuple[float, AnyFact | Action]] = []
        self.tell(
            RunStarted(
                run_id="20260101-000000-abcdef", schema=1, microloop_version="0", started_at="2026-01-01T00:00:00Z",
                argv=("agent",), cwd="/repo", workspace="/repo", backend="none", epoch="e0",
            )
        )  # fmt: skip
        self.tell(exec_fact(self._next(), "agent", lineage="root"))

    def _next(self) -> int:
        self.execs += 1
        return self.execs

    def tell(self, *facts: AnyFact, after: float = 0.01) -> list[Action]:
        said: list[Action] = []
        for fact in facts:
            self.at = round(self.at + after, 6)
            self.state, actions = step(self.state, self.at, fact)
            self.told += [(self.at, fact), *((self.at, action) for action in actions)]
            said += actions
        self.heard += [(self.at, action) for action in said]
        return said

    def run(self, command: str, output: str | None = "same", exit_code: int = 1) -> list[Action]:
        """One step from its start to its end, as the guard would tell it; all decisions about it."""
        said = self.tell(exec_fact(self._next(), "sh", "-c", command, fds=self.fds))
        verdict = next(action for action in said if isinstance(action, Verdict))
        if not verdict.allow or verdict.step is None:
            return said
        stream = Stream(bytes=4, blake2b="00", head_bytes=4, tail_bytes=0)
        signals = None
        if output is not None:
            signals = Signals(output_digest=output, lines=1, new_lines=int(output not in self.outputs))
            self.outputs.add(output)
        ended = StepEnded(
            step=verdict.step, exit_code=exit_code, stdout=stream, held=verdict.hold_end, signals=signals
        )
        return said + self.tell(ended)

    def change(self, epoch: str) -> list[Action]:
        return self.tell(WorkspaceChanged(epoch=epoch, paths=("a.py",), count=1))


def only(kind: type[A], actions: list[Action]) -> list[A]:
    return [action for action in actions if isinstance(action, kind)]
