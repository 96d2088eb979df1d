"""Ledgers made by hand of runs that talked to models and to the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from microloop_cli.core.actions import Finding, LimitWarning, Stop, ToolVerdict, Verdict
from microloop_cli.core.events import Stream
from microloop_cli.core.traffic import (
    ModelAnswered,
    ModelAsked,
    ModelLimit,
    ModelRefused,
    NetworkAsked,
    NetworkEnded,
    Tokens,
    ToolAnswered,
    ToolCalled,
)
from tests.view.ledgers import Story

SONNET = "claude-sonnet-4-5"
TOKENS = Tokens(input=1000, cached=800, output=50)


class Talk(Story):
    """A Story with model calls, tool calls and requests."""

    def __init__(self, argv: tuple[str, ...] = ("agent", "--fix"), **more: Any) -> None:
        super().__init__(argv, **more)
        self.calls = 0
        self.requests = 0

    def ask(self, model: str = SONNET) -> int:
        """A model call begins; its number."""
        self.calls += 1
        self.say(ModelAsked(call=self.calls, provider="anthropic", surface="messages", model=model))
        return self.calls

    def answer(
        self,
        call: int,
        cost_usd: str | None = "0.01",
        status: int = 200,
        seconds: float = 2.0,
        tokens: Tokens = TOKENS,
        cut: bool = False,
    ) -> None:
        self.at += seconds
        good = 200 <= status < 300
        self.say(
            ModelAnswered(
                call=call,
                status=status,
                tokens=tokens if good else Tokens(),
                cost_usd=cost_usd if good else None,
                seconds=seconds,
                cut=cut,
            )
        )

    def turn(self, *tools: tuple[str, str, str | None], model: str = SONNET, **answer: Any) -> int:
        """A whole model call that asks for tools: (id, name, command)."""
        call = self.ask(model)
        self.answer(call, **answer)
        for name, tool, command in tools:
            self.tool(call, name, tool, command)
        return call

    def tool(
        self, call: int, name: str, tool: str = "Bash", command: str | None = None, arguments: str = ""
    ) -> None:
        made = {"path": "calc.py"} if command is None else {"command": command}
        text = arguments or json.dumps(made)
        self.say(ToolCalled(call=call, id=name, tool=tool, arguments=text, command=command))

    def ran(
        self, name: str, command: str, exit_code: int = 0, output: bytes = b"out\n", nudge: str = ""
    ) -> int:
        """A process that tool call `name` asked for."""
        exec_id = self.exec("sh", "-c", command, lineage="agent_child", kind="step", parent=1)
        self.steps += 1
        verdict = Verdict(
            exec_id=exec_id, kind="step", allow=True, step=self.steps, command=command, tool_call=name
        )
        self.say(verdict)
        self.end(self.steps, exit_code, output, nudge=nudge)
        return self.steps

    def answered(self, name: str, size: int = 100, step: int | None = None, failed: bool = False) -> None:
        """The result of a tool call that a process ran passes to the model."""
        self.say(ToolAnswered(call=self.calls + 1, id=name, bytes=size, failed=failed))
        self.say(ToolVerdict(id=name, step=step))

    def did(
        self,
        name: str,
        command: str,
        size: int = 100,
        answer: Literal["pass", "append", "replace"] = "pass",
        text: str = "",
        failed: bool = False,
        output: bytes | None = None,
    ) -> int:
        """A tool call that no process ran: a step of its own."""
        self.at += 0.1
        self.steps += 1
        self.say(ToolAnswered(call=self.calls + 1, id=name, bytes=size, failed=failed))
        if answer != "pass":
            done: Literal["nudge", "refuse"] = "nudge" if answer == "append" else "refuse"
            self.say(Finding(detector="repeat", steps=(self.steps,), answer=done, text=text))
        self.say(ToolVerdict(id=name, step=self.steps, command=command, answer=answer, text=text))
        if output is not None:
            self.outputs[self.steps] = output
            self.streams[self.steps] = Stream(
                bytes=len(output), blake2b="0" * 64, head_bytes=len(output), tail_bytes=0
            )
        return self.steps

    def refuse_model(self, limit: ModelLimit, message: str) -> None:
        self.say(ModelRefused(limit=limit, message=message))

    def reach(
        self,
        host: str = "pypi.org",
        rule: str = "pypi",
        method: str = "CONNECT",
        port: int = 443,
        **ended: Any,
    ) -> int:
        """A request that is allowed, and its end."""
        self.requests += 1
        self.say(
            NetworkAsked(
                n=self.requests,
                method=method,
                host=host,
                port=port,
                allowed=True,
                rule=rule,
                address="151.101.0.223",
            )
        )
        self.at += 0.2
        whole: dict[str, Any] = {"sent_bytes": 1200, "received_bytes": 4_000_000, "seconds": 0.2, **ended}
        self.say(NetworkEnded(n=self.requests, **whole))
        return self.requests

    def bar(self, host: str = "evil.example", port: int = 443, **more: Any) -> int:
        """A request that is refused."""
        self.requests += 1
        why = (
            f"microloop: network: {host}:{port} is not allowed: no rule of the policy names it; "
            f"allow it with --allow {host} or under network.allow"
        )
        fields: dict[str, Any] = {"method": "CONNECT", "reason": why, **more}
        self.say(NetworkAsked(n=self.requests, host=host, port=port, allowed=False, **fields))
        return self.requests


def repair_story() -> Talk:
    """An agent that repairs something, reads a file too often, runs out of money and is stopped."""
    talk = Talk(("claude", "-p", "fix the tests"))
    talk.step("git status", output=b"clean\n")
    talk.turn(("t1", "Bash", "pytest -q"), ("t2", "Read", None), cost_usd="0.012")
    talk.answered("t1", 320, talk.ran("t1", "pytest -q", 1, b"1 failed\n"))
    talk.did("t2", "Read calc.py", 240, output=b"def add(a, b):\n    return a - b\n")
    limited = talk.ask()
    talk.answer(limited, status=429, seconds=0.1)
    talk.at += 30.0
    talk.turn(("t3", "Read", None), cost_usd="0.008")
    talk.did(
        "t3", "Read calc.py", 300, "append", "microloop: you have read this file 3 times, and it is the same"
    )
    talk.reach()
    for _ in range(3):
        talk.bar()
    talk.turn(("t4", "Bash", "pytest -q"), model="claude-haiku-4-5", cost_usd=None)
    talk.say(LimitWarning(limit="cost_usd", used=0.02, allowed=0.02))
    talk.answered("t4", 320, talk.ran("t4", "pytest -q", 1, b"1 failed\n"))
    why = "the cost limit of $0.02 is reached ($0.02 used)"
    talk.refuse_model(
        "cost_usd", "microloop: this run's cost limit of $0.0200 (--max-cost) is reached: $0.0200 used"
    )
    talk.say(Stop(outcome="cost_limit", exit_code=122, reason=why))
    talk.finish("cost_limit", 122, why)
    return talk


TALK_ENVIRONMENT = {
    "schema": 1,
    "backend": "bwrap",
    "enforcement": {"enforced": {"filesystem": "mount namespace", "network": "two doors"}, "missing": {}},
    "limits": {
        "steps": None,
        "wall_seconds": 600.0,
        "idle_seconds": None,
        "cost_usd": "0.02",
        "warn_at": 0.8,
    },
}


def written(talk: Talk, workspace: Path, **files: Any) -> Path:
    return talk.write(workspace, **{"environment": TALK_ENVIRONMENT, "changes": [], **files})
