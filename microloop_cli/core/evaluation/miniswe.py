"""mini-swe-agent's message lists as runs: with tool calls (2.x) or one fenced block a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from microloop_cli.core.evaluation.trajectory import MESSAGE, ForeignStep, Trajectory

_BLOCK = re.compile(r"```(?:bash|mswea_bash_command)\s*\n(.*?)\n```", re.DOTALL)
_RETURN_CODE = re.compile(r"<returncode>\s*(-?\d{1,9})\s*</returncode>")


class _Action(msgspec.Struct, frozen=True):
    command: str = ""


class _Extra(msgspec.Struct, frozen=True):
    """What 2.x keeps beside a message."""

    actions: tuple[_Action, ...] | None = None
    raw_output: str | None = None
    returncode: int | None = None
    cost: float | None = None
    timestamp: float | None = None


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _ToolCall(msgspec.Struct, frozen=True):
    function: _Function = _Function()


class Message(msgspec.Struct, frozen=True):
    """One message of the conversation; `content` may be text or parts of it."""

    role: str = ""
    content: Any = None
    tool_calls: tuple[_ToolCall, ...] | None = None
    extra: _Extra | None = None


class MiniSweAgent(msgspec.Struct, frozen=True):
    messages: tuple[Message, ...]
    instance_id: str | None = None


def from_messages(run: MiniSweAgent, name: str) -> Trajectory:
    """Each command asked for is a step with the message that answers it; text alone is not judged."""
    steps: list[ForeignStep] = []
    messages = run.messages
    for at, message in enumerate(messages):
        if message.role != "assistant":
            continue
        answers = _answers(messages, at + 1)
        commands = _commands(message)
        cost = message.extra.cost if message.extra is not None else None
        if not commands:
            said = f"<message> {_text(message.content)}"
            observed = _text(next(answers, Message()).content)
            steps.append(
                ForeignStep(
                    step=len(steps) + 1, action=said, observation=observed, tool=MESSAGE, cost_usd=cost
                )
            )
            continue
        before = message.extra.timestamp if message.extra is not None else None
        for command in commands:
            answer = next(answers, Message())
            steps.append(_step(len(steps) + 1, command, answer, cost, before))
            cost, before = None, answer.extra.timestamp if answer.extra is not None else None
    return Trajectory(id=run.instance_id or name, steps=tuple(steps))


def _step(
    number: int, command: str, answer: Message, cost: float | None, before: float | None
) -> ForeignStep:
    extra = answer.extra or _Extra()
    text = _text(answer.content)
    code = _RETURN_CODE.search(text[:2000])
    took = extra.timestamp - before if extra.timestamp is not None and before is not None else None
    return ForeignStep(
        step=number,
        action=command,
        observation=extra.raw_output if extra.raw_output is not None else _output(text),
        exit_code=extra.returncode if extra.returncode is not None else int(code[1]) if code else None,
        seconds=max(0.0, took) if took is not None else None,
        cost_usd=cost,
    )


def _answers(messages: tuple[Message, ...], start: int) -> Iterator[Message]:
    """The messages up to the next one of the agent."""
    for message in messages[start:]:
        if message.role not in {"user", "tool"}:
            return
        yield message


def _commands(message: Message) -> list[str]:
    if message.extra is not None and message.extra.actions is not None:
        return [action.command for action in message.extra.actions]
    if message.tool_calls:
        return [command for call in message.tool_calls if (command := _argument(call.function)) is not None]
    blocks = _BLOCK.findall(_text(message.content))
    return [blocks[0].strip()] if len(blocks) == 1 else []


def _argument(function: _Function) -> str | None:
    try:
        found = msgspec.json.decode(function.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    command = found.get("command") if isinstance(found, dict) else None
    return command if isinstance(command, str) else None


def _output(text: str) -> str:
    """What stands between the output's tags, else the whole."""
    start, end = text.find("<output>"), text.rfind("</output>")
    return text[start + len("<output>") : end].strip("\n") if 0 <= start < end else text


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else None for part in content)
    return "\n".join(part for part in parts if isinstance(part, str))
