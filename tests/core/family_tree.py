"""Execs told one by one to `core.lineage`, as the core does it."""

from __future__ import annotations

from typing import Any

from microloop_cli.core.actions import ExecKind
from microloop_cli.core.events import ExecStarted
from microloop_cli.core.lineage import Family, classify, remember
from microloop_cli.core.settings import AgentProfile

GENERIC = AgentProfile()


def fact(*argv: str, lineage: str = "agent_child", parent: int | None = 1, **more: Any) -> ExecStarted:
    fields: dict[str, Any] = {
        "exec_id": 9,
        "pid": 100,
        "ppid": 2,
        "parent_exec": parent,
        "lineage": lineage,
        "argv": argv,
        "argv_bytes": 1,
        "exe": "/usr/bin/" + argv[0].rpartition("/")[2] if argv else "",
        "cwd": "/repo",
        "fds": ("null", "pipe", "pipe"),
        "awaiting": True,
    }
    return ExecStarted(**{**fields, **more})


class Tree:
    """Execs told one by one, remembered as the core does it."""

    def __init__(self, profile: AgentProfile = GENERIC) -> None:
        self.profile = profile
        self.family = Family()
        self.count = 0

    def run(
        self, *argv: str, lineage: str = "agent_child", parent: int = 1, **more: Any
    ) -> tuple[int, ExecKind]:
        self.count += 1
        told = fact(*argv, lineage=lineage, parent=parent, exec_id=self.count, **more)
        classified = classify(self.family, told, self.profile)
        self.family = remember(self.family, told, classified)
        return self.count, classified.kind


def kind(*argv: str, profile: AgentProfile = GENERIC, **more: Any) -> ExecKind:
    return Tree(profile).run(*argv, **more)[1]
