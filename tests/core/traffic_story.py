"""Stories with model calls and tool calls, told to the core as the gateway would tell them."""

from __future__ import annotations

import json
from typing import Any

from microloop_cli.core.actions import Action, ToolVerdict, Verdict
from microloop_cli.core.progress.signals import Signals
from microloop_cli.core.settings import AgentProfile, Limits, Progress
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelLimit,
    ModelRefused,
    Tokens,
    ToolAnswered,
    ToolCalled,
)
from tests.core.story import Story, exec_fact


class TrafficStory(Story):
    """`asked` model calls and `made` tool calls are counted; each has its number as its id."""

    def __init__(
        self,
        limits: Limits | None = None,
        progress: Progress | None = None,
        agent: AgentProfile | None = None,
    ) -> None:
        super().__init__(limits, progress, agent)
        self.asked = self.made = 0

    def ask(self, after: float = 0.01) -> list[Action]:
        self.asked += 1
        fact = ModelAsked(call=self.asked, provider="openai", surface="chat", model="m")
        return self.tell(fact, after=after)

    def answer(
        self,
        cost_usd: str | None = None,
        *,
        tokens: int = 0,
        call: int = 0,
        cut: bool = False,
        after: float = 0.01,
    ) -> list[Action]:
        fact = ModelAnswered(
            call=call or self.asked,
            status=200,
            tokens=Tokens(output=tokens),
            cost_usd=cost_usd,
            seconds=1.0,
            cut=cut,
        )
        return self.tell(fact, after=after)

    def refuse(self, limit: ModelLimit = "cost_usd", after: float = 0.01) -> list[Action]:
        return self.tell(ModelRefused(limit=limit, message="microloop: no more of it"), after=after)

    def called(self, tool: str, command: str | None = None, **arguments: Any) -> str:
        """A tool call without a result yet; its id."""
        self.made += 1
        text = json.dumps(arguments or {"command": command})
        call_id = f"call-{self.made}"
        self.tell(ToolCalled(call=self.asked, id=call_id, tool=tool, arguments=text, command=command))
        return call_id

    def returned(self, call_id: str, output: str = "same", *, failed: bool = False) -> list[Action]:
        signals = Signals(output_digest=output, lines=1, new_lines=int(output not in self.outputs))
        self.outputs.add(output)
        fact = ToolAnswered(call=self.asked, id=call_id, bytes=4, failed=failed, signals=signals)
        return self.tell(fact)

    def tool(self, tool: str, output: str = "same", **arguments: Any) -> list[Action]:
        """One tool call that no process runs, from call to result."""
        return self.returned(self.called(tool, **arguments), output)

    def starts(self, *argv: str) -> Verdict:
        """A step of these words begins."""
        said = self.tell(exec_fact(self._next(), *argv))
        return next(action for action in said if isinstance(action, Verdict))


def verdict_in(said: list[Action]) -> ToolVerdict:
    return next(action for action in said if isinstance(action, ToolVerdict))
