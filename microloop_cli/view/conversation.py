"""`inspect --conversation` as lines: what the model asked for, what ran, what it was answered. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from rich.text import Text

from microloop_cli.view.calls import CallView, RefusalView, ToolCallView
from microloop_cli.view.cells import cut, width_of
from microloop_cli.view.dollars import dollars
from microloop_cli.view.doors import anything_asked, calls_told
from microloop_cli.view.figures import plural, seconds, size
from microloop_cli.view.lines import heading, labelled, line, one_line
from microloop_cli.view.model import RunView, StepView
from microloop_cli.view.stepresult import result_told

CALLS_SHOWN = 100
"""Of each end of a long conversation; --all shows all."""
TOOLS_SHOWN = 20
STEPS_SHOWN = 10
REFUSALS_SHOWN = 3
TEXT_MOST = 300


def conversation_lines(view: RunView, width: int, show_all: bool) -> Iterator[Text]:
    """Each model call, the tools it asked for, the steps these came to, what came back; steps of the agent's
    own and refused requests stand below the call they came after."""
    yield heading(f"conversation of run {one_line(view.run_id, 40)}", calls_told(view.model))
    if not anything_asked(view.model):
        yield line(("  no model call was seen", "dim"))
        return
    talk = _Talk(view, width, show_all)
    yield from talk.before()
    hidden = 0 if show_all else max(0, len(view.calls) - 2 * CALLS_SHOWN)
    for number, call in enumerate(view.calls):
        if hidden and number == CALLS_SHOWN:
            yield Text("")
            yield line((f"... {plural(hidden, 'call')} left out (--all shows them) ...", "dim"))
        if not hidden or number < CALLS_SHOWN or number >= len(view.calls) - CALLS_SHOWN:
            yield Text("")
            yield from talk.call(call)


class _Talk:
    """One conversation being told: which steps, and what beside the tools belongs below which call."""

    def __init__(self, view: RunView, width: int, show_all: bool) -> None:
        self._tools = view.tool_calls
        self._steps = {step.n: step for step in view.steps}
        self._width = width
        self._show_all = show_all
        numbers = {call.number for call in view.calls}
        self._own = _own_steps(view)
        self._refused: dict[int, list[RefusalView]] = {}
        for refusal in view.model.refusals:
            place = refusal.after_call if refusal.after_call in numbers else 0
            self._refused.setdefault(place, []).append(refusal)

    def before(self) -> Iterator[Text]:
        """What came before the first call."""
        if self._own.get(0) or self._refused.get(0):
            yield Text("")
            yield from self._beside(0)

    def call(self, call: CallView) -> Iterator[Text]:
        yield _title(call, self._width)
        shown = call.tools if self._show_all else call.tools[:TOOLS_SHOWN]
        for name in shown:
            yield from self._tool(self._tools[name])
        if len(shown) < len(call.tools):
            left = plural(len(call.tools) - len(shown), "tool call")
            yield line((f"  ... {left} left out (--all shows them) ...", "dim"))
        if not call.tools and call.status is not None and not call.failed:
            yield line(("  asked for no tool", "dim"))
        yield from self._beside(call.number)

    def _tool(self, tool: ToolCallView) -> Iterator[Text]:
        said = tool.command if tool.command is not None else tool.arguments
        yield from _labelled_line("asked", f"{tool.tool[:80]}: {said}", self._width, "bold")
        shown = tool.steps if self._show_all else tool.steps[:STEPS_SHOWN]
        for n in shown:
            if n in self._steps:
                yield from _ran(self._steps[n], tool, self._width)
        if len(shown) < len(tool.steps):
            yield line((f"  ... {plural(len(tool.steps) - len(shown), 'step')} left out ...", "dim"))
        yield from _answered(tool, self._width)

    def _beside(self, call: int) -> Iterator[Text]:
        own = self._own.get(call, [])
        shown = own if self._show_all else own[: 1 if own and own[0].asked is False else STEPS_SHOWN]
        for step in shown:
            yield from _unasked(step, self._width)
        if len(shown) < len(own):
            left = f"and {len(own) - len(shown):,} more, up to step {own[-1].n}"
            yield from _labelled_line("", left, self._width, "dim")
        refused = self._refused.get(call, [])
        told = refused if self._show_all else refused[:REFUSALS_SHOWN]
        for refusal in told:
            why = refusal.message[:TEXT_MOST].removeprefix("microloop: ")
            yield from labelled("REFUSED", f"at {seconds(refusal.at_seconds)}: {why}", self._width, "red")
        if len(told) < len(refused):
            yield from _labelled_line("", f"and {len(refused) - len(told):,} more", self._width, "dim")


def _own_steps(view: RunView) -> dict[int, list[StepView]]:
    """Steps that no tool call asked for, by the number of the last call that began before them; 0 is none."""
    calls = sorted(view.calls, key=lambda call: call.at_seconds)
    begins = [call.at_seconds for call in calls]
    found: dict[int, list[StepView]] = {}
    for step in view.steps:
        if step.tool_call is None or step.tool_call not in view.tool_calls:
            place = bisect_right(begins, step.started_at_seconds)
            found.setdefault(calls[place - 1].number if place else 0, []).append(step)
    return found


def _title(call: CallView, width: int) -> Text:
    start = f"call {call.number}"
    ended = _ended_told(call)
    parts = [f"at {seconds(call.at_seconds)}"]
    parts += ["cut by a limit"] if call.cut else []
    parts += [ended] if ended else _used_told(call)
    parts += [f"took {seconds(call.seconds)}"] if call.seconds is not None else []
    end = "  " + ", ".join(parts)
    name = one_line(call.model, max(8, width - len(start) - len(end) - 2))
    named = f"  {name}" if name else ""
    rest = cut(end, max(0, width - len(start) - width_of(named)))
    return line((start, "bold"), (named, ""), (rest, "yellow" if ended or call.cut else "dim"))


def _ended_told(call: CallView) -> str:
    """What was wrong with how it ended, "" when nothing was."""
    if call.status is None:
        return "no end recorded"
    if call.failed:
        return f"HTTP {call.status}" if call.status else "no answer"
    return ""


def _used_told(call: CallView) -> list[str]:
    used = call.tokens
    cost = "no price" if call.cost_usd is None else dollars(call.cost_usd)
    return [f"{'about ' if used.estimated else ''}{used.input:,} in", f"{used.output:,} out", cost]


def _ran(step: StepView, tool: ToolCallView, width: int) -> Iterator[Text]:
    same = step.command.strip() == (tool.command or "").strip()
    command = "" if same else f": {step.command}"
    style = "red" if step.verdict == "refused" else ""
    took = "" if step.duration_seconds is None else f", {seconds(step.duration_seconds)}"
    if step.kind == "tool":
        text = f"step {step.n}, no process{took}"
    else:
        text = f"step {step.n}, {result_told(step)}{took}{command}"
    yield from _labelled_line("ran", text, width, style)


def _unasked(step: StepView, width: int) -> Iterator[Text]:
    """A step that no tool call asked for; the agent's own business only where tool calls could be seen."""
    label, style = ("own", "dim") if step.asked is False else ("ran", "")
    yield from _labelled_line(label, f"step {step.n}, {result_told(step)}: {step.command}", width, style)


def _answered(tool: ToolCallView, width: int) -> Iterator[Text]:
    if tool.answered_at_seconds is None:
        yield from _labelled_line("answered", "no answer seen", width, "dim")
        return
    told = size(tool.result_bytes or 0) + (", an error" if tool.failed else "")
    done = {"pass": "", "append": ", nudged", "replace": ", REFUSED"}[tool.answer]
    yield from _labelled_line("answered", told + done, width, "" if tool.answer == "pass" else "yellow")
    if tool.text:
        yield from labelled("", tool.text[:TEXT_MOST], width)


def _labelled_line(label: str, text: str, width: int, style: str = "") -> Sequence[Text]:
    start = f"  {label:<9}  "
    return [line((start, "dim"), (one_line(text, max(20, width - len(start))), style))]
