"""The place of one step in the process tree, gathered while a ledger is folded. Pure."""

from __future__ import annotations

from microloop_cli.core.actions import Verdict
from microloop_cli.core.events import ExecStarted
from microloop_cli.view.model import ExecNode, StepTree

NODES_KEPT = 10_000
ABOVE_KEPT = 64


class TreeFold:
    """Keeps the execs of step `wanted` and those of the agent above it."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._pending: dict[int, ExecNode] = {}
        self._agent: dict[int, ExecNode] = {}
        self._step: ExecNode | None = None
        self._below: list[ExecNode] = []
        self._omitted = 0

    def started(self, event: ExecStarted) -> None:
        if event.step is not None and event.step != self._wanted:
            return
        node = ExecNode(event.exec_id, event.parent_exec, event.pid, event.argv, event.lineage)
        if event.step == self._wanted:
            self._keep(node)
        elif event.awaiting:
            self._pending[event.exec_id] = node

    def judged(self, verdict: Verdict) -> None:
        """Only what the agent itself is can stand above a step."""
        node = self._pending.pop(verdict.exec_id, None)
        if node is None:
            return
        if verdict.step == self._wanted:
            self._step = node
        elif verdict.kind in {"agent", "shim"}:
            self._agent[node.exec_id] = ExecNode(
                node.exec_id, node.parent_exec, node.pid, node.argv, verdict.kind
            )

    def tree(self) -> StepTree:
        return StepTree(self._wanted, self._above(), tuple(self._below), self._omitted)

    def _keep(self, node: ExecNode) -> None:
        if len(self._below) < NODES_KEPT:
            self._below.append(node)
        else:
            self._omitted += 1

    def _above(self) -> tuple[ExecNode, ...]:
        chain: list[ExecNode] = []
        parent = self._step.parent_exec if self._step else None
        while parent is not None and parent in self._agent and len(chain) < ABOVE_KEPT:
            chain.append(self._agent[parent])
            parent = self._agent[parent].parent_exec
        return tuple(reversed(chain))
