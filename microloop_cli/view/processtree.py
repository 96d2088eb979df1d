"""A step's place in the process tree as lines: the agent above it, what it started below. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.view.figures import plural
from microloop_cli.view.lines import argv_text, heading, line, one_line
from microloop_cli.view.model import ExecNode, StepTree, StepView

NODES_SHOWN = 200
DEEPEST_INDENT = 12


def tree_lines(step: StepView, tree: StepTree, width: int, show_all: bool) -> Iterator[Text]:
    """One line a program, indented below the one that started it."""
    yield heading("process tree")
    for depth, node in enumerate(tree.above):
        yield _row(node, depth, width, f"{node.kind} ", "dim")
    own = ExecNode(step.exec_id, None, step.pid, step.argv, "step")
    depth = len(tree.above)
    yield _row(own, depth, width, f"step {step.n} ", "bold")
    shown = 0
    for below, node in _depth_first(tree.below):
        if shown == NODES_SHOWN and not show_all:
            break
        yield _row(node, depth + 1 + below, width, "", "")
        shown += 1
    left = len(tree.below) - shown + tree.omitted
    if left:
        hint = "" if show_all else " (--all shows them)"
        yield line((f"  ... {plural(left, 'program')} left out{hint} ...", "dim"))


def _depth_first(nodes: tuple[ExecNode, ...]) -> Iterator[tuple[int, ExecNode]]:
    """(depth, node); who has no parent among those seen before is at the top. A ledger may hold anything."""
    known: set[int] = set()
    children: dict[int | None, list[ExecNode]] = {}
    for node in nodes:
        parent = node.parent_exec if node.parent_exec in known else None
        children.setdefault(parent, []).append(node)
        known.add(node.exec_id)
    pending = [(0, node) for node in reversed(children.get(None, []))]
    while pending:
        depth, node = pending.pop()
        yield depth, node
        pending += [(depth + 1, child) for child in reversed(children.pop(node.exec_id, []))]


def _row(node: ExecNode, depth: int, width: int, label: str, style: str) -> Text:
    indent = "  " + "  " * min(depth, DEEPEST_INDENT)
    note = f"  (pid {node.pid})"
    room = max(12, width - len(indent) - len(label) - len(note))
    return line(
        (indent, ""), (label, style), (one_line(argv_text(node.argv, 4 * width), room), ""), (note, "dim")
    )
