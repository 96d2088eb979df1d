"""What passed the two doors as JSON data: sums for a summary, calls and requests one by one. Pure."""

from __future__ import annotations

from typing import Any

from microloop_cli.core.traffic import Tokens
from microloop_cli.view.calls import CallView, ModelLine, ModelTotals, RefusalView, ToolCallView, ToolSums
from microloop_cli.view.dollars import exact
from microloop_cli.view.model import RunView
from microloop_cli.view.requests import NetworkTotals, RequestView, how_to_allow

DOCUMENT_SCHEMA = 1


def model_document(model: ModelTotals) -> dict[str, Any]:
    """Sums of all model calls. cost_usd is exact decimal text, null when no call has a price."""
    return {
        "calls": model.calls,
        "failed_calls": model.failed,
        "refused_calls": model.refused,
        "unpriced_calls": model.unpriced,
        "estimated_calls": model.estimated,
        "cut_calls": model.cut,
        "tokens": _tokens(model.tokens),
        "cost_usd": exact(model.cost_usd),
        "waiting_seconds": model.waiting_seconds,
        "rate_limited_seconds": model.rate_limited_seconds,
        "working_seconds": model.working_seconds,
        "models": [_model_line(line) for line in model.models],
    }


def tools_document(tools: ToolSums) -> dict[str, int]:
    return {
        "calls": tools.calls,
        "answered": tools.answered,
        "failed": tools.failed,
        "nudged": tools.nudged,
        "refused": tools.refused,
    }


def network_document(network: NetworkTotals) -> dict[str, Any]:
    """Sums of all requests at the proxy, and the hosts that were refused."""
    return {
        "allowed": network.allowed,
        "refused": network.refused,
        "failed": network.failed,
        "sent_bytes": network.sent_bytes,
        "received_bytes": network.received_bytes,
        "refused_hosts": [
            {
                "host": host.host,
                "port": host.port,
                "count": host.count,
                "rule": host.rule,
                "reason": host.reason,
                "to_allow": how_to_allow(host),
            }
            for host in network.refused_hosts
        ],
        "refused_hosts_omitted": network.hosts_omitted,
    }


def conversation_document(view: RunView) -> dict[str, Any]:
    """Each model call with the tools it asked for and what became of them.

    steps: numbers, as in `inspect --json`. own_steps: those no tool call asked for; empty when none was seen.
    """
    return {
        "schema": DOCUMENT_SCHEMA,
        "run_id": view.run_id,
        "model": model_document(view.model),
        "calls": [_call(call, view.tool_calls) for call in view.calls],
        "refusals": [_refusal(refusal) for refusal in view.model.refusals],
        "own_steps": [step.n for step in view.steps if step.asked is False],
    }


def log_document(view: RunView) -> dict[str, Any]:
    """Each request at the proxy; the view must have been made with its network log."""
    return {
        "schema": DOCUMENT_SCHEMA,
        "run_id": view.run_id,
        "network": network_document(view.network),
        "requests": [_request(request) for request in view.requests],
    }


def tool_document(tool: ToolCallView) -> dict[str, Any]:
    """One tool call; `arguments` may be cut, then it is shorter than arguments_chars."""
    return {
        "id": tool.id,
        "call": tool.call,
        "tool": tool.tool,
        "arguments": tool.arguments,
        "arguments_chars": tool.arguments_chars,
        "command": tool.command,
        "at_seconds": tool.at_seconds,
        "answered_at_seconds": tool.answered_at_seconds,
        "result_bytes": tool.result_bytes,
        "failed": tool.failed,
        "answer": tool.answer,
        "text": tool.text,
        "steps": list(tool.steps),
    }


def call_document(call: CallView) -> dict[str, Any]:
    """One model call without its tools; status null: its end is not recorded."""
    return {
        "call": call.number,
        "provider": call.provider,
        "surface": call.surface,
        "model": call.model,
        "stream": call.stream,
        "at_seconds": call.at_seconds,
        "seconds": call.seconds,
        "status": call.status,
        "cut": call.cut,
        "request_bytes": call.request_bytes,
        "tokens": _tokens(call.tokens),
        "tokens_estimated": call.tokens.estimated,
        "cost_usd": exact(call.cost_usd),
    }


def _call(call: CallView, tools: dict[str, ToolCallView]) -> dict[str, Any]:
    return {**call_document(call), "tools": [tool_document(tools[name]) for name in call.tools]}


def _refusal(refusal: RefusalView) -> dict[str, Any]:
    return {
        "at_seconds": refusal.at_seconds,
        "limit": refusal.limit,
        "message": refusal.message,
        "after_call": refusal.after_call,
    }


def _model_line(line: ModelLine) -> dict[str, Any]:
    return {
        "model": line.model,
        "calls": line.calls,
        "failed_calls": line.failed,
        "unpriced_calls": line.unpriced,
        "tokens": _tokens(line.tokens),
        "cost_usd": exact(line.cost_usd),
    }


def _tokens(tokens: Tokens) -> dict[str, int]:
    """input counts cached ones, output reasoning too."""
    return {
        "input": tokens.input,
        "cached": tokens.cached,
        "cache_write": tokens.cache_write,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
    }


def _request(request: RequestView) -> dict[str, Any]:
    return {
        "n": request.n,
        "at_seconds": request.at_seconds,
        "method": request.method,
        "host": request.host,
        "port": request.port,
        "allowed": request.allowed,
        "rule": request.rule,
        "address": request.address,
        "reason": request.reason,
        "to_allow": "" if request.allowed else how_to_allow(request),
        "status": request.status,
        "sent_bytes": request.sent_bytes,
        "received_bytes": request.received_bytes,
        "seconds": request.seconds,
        "error": request.error,
    }
