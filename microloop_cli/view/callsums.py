"""Model calls summed up, as a whole and for each model. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from microloop_cli.view import dollars
from microloop_cli.view.calls import CallView, ModelLine, ModelTotals, ToolCallView, ToolSums, added

MODELS_KEPT = 100
OTHER_MODELS = "(other models)"


def sums(calls: Iterable[CallView]) -> ModelTotals:
    """What can be told from the calls alone. Of many models the first MODELS_KEPT have a line each."""
    models: dict[str, ModelLine] = {}
    whole = ModelTotals()
    for call in calls:
        name = call.model if call.model in models or len(models) < MODELS_KEPT else OTHER_MODELS
        models[name] = _with(models.get(name) or ModelLine(model=name), call)
        whole = replace(
            whole,
            calls=whole.calls + 1,
            failed=whole.failed + call.failed,
            unpriced=whole.unpriced + call.unpriced,
            estimated=whole.estimated + call.tokens.estimated,
            cut=whole.cut + call.cut,
            tokens=added(whole.tokens, call.tokens),
            cost_usd=dollars.total((whole.cost_usd, call.cost_usd)),
        )
    return replace(whole, models=tuple(models.values()))


def tool_sums(tools: Iterable[ToolCallView]) -> ToolSums:
    """The tool calls of a run together."""
    found = list(tools)
    return ToolSums(
        calls=len(found),
        answered=sum(tool.answered_at_seconds is not None for tool in found),
        failed=sum(tool.failed for tool in found),
        nudged=sum(tool.answer == "append" for tool in found),
        refused=sum(tool.answer == "replace" for tool in found),
    )


def _with(line: ModelLine, call: CallView) -> ModelLine:
    return replace(
        line,
        calls=line.calls + 1,
        failed=line.failed + call.failed,
        unpriced=line.unpriced + call.unpriced,
        tokens=added(line.tokens, call.tokens),
        cost_usd=dollars.total((line.cost_usd, call.cost_usd)),
    )
