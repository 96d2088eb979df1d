"""A gateway with someone watching: each call as a line on stderr, findings too, the sum at the end."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from microloop_cli.cli.live import StatusLine
from microloop_cli.cli.watching import Watching
from microloop_cli.core.actions import AnyDecision, Ended, Finding, ToolVerdict
from microloop_cli.core.events import AnyFact
from microloop_cli.core.money import NOTHING
from microloop_cli.core.traffic import ToolAnswered, ToolCalled
from microloop_cli.gateway.cost import shown_usd
from microloop_cli.gateway.listener import Listener, Note
from microloop_cli.gateway.model import Asked, CallRecord, Usage
from microloop_cli.gateway.spending import NearLimit, Refused
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult

if TYPE_CHECKING:
    from microloop_cli.run.standalone import Standalone


class Metering:
    """A `cli.alone.Teller` over a StatusLine. keeps: every call is remembered, for `document`."""

    def __init__(self, line: StatusLine, *, keeps: bool) -> None:
        self._line = line
        self._watching = Watching(line)
        self._keeps = keeps
        self._sum = Sum()

    def began(self, address: str) -> None:
        self._line.begin(f"gateway on {address}")

    def say(self, text: str) -> None:
        self._line.say(text)

    def ticked(self, at: float) -> None:
        self._watching.ticked(at)

    def over(self, standalone: Standalone) -> Listener:
        standalone.inbox.watchers += [self._watching.recorded, self._recorded]
        return _Telling(standalone.listener, self._answered)

    def summary(self, ended: Ended, *, by_agent: bool) -> str:
        """The last line. by_agent: there was an agent, which should have come this way."""
        told = self._sum.told()
        if by_agent and not self._sum.model_calls:
            told += " came this way; does the agent take its model's address from its environment?"
        stopped = "" if ended.outcome == "ended" else f"; {ended.outcome}, exit {ended.exit_code}"
        return told + stopped

    def document(self, ended: Ended) -> dict[str, Any]:
        """All calls, tool calls and findings, and their sum; amounts of dollars are text, exact."""
        done = self._sum
        return {
            "schema": 1,
            "outcome": ended.outcome,
            "exit_code": ended.exit_code,
            "reason": ended.reason,
            "calls": done.calls,
            "tool_calls": list(done.tool_calls.values()),
            "findings": done.findings,
            "model_calls": done.model_calls,
            "tokens": done.tokens,
            "cost_usd": _exact(done.cost_usd),
            "unpriced_calls": done.unpriced_calls,
            "limit_reached": ended.outcome == "cost_limit",
        }

    def _answered(self, record: CallRecord) -> None:
        """An error answer costs nothing, and the agent shows it better."""
        if record.usage == Usage() and not 200 <= record.status < 300:
            return
        self._sum.add(record, keep=self._keeps)
        used = record.usage
        cost = "no price" if record.cost_usd is None else shown_usd(record.cost_usd)
        told = (
            f"{used.input_tokens:,} in, {used.output_tokens:,} out{', estimated' if used.estimated else ''}"
        )
        model = ascii(record.model)[1:-1][:60] or "no model"
        self._line.say(f"call {record.number}: {model}: {told}, {cost}")

    def _recorded(self, at: float, events: Sequence[AnyFact | AnyDecision]) -> None:
        for event in events:
            self._sum.heard(event, keep=self._keeps)


class Sum:
    """What the calls came to; with all of them, when they are to be kept."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.tool_calls: dict[str, dict[str, Any]] = {}
        self.findings: list[dict[str, Any]] = []
        self.model_calls = self.tokens = self.unpriced_calls = 0
        self.cost_usd = NOTHING
        self._tools = self._found = 0

    def add(self, record: CallRecord, *, keep: bool) -> None:
        self.model_calls += 1
        self.tokens += record.usage.input_tokens + max(
            record.usage.output_tokens, record.usage.reasoning_tokens
        )
        self.cost_usd += record.cost_usd or NOTHING
        self.unpriced_calls += record.cost_usd is None
        if keep:
            self.calls.append(_call(record))

    def heard(self, event: AnyFact | AnyDecision, *, keep: bool) -> None:
        self._tools += isinstance(event, ToolCalled)
        self._found += isinstance(event, Finding)
        if not keep:
            return
        if isinstance(event, Finding):
            self.findings.append(msgspec.to_builtins(event))
        elif isinstance(event, ToolCalled):
            self.tool_calls[event.id] = _tool_call(event)
        elif isinstance(event, (ToolAnswered, ToolVerdict)) and event.id in self.tool_calls:
            self.tool_calls[event.id] |= _outcome(event)

    def told(self) -> str:
        unpriced = f", {self.unpriced_calls} without a price" if self.unpriced_calls else ""
        tools = f"; {self._tools:,} tool calls" if self._tools else ""
        found = f", {self._found} finding{'' if self._found == 1 else 's'}" if self._found else ""
        cost = shown_usd(self.cost_usd)
        return f"{self.model_calls} model calls, {self.tokens:,} tokens, {cost}{unpriced}{tools}{found}"


class _Telling:
    """A listener that passes all on, and tells of each call that ended."""

    def __init__(self, inner: Listener, on_answered: Any) -> None:
        self._inner = inner
        self._on_answered = on_answered

    def asked(self, number: int, asked: Asked) -> None:
        self._inner.asked(number, asked)

    def answered(self, record: CallRecord) -> None:
        self._on_answered(record)
        self._inner.answered(record)

    def refused(self, refused: Refused) -> None:
        self._inner.refused(refused)

    def near(self, near: NearLimit) -> None:
        self._inner.near(near)

    def tool_called(self, number: int, call: ToolCall) -> None:
        self._inner.tool_called(number, call)

    def tool_answered(self, number: int, result: ToolResult) -> Note | None:
        return self._inner.tool_answered(number, result)


def _call(record: CallRecord) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(Decimal,))
    plain["cost_usd"] = None if record.cost_usd is None else _exact(record.cost_usd)
    return plain


def _tool_call(event: ToolCalled) -> dict[str, Any]:
    return {
        "id": event.id,
        "call": event.call,
        "conversation": event.conversation,
        "tool": event.tool,
        "command": event.command,
        "step": None,
        "answer": None,
    }


def _outcome(event: ToolAnswered | ToolVerdict) -> dict[str, Any]:
    if isinstance(event, ToolAnswered):
        return {"result_bytes": event.bytes, "failed": event.failed}
    words = {} if event.command is None else {"command": event.command}
    return {"step": event.step, "answer": event.answer, **words}


def _exact(amount: Decimal) -> str:
    return f"{amount:f}"
