"""The part of the fold that follows model calls and the tool calls asked for in them. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from microloop_cli.core.actions import ToolVerdict
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelRefused,
    Tokens,
    ToolAnswered,
    ToolCalled,
)
from microloop_cli.view import dollars
from microloop_cli.view.calls import CallView, ModelTotals, RefusalView, ToolCallView
from microloop_cli.view.callsums import sums, tool_sums
from microloop_cli.view.figures import believable
from microloop_cli.view.waits import Waits

ARGUMENTS_KEPT = 2000
REFUSALS_KEPT = 200
_MOST_TOKENS = 10**12


class CallFold:
    """Told of traffic in the ledger's order; memory grows with model and tool calls."""

    def __init__(self) -> None:
        self._calls: dict[int, CallView] = {}
        self._tools: dict[str, ToolCallView] = {}
        self._asked: dict[int, list[str]] = {}
        self._steps: dict[str, list[int]] = {}
        self._refusals: list[RefusalView] = []
        self._refused = 0
        self._last = 0
        self._waits = Waits()

    def asked(self, at: float, event: ModelAsked) -> None:
        self._waits.asked(at, event.call)
        self._last = event.call
        self._calls.setdefault(
            event.call,
            CallView(
                number=event.call,
                model=event.model,
                provider=event.provider,
                surface=event.surface,
                stream=event.stream,
                request_bytes=event.request_bytes,
                at_seconds=at,
            ),
        )

    def answered(self, at: float, event: ModelAnswered) -> None:
        self._waits.answered(at, event.call, event.status)
        seconds = believable(event.seconds)
        begun = CallView(number=event.call, at_seconds=max(0.0, at - seconds))
        self._calls[event.call] = replace(
            self._calls.get(event.call, begun),
            status=event.status,
            tokens=_believable(event.tokens),
            cost_usd=dollars.amount(event.cost_usd),
            seconds=seconds,
            cut=event.cut,
        )

    def refused(self, at: float, event: ModelRefused) -> None:
        self._refused += 1
        if len(self._refusals) < REFUSALS_KEPT:
            self._refusals.append(RefusalView(at, event.limit, event.message, self._last))

    def tool_called(self, at: float, event: ToolCalled) -> None:
        if event.id in self._tools:
            return
        self._asked.setdefault(event.call, []).append(event.id)
        self._tools[event.id] = ToolCallView(
            id=event.id,
            call=event.call,
            tool=event.tool,
            arguments=event.arguments[:ARGUMENTS_KEPT],
            arguments_chars=len(event.arguments),
            command=event.command,
            at_seconds=at,
        )

    def tool_answered(self, at: float, event: ToolAnswered) -> None:
        known = self._tools.get(event.id)
        if known is None:  # asked for before the run, or by a history that was there when it began
            known = ToolCallView(id=event.id, call=0, tool="")
        self._tools[event.id] = replace(
            known,
            answered_at_seconds=at,
            result_bytes=_count(event.bytes),
            failed=event.failed,
            digest=event.signals.output_digest if event.signals else None,
        )

    def tool_judged(self, verdict: ToolVerdict) -> None:
        known = self._tools.get(verdict.id)
        if known is None:
            return
        self._tools[verdict.id] = replace(known, answer=verdict.answer, text=verdict.text)
        if verdict.step is not None:
            self.ran(verdict.id, verdict.step)

    def ran(self, tool_call: str, step: int) -> None:
        """The tool call came to this step."""
        steps = self._steps.setdefault(tool_call, [])
        if step not in steps[-8:]:
            steps.append(step)

    @property
    def saw_tools(self) -> bool:
        """Whether any tool call could be seen."""
        return bool(self._tools)

    def tool(self, tool_call: str) -> ToolCallView | None:
        return self._tools.get(tool_call)

    def calls(self) -> tuple[CallView, ...]:
        """In the order of their numbers."""
        return tuple(
            replace(call, tools=tuple(self._asked.get(number, ())))
            for number, call in sorted(self._calls.items())
        )

    def tools(self) -> dict[str, ToolCallView]:
        """By id, in the order they were asked for."""
        return {
            name: replace(tool, steps=tuple(sorted(set(self._steps.get(name, ())))))
            for name, tool in self._tools.items()
        }

    def costs_of_steps(self) -> dict[int, Decimal]:
        """Dollars of each step that a priced model call asked for: the call's are split evenly over the tools
        it asked for, a tool's part evenly over the steps it came to."""
        found: dict[int, Decimal] = {}
        for number, names in self._asked.items():
            call = self._calls.get(number)
            part = dollars.share(call.cost_usd, len(names)) if call is not None else None
            for name in names if part is not None else ():
                steps = set(self._steps.get(name, ()))
                each = dollars.share(part, len(steps))
                for step in steps:
                    found[step] = dollars.total((found.get(step), each)) or dollars.NOTHING
        return found

    def totals(self, now: float) -> ModelTotals:
        """All of it together, at second `now` of the run."""
        summed = sums(self._calls.values())
        limited = self._waits.rate_limited(now)
        return replace(
            summed,
            refused=self._refused,
            refusals=tuple(self._refusals),
            waiting_seconds=round(self._waits.waiting(now), 6),
            rate_limited_seconds=round(limited, 6),
            working_seconds=round(max(0.0, believable(now) - limited), 6),
            tools=tool_sums(self._tools.values()),
        )


def _believable(tokens: Tokens) -> Tokens:
    return Tokens(
        input=_count(tokens.input),
        cached=_count(tokens.cached),
        cache_write=_count(tokens.cache_write),
        output=_count(tokens.output),
        reasoning=_count(tokens.reasoning),
        estimated=tokens.estimated,
    )


def _count(number: int) -> int:
    """A ledger may hold any number: cut so that all sums stay small enough for any JSON reader."""
    return min(max(0, number), _MOST_TOKENS)
