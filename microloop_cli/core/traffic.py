"""What passed the two doors of a sandbox, as facts: model calls, tool calls seen in them, network requests.

Amounts of dollars are decimal text, exact. Text from agents and models is bounded by whoever makes the fact.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from microloop_cli.core.fact import Fact
from microloop_cli.core.progress.signals import Signals

ModelLimit = Literal[
    "cost_usd", "tokens", "model_calls", "budget", "price", "replay", "unavailable", "stopped"
]


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one model call. input counts cached ones, output reasoning too. estimated: nobody said."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    estimated: bool = False


class ModelAsked(Fact, tag="model_asked", kw_only=True, frozen=True):
    """A model call was let through to the upstream. Calls count from 1; one that fails has its number too."""

    call: int
    provider: str
    surface: str
    model: str
    stream: bool = False
    request_bytes: int = 0


class ModelAnswered(Fact, tag="model_answered", kw_only=True, frozen=True):
    """A model call ended. status: HTTP, 0 when there was no answer. cost_usd: None when it has no price.

    seconds: from the request to the end of the answer. cut: a limit ended the stream. An answer that is an
    error has no tokens and costs nothing.
    """

    call: int
    status: int
    tokens: Tokens = Tokens()
    cost_usd: str | None = None
    seconds: float
    cut: bool = False


class ModelRefused(Fact, tag="model_refused", kw_only=True, frozen=True):
    """The gateway answered a request itself, with an error: a limit is reached (or a stream was cut there).

    price: the model has no price; replay: the request was not recorded; unavailable: the budgets could not be
    read, so nothing was let through; stopped: the run was stopped for another reason. Only cost_usd, tokens,
    model_calls and budget are limits.
    """

    limit: ModelLimit
    message: str


class ToolCalled(Fact, tag="tool_called", kw_only=True, frozen=True):
    """The model asked for a tool, in the answer of model call `call`. arguments: JSON text, cut at 16 KiB.

    id: the call's own, unique in the run. command: what a shell tool is to run, else None. conversation: the
    model call in which the conversation asked for its first tool, the same for all its calls; 0: not known.
    """

    call: int
    id: str
    tool: str
    arguments: str
    command: str | None = None
    conversation: int = 0


class ToolAnswered(Fact, tag="tool_answered", kw_only=True, frozen=True):
    """A tool's result came by, on its way to the model; `bytes` is its whole size, `call` the model call.

    signals: what the result says about progress. failed: the agent marked it as an error.
    """

    call: int
    id: str
    bytes: int
    failed: bool = False
    signals: Signals | None = None


class NetworkAsked(Fact, tag="network_asked", kw_only=True, frozen=True):
    """A request at the egress proxy and what was decided. n counts from 1. method: CONNECT for a tunnel.

    rule: the one that decided, as it stands in the policy; "" when none spoke of the host. address: what the
    host resolved to, when it was looked up. reason: why it was refused, as the agent was told.
    """

    n: int
    method: str
    host: str
    port: int
    allowed: bool
    rule: str = ""
    address: str = ""
    reason: str = ""


class NetworkEnded(Fact, tag="network_ended", kw_only=True, frozen=True):
    """An allowed request ended. status: HTTP, None for a tunnel. error: why it broke off, else ""."""

    n: int
    sent_bytes: int
    received_bytes: int
    seconds: float
    status: int | None = None
    error: str = ""
