"""A tool call in one line for a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from microloop_cli.gateway.wire.reading import decode
from microloop_cli.gateway.wire.tools.commands import command_of
from microloop_cli.gateway.wire.tools.texts import clean, json_text
from microloop_cli.gateway.wire.tools.tool import ToolCall

MAX_CHARACTERS = 200
_MAX_VALUE = 60  # a longer one is cut to _HEAD, and its length told
_HEAD = 30
_MOST_MEMBERS = 20
_CUT = "..."
_PLAIN = re.compile(r"[^\s'\"=]+")
_SPACES = re.compile(r"\s+")


def described(call: ToolCall) -> str:
    """`Read path=a.py offset=10`, `Bash: pytest -q`: one line of at most MAX_CHARACTERS, long values cut."""
    command = command_of(call)
    if command is not None:
        return _one_line(f"{call.name}: {command[: 2 * MAX_CHARACTERS]}")
    arguments = decode(call.arguments.encode("utf-8", "replace"), dict[str, Any])
    if arguments is None:
        return _one_line(f"{call.name} {call.arguments[: 2 * MAX_CHARACTERS]}")
    return _one_line(" ".join([call.name, *_members(arguments)]))


def _members(arguments: dict[str, Any]) -> Iterator[str]:
    for key, value in list(arguments.items())[:_MOST_MEMBERS]:
        yield f"{clean(key)[:_MAX_VALUE]}={_value(value)}"


def _value(value: Any) -> str:
    if not isinstance(value, str):
        written = json_text(value)
        return (
            written if len(written) <= _MAX_VALUE else f"{written[:_HEAD]}{_CUT} ({len(written)} characters)"
        )
    if len(value) <= _MAX_VALUE:
        return value if _PLAIN.fullmatch(value) else f"'{value}'"
    return f"'{value[:_HEAD]}{_CUT}' ({len(value)} characters)"


def _one_line(line: str) -> str:
    line = _SPACES.sub(" ", line).strip()
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - len(_CUT)] + _CUT
