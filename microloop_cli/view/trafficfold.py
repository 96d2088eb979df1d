"""The part of the fold that follows what passed the two doors: model calls, tool calls, requests. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelRefused,
    NetworkAsked,
    NetworkEnded,
    ToolAnswered,
    ToolCalled,
)
from microloop_cli.view.callfold import CallFold
from microloop_cli.view.requestfold import RequestFold


class TrafficFold:
    """`calls` and `requests`, told of each fact of TRAFFIC in the ledger's order."""

    def __init__(self, network_log: bool = False) -> None:
        self.calls = CallFold()
        self.requests = RequestFold(network_log)

    def add(self, at: float, event: Any) -> None:
        TRAFFIC[type(event)](self, at, event)


TRAFFIC: dict[type, Callable[[TrafficFold, float, Any], None]] = {
    ModelAsked: lambda fold, at, event: fold.calls.asked(at, event),
    ModelAnswered: lambda fold, at, event: fold.calls.answered(at, event),
    ModelRefused: lambda fold, at, event: fold.calls.refused(at, event),
    ToolCalled: lambda fold, at, event: fold.calls.tool_called(at, event),
    ToolAnswered: lambda fold, at, event: fold.calls.tool_answered(at, event),
    NetworkAsked: lambda fold, at, event: fold.requests.asked(at, event),
    NetworkEnded: lambda fold, at, event: fold.requests.ended(event),
}
