"""What a tool call is in each wire format: id, name and arguments out of its decoded JSON object."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.gateway.wire.reading import member
from microloop_cli.gateway.wire.tools.texts import arguments_of, clean

# Tools of the Responses API that have no name, and the member that says what they are to do.
_NAMELESS = {
    "local_shell_call": ("local_shell", "action"),
    "shell_call": ("shell", "action"),
    "apply_patch_call": ("apply_patch", "operation"),
}


class AskedFor(msgspec.Struct, frozen=True):
    """A tool call with its id as the format has it, "" for none."""

    own: str
    name: str
    arguments: str


def of_chat(call: Any) -> AskedFor | None:
    """An element of `tool_calls`, or {"function": {...}} around the older `function_call`."""
    free = member(call, "custom")
    if isinstance(free, dict):
        return _named(member(call, "id"), free, _free_text(free.get("input")))
    function = member(call, "function")
    return _named(member(call, "id"), function, arguments_of(member(function, "arguments")))


def of_responses(item: Any) -> AskedFor | None:
    """An item of `input` or `output`. Calls of tools that the provider runs itself are none of ours."""
    kind = clean(member(item, "type"))
    own = member(item, "call_id") or member(item, "id")
    if kind == "function_call":
        return _named(own, item, arguments_of(item.get("arguments")))
    if kind == "custom_tool_call":
        return _named(own, item, _free_text(item.get("input")))
    if kind in _NAMELESS:
        name, key = _NAMELESS[kind]
        return AskedFor(clean(own), name, arguments_of({key: item.get(key)}))
    return None


def of_messages(block: Any) -> AskedFor | None:
    """A block of a message's content."""
    if member(block, "type") != "tool_use":
        return None
    return _named(block.get("id"), block, arguments_of(block.get("input")))


def of_generate(part: Any) -> AskedFor | None:
    """A part of a content; what is streamed in pieces (willContinue) is not whole."""
    call = member(part, "functionCall") or member(part, "function_call")
    if member(call, "willContinue") is True:
        return None
    return _named(member(call, "id"), call, arguments_of(member(call, "args")))


def _named(own: Any, holder: Any, arguments: str) -> AskedFor | None:
    name = clean(member(holder, "name"))
    return AskedFor(clean(own), name, arguments) if name else None


def _free_text(value: Any) -> str:
    """Free text for a custom tool, as JSON."""
    return arguments_of({"input": clean(value)})
