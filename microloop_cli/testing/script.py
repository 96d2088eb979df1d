"""What a scripted model says next: decided from the request alone, so retries do no harm."""

from __future__ import annotations

from typing import Any

import msgspec

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
_SHELL_TOOLS = ("exec_command", "shell_command", "bash", "Bash", "shell", "run_shell_command")
_COMMAND_NAMES = ("command", "cmd")


class Tool(msgspec.Struct, frozen=True):
    """A tool the agent offers: its name and the JSON schema of its arguments."""

    name: str
    schema: dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """One request, whatever its wire format: how many tool results it holds and which tools it offers.

    `submits` is True when the agent's prompt asks for a closing command (mini-swe-agent).
    """

    model: str
    results: int
    tools: tuple[Tool, ...]
    stream: bool
    submits: bool = False


class ToolUse(msgspec.Struct, frozen=True):
    """A tool the script wants used, other than the shell: its name (or the first of several that the agent
    offers) and its arguments."""

    tools: tuple[str, ...]
    arguments: dict[str, Any]


class Call(msgspec.Struct, frozen=True):
    """A tool call of the answer; `call_id` is unique in the conversation."""

    call_id: str
    tool: str
    arguments: dict[str, Any]


class Reply(msgspec.Struct, frozen=True):
    """The answer: a tool call, or a text and nothing more."""

    text: str
    call: Call | None = None


class Script(msgspec.Struct, frozen=True):
    """Commands (and other tools) asked for in turn, then `final`; with `forever` the last one again.

    `most` turns are the end in any case, so that an agent nothing stops does not run for hours.
    """

    commands: tuple[str | ToolUse, ...]
    final: str = "All done."
    forever: bool = False
    most: int = 60

    def reply(self, asked: Asked) -> Reply:
        """The next command as a call of the agent's shell tool; plain text when it offers none."""
        tool = shell_tool(asked.tools)
        if tool is None:
            return Reply("A scripted session.")
        command = self._command(asked)
        if command is None:
            return Reply(self.final)
        name, arguments = tool.name, {}
        if isinstance(command, str):
            arguments = arguments_for(tool, command)
        else:
            offered = {one.name for one in asked.tools}
            name = next((one for one in command.tools if one in offered), command.tools[0])
            arguments = command.arguments
        return Reply("", Call(f"call_{asked.results + 1:04d}", name, arguments))

    def _command(self, asked: Asked) -> str | ToolUse | None:
        turn = asked.results
        if turn < len(self.commands):
            return self.commands[turn]
        if self.forever and self.commands and turn < self.most:
            return self.commands[-1]
        return SUBMIT if asked.submits and turn <= max(len(self.commands), self.most) else None


def shell_tool(tools: tuple[Tool, ...]) -> Tool | None:
    """The tool that runs a shell command, by the names agents give it."""
    by_name = {tool.name: tool for tool in tools}
    return next((by_name[name] for name in _SHELL_TOOLS if name in by_name), None)


def arguments_for(tool: Tool, command: str) -> dict[str, Any]:
    """Arguments for a call that runs `command`: it, and something for every other required one."""
    properties: dict[str, Any] = tool.schema.get("properties", {})
    key = next((name for name in _COMMAND_NAMES if name in properties), "command")
    arguments = {name: _filler(properties.get(name, {})) for name in tool.schema.get("required", [])}
    arguments[key] = command
    if "yield_time_ms" in properties:
        arguments["yield_time_ms"] = 30_000
    return arguments


def _filler(schema: dict[str, Any]) -> Any:
    fillers: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
    return fillers.get(str(schema.get("type")), "run the scripted command")
