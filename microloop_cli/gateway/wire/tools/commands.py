"""The shell command that a tool call is to run, as the agents there are spell it."""

from __future__ import annotations

import re
import shlex
from typing import Any

from microloop_cli.gateway.wire.reading import decode, member
from microloop_cli.gateway.wire.tools.texts import clean
from microloop_cli.gateway.wire.tools.tool import ToolCall

# By the last part of the name ("developer__shell", "container.exec"), in small letters.
_SHELL_TOOLS = frozenset(
    {
        "bash",  # claude, opencode, pi, mini-swe-agent, swe-agent, crush, Anthropic's own
        "bash_command",
        "exec",  # codex, earlier
        "exec_command",  # codex
        "execute",  # droid
        "execute_bash",  # openhands
        "execute_command",  # cline, roo
        "execute_shell_command",
        "local_shell",  # the Responses API's own
        "powershell",
        "run_bash",
        "run_command",
        "run_in_terminal",  # copilot
        "run_shell",
        "run_shell_command",  # gemini, qwen
        "run_terminal_cmd",  # cursor
        "run_terminal_command",
        "sh",
        "shell",  # codex, goose, kimi
        "shell_command",  # codex
        "shell_exec",
        "terminal",  # openhands, zed
    }
)
_NAME_PARTS = re.compile(r"__|[.:/]")
_KEYS = ("command", "cmd", "commands", "script")
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash"})
_FLAGS = re.compile(r"-[a-z]+")


def command_of(call: ToolCall) -> str | None:
    """The command, with the wrappers it came in; `bash -lc X` as a list is X. None for any other tool, and
    where there is none: input for what runs already, arguments that cannot be read."""
    if not is_shell(call.name):
        return None
    arguments = decode(call.arguments.encode("utf-8", "replace"), dict[str, Any])
    if arguments is None or _is_input(arguments):
        return None
    holders = (arguments, member(arguments, "action"))
    given = next((found for holder in holders for key in _KEYS if (found := member(holder, key))), None)
    if isinstance(given, list):
        lists_commands = member(arguments, "action", "commands") is given
        return _joined(given, are_commands=lists_commands or arguments.get("commands") is given)
    return clean(given).strip() or None


def is_shell(name: str) -> bool:
    """Whether a tool of that name runs shell commands."""
    return _NAME_PARTS.split(name)[-1].lower() in _SHELL_TOOLS


def _is_input(arguments: dict[str, Any]) -> bool:
    """OpenHands types into a program that runs with the same tool."""
    return arguments.get("is_input") in (True, "true", "True")


def _joined(given: list[Any], *, are_commands: bool) -> str | None:
    words = [clean(word) for word in given if isinstance(word, str)]
    if len(words) != len(given):
        return None
    if are_commands:
        return "\n".join(words).strip() or None
    flags = words[1:-1]
    wraps = words[0].rpartition("/")[2] in _SHELLS and bool(flags) and flags[-1].endswith("c")
    if wraps and all(_FLAGS.fullmatch(flag) for flag in flags):
        return words[-1].strip() or None
    return shlex.join(words)
