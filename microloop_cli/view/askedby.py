"""Who asked for a step: the model, by a tool call with these arguments, or the agent itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.view.calls import CallView, ToolCallView
from microloop_cli.view.dollars import dollars
from microloop_cli.view.figures import seconds
from microloop_cli.view.lines import labelled
from microloop_cli.view.model import RunView, StepView

_MOST = 1000


def asked_by(view: RunView, step: StepView, width: int) -> Iterator[Text]:
    """Nothing in a run in which no tool call could be seen."""
    if step.asked is None:
        return
    tool = view.tool_calls.get(step.tool_call) if step.tool_call is not None else None
    if tool is None:
        told = "a tool call that is not recorded" if step.asked else "no tool call: the agent's own business"
        yield from labelled("asked by", told, width, "" if step.asked else "dim")
        return
    call = next((call for call in view.calls if call.number == tool.call), None)
    yield from labelled("asked by", _call_told(tool, call), width)
    if step.cost_usd is not None and call is not None:
        yield from labelled(
            "cost", f"{dollars(step.cost_usd)} of that call's {dollars(call.cost_usd)}", width
        )
    if tool.arguments:
        cut = " ..." if tool.arguments_chars > _MOST else ""
        yield from labelled("arguments", tool.arguments[:_MOST] + cut, width)
    others = [str(n) for n in tool.steps[:20] if n != step.n]
    if others:
        yield from labelled("", f"it came to step {', '.join(others)}, too", width)


def _call_told(tool: ToolCallView, call: CallView | None) -> str:
    name = tool.tool[:100] or "a tool"
    if call is None:
        return f"the tool {name}"
    model = f" ({call.model[:100]})" if call.model else ""
    return f"the tool {name}, in model call {call.number}{model} at {seconds(call.at_seconds)}"
