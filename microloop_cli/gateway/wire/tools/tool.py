"""What a tool call and its result are, whatever the wire format. Pure."""

from __future__ import annotations

import msgspec


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The model asks for a tool. id: the provider's own, or made up where a format has none (the same each
    time the same history passes). arguments: JSON text, as the model wrote it. conversation: the model call
    in which its conversation began to ask for tools; 0: not known."""

    id: str
    name: str
    arguments: str
    conversation: int = 0


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gave. `call`: the call it answers, as the history in the same request has it; None when it
    is not there. text: its text parts, one after the other, without the middle when they are long;
    size_bytes: of all of it, in UTF-8. failed: the agent said it is an error."""

    id: str
    text: str
    failed: bool = False
    call: ToolCall | None = None
    size_bytes: int = 0
