"""The parts of `inspect` about the two doors: model calls with what they cost, and the network. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from microloop_cli.core.traffic import Tokens
from microloop_cli.view.calls import ModelLine, ModelTotals
from microloop_cli.view.dollars import dollars
from microloop_cli.view.figures import plural, seconds, size
from microloop_cli.view.lines import heading, labelled, line, one_line
from microloop_cli.view.model import RunView
from microloop_cli.view.requests import NetworkTotals, RefusedHost, hint_told, place_of, reason_told

MODELS_SHOWN = 8
HOSTS_SHOWN = 8
REASON_MOST = 300
_NAME_WIDTH = 28
_WIDTH_FOR_TOKENS = 76


def anything_asked(model: ModelTotals) -> bool:
    return bool(model.calls or model.refused or model.tools.calls)


def anything_sent(network: NetworkTotals) -> bool:
    return bool(network.allowed or network.refused)


def model_section(view: RunView, width: int, show_all: bool) -> Iterator[Text]:
    """Calls, tokens, dollars and waits; each model with its part, when there is more than one."""
    model = view.model
    yield heading("model", f"{calls_told(model)} (--conversation shows each)")
    if len(model.models) > 1:
        shown = model.models if show_all else model.models[:MODELS_SHOWN]
        for row in shown:
            yield _model_row(row, width)
        if len(shown) < len(model.models):
            left = len(model.models) - len(shown)
            yield line((f"  {plural(left, 'model')} more (--all shows them)", "dim"))
    elif model.models:
        yield from labelled("name", model.models[0].model or "not named", width)
    yield from labelled("tokens", tokens_told(model.tokens), width)
    yield from _troubles(model, width)
    yield from _waits(view, width)
    if model.tools.calls:
        yield from labelled("tools", _tools_told(view), width)


def calls_told(model: ModelTotals) -> str:
    """`3 calls, $0.42`."""
    cost = dollars(model.cost_usd, more=model.unpriced > 0)
    return plural(model.calls, "call") + ("" if model.cost_usd is None else f", {cost}")


def tokens_told(tokens: Tokens) -> str:
    """`12,345 in (8,000 cached), 678 out (200 reasoning)`."""
    told = [f"{tokens.cached:,} cached"] if tokens.cached else []
    told += [f"{tokens.cache_write:,} written to the cache"] if tokens.cache_write else []
    read = f" ({', '.join(told)})" if told else ""
    thought = f" ({tokens.reasoning:,} reasoning)" if tokens.reasoning else ""
    return f"{tokens.input:,} in{read}, {tokens.output:,} out{thought}"


def _model_row(row: ModelLine, width: int) -> Text:
    cost = dollars(row.cost_usd, more=row.unpriced > 0)
    used = f"{row.tokens.input:>11,} in  {row.tokens.output:>9,} out"
    end = f"  {plural(row.calls, 'call'):>11}  {used}  {cost:>9}"
    if width < _WIDTH_FOR_TOKENS:
        end = f"  {plural(row.calls, 'call'):>11}  {cost:>9}"
    room = max(8, min(_NAME_WIDTH, width - len(end) - 2))
    name = one_line(row.model, room) or "not named"
    return line((f"  {name}{' ' * max(0, room - len(name))}", ""), (end, ""))


def _troubles(model: ModelTotals, width: int) -> Iterator[Text]:
    if model.failed:
        yield from labelled("failed", plural(model.failed, "call"), width, "yellow")
    if model.cut:
        yield from labelled("cut", f"{plural(model.cut, 'answer')}, by a limit", width, "yellow")
    if model.unpriced:
        yield from labelled(
            "no price", f"{plural(model.unpriced, 'call')}, not in the dollars", width, "yellow"
        )
    if model.estimated:
        told = f"the tokens of {plural(model.estimated, 'call')}: the server did not say"
        yield from labelled("estimated", told, width)
    if model.refused:
        first = "the first: " if model.refused > 1 else ""
        why = model.refusals[0].message[:REASON_MOST].removeprefix("microloop: ")
        yield from labelled("refused", f"{plural(model.refused, 'request')}; {first}{why}", width, "red")


def _waits(view: RunView, width: int) -> Iterator[Text]:
    model = view.model
    yield from labelled("waited", f"{seconds(model.waiting_seconds)} for answers", width)
    if model.rate_limited_seconds:
        whole = f"{seconds(model.working_seconds)} of {seconds(view.used.wall_seconds)} is working time"
        yield from labelled("", f"{seconds(model.rate_limited_seconds)} for rate limits; {whole}", width)


def _tools_told(view: RunView) -> str:
    tools = view.model.tools
    parts = [plural(tools.calls, "call")]
    none_ran = sum(step.kind == "tool" for step in view.steps)
    counted = ((none_ran, "without a process"), (tools.failed, "failed"), (tools.nudged, "nudged"),
               (tools.refused, "refused"))  # fmt: skip
    parts += [f"{count:,} {word}" for count, word in counted if count]
    own = sum(step.asked is False for step in view.steps)
    return ", ".join(parts) + (f"; {plural(own, 'step')} of the agent's own" if own else "")


def network_section(network: NetworkTotals, width: int, show_all: bool) -> Iterator[Text]:
    """How much passed the proxy; each host that was refused, why, and how to allow it."""
    yield heading("network", network_told(network))
    if network.failed:
        yield from labelled("broke off", plural(network.failed, "request"), width, "yellow")
    shown = network.refused_hosts if show_all else network.refused_hosts[:HOSTS_SHOWN]
    for host in shown:
        yield from _refused_host(host, width)
    left = len(network.refused_hosts) - len(shown) + network.hosts_omitted
    if left:
        hint = " (inspect --network shows each request)"
        yield line((f"  {plural(left, 'host')} more refused{hint}", "dim"))


def network_told(network: NetworkTotals) -> str:
    told = f"{network.allowed:,} allowed, {network.refused:,} refused"
    if not network.allowed:
        return told
    return f"{told}, {size(network.sent_bytes)} out, {size(network.received_bytes)} in"


def _refused_host(host: RefusedHost, width: int) -> Iterator[Text]:
    times = f", {host.count:,} times" if host.count > 1 else ""
    yield from labelled("refused", f"{place_of(host)[:REASON_MOST]}{times}", width, "red")
    yield from labelled("", reason_told(host)[:REASON_MOST], width)
    hint = hint_told(host)
    if hint:
        yield from labelled("", f"to allow it: {hint[:REASON_MOST]}", width)
