"""`inspect --step N` as lines: command, process tree, findings, output. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.text import Text

from microloop_cli.bundle.harmless import harmless
from microloop_cli.core.events import Stream
from microloop_cli.view.askedby import asked_by
from microloop_cli.view.figures import plural, seconds
from microloop_cli.view.lines import argv_text, heading, labelled, line, one_line
from microloop_cli.view.model import RunView, StepTree, StepView
from microloop_cli.view.processtree import tree_lines
from microloop_cli.view.sections import finding_lines
from microloop_cli.view.stepresult import result_told

LINES_SHOWN = 100
"""Of each part (head, tail) of an output; --all shows all that is kept."""


class Kept(msgspec.Struct, frozen=True):
    """One captured stream: its name, what is known of the whole, and the kept bytes, head then tail."""

    name: str
    stream: Stream | None
    content: bytes | None


def step_lines(
    view: RunView,
    step: StepView,
    tree: StepTree,
    outputs: tuple[Kept, ...],
    width: int,
    show_all: bool = False,
) -> Iterator[Text]:
    """Everything known about one step; `outputs` are the streams to show, in order."""
    yield from _facts(view, step, width)
    if step.kind == "process":
        yield Text("")
        yield from tree_lines(step, tree, width, show_all)
    if step.findings:
        yield Text("")
        yield heading("findings")
        for index in step.findings:
            yield from finding_lines(view.findings[index], width)
    for kept in outputs:
        yield Text("")
        yield from _output(kept, step, show_all)


def _facts(view: RunView, step: StepView, width: int) -> Iterator[Text]:
    yield heading(f"step {step.n}", f"of run {one_line(view.run_id, 40)}")
    yield from labelled("command", step.command, width, "bold")
    if step.kind == "tool":
        yield from labelled("kind", "a tool of the agent's; no process ran it", width)
    else:
        yield from _process(step, width)
    yield from asked_by(view, step, width)
    took = "no end recorded" if step.duration_seconds is None else f"took {seconds(step.duration_seconds)}"
    yield from labelled("when", f"at {seconds(step.started_at_seconds)}, {took}", width)
    yield from labelled("result", result_told(step), width)
    yield from labelled("verdict", step.verdict, width, "" if step.verdict == "allowed" else "yellow")
    if step.message:
        yield from labelled("", step.message, width)
    if not step.verified:
        text = "it was being traced: its arguments could have changed after they were read"
        yield from labelled("unverified", text, width, "yellow")


def _process(step: StepView, width: int) -> Iterator[Text]:
    yield from labelled("argv", argv_text(step.argv), width)
    if step.argv_truncated:
        yield from labelled("", f"cut: the whole argv has {step.argv_bytes:,} bytes", width, "yellow")
    yield from labelled("directory", step.cwd, width)
    yield from labelled("program", f"{step.exe} (pid {step.pid})", width)


def _output(kept: Kept, step: StepView, show_all: bool) -> Iterator[Text]:
    if kept.stream is None and step.kind == "tool":
        yield heading(kept.name, _not_kept(step.output_bytes))
        return
    if kept.stream is None:
        refused = step.verdict in {"refused", "cancelled"}
        yield heading(
            kept.name, "it did not run" if refused else "not captured (a terminal, or not recorded)"
        )
        return
    late = f", {step.late_bytes:,} more after its end" if step.late_bytes and kept.name == "stdout" else ""
    taken = ", secrets taken out" if kept.stream.redacted else ""
    yield heading(kept.name, f"{plural(kept.stream.bytes, 'byte')}{taken}{late}")
    if kept.content is None:
        if kept.stream.bytes:
            yield line(("  what was kept of it is missing from the bundle", "yellow"))
        return
    head, tail = kept.content[: kept.stream.head_bytes], kept.content[kept.stream.head_bytes :]
    yield from _text(head, show_all)
    lost = kept.stream.bytes - len(kept.content)
    if kept.stream.redacted:
        if kept.stream.coarse:
            yield line(("  ... not all of it was kept ...", "bold yellow"))
    elif lost > 0:
        yield line((f"  ... {plural(lost, 'byte')} not kept ...", "bold yellow"))
    yield from _text(tail, show_all)


def _not_kept(output_bytes: int | None) -> str:
    """Of a tool's result; an empty one has no file."""
    if output_bytes is None:
        return "not kept"
    return plural(output_bytes, "byte") + (", not kept" if output_bytes else "")


def _text(content: bytes, show_all: bool) -> Iterator[Text]:
    text = content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    rows = text.split("\n")
    if rows and not rows[-1]:
        rows.pop()
    hidden = 0 if show_all else max(0, len(rows) - 2 * LINES_SHOWN)
    for number, row in enumerate(rows):
        if hidden and number == LINES_SHOWN:
            yield line((f"  ... {plural(hidden, 'line')} left out (--all shows them) ...", "dim"))
        if not hidden or number < LINES_SHOWN or number >= len(rows) - LINES_SHOWN:
            yield line(("  ", ""), (harmless(row), ""))
