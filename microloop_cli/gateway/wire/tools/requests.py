"""Tool calls and results in the history that a request carries, in each wire format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.reading import decode, items, member
from microloop_cli.gateway.wire.tools.asked_for import (
    AskedFor,
    of_chat,
    of_generate,
    of_messages,
    of_responses,
)
from microloop_cli.gateway.wire.tools.conversation import Conversation, Form, Slot
from microloop_cli.gateway.wire.tools.parts import content_text, medium
from microloop_cli.gateway.wire.tools.spans import Path
from microloop_cli.gateway.wire.tools.texts import clean, odd_text, shell_text

# A larger body is not read, nor one of so many JSON values that it would hold up all else.
MAX_BODY_BYTES = 32 * 2**20
MAX_VALUES = 500_000
_SURELY_FEW_BYTES = 2**20
# Of these the number of values is at most the sum; the last slows down the search for a string's end.
_MARKS = (b",", b"[", b"{", b'\\\\"')


class _Request(msgspec.Struct):
    messages: Any = None
    input: Any = None
    contents: Any = None


def read(surface: Surface, body: bytes) -> Conversation:
    """All tool calls and results of a request. Nothing for what cannot be read. Never raises."""
    conversation = Conversation(surface)
    reader = _READERS.get(surface)
    if reader is None or reader[0] not in body or not _readable(body):
        return conversation
    request = decode(body, _Request)
    if request is not None:
        reader[1](conversation, request)
    return conversation


def _readable(body: bytes) -> bool:
    if len(body) > MAX_BODY_BYTES:
        return False
    return len(body) <= _SURELY_FEW_BYTES or sum(body.count(mark) for mark in _MARKS) <= MAX_VALUES


def _chat(conversation: Conversation, request: _Request) -> None:
    for index, message in enumerate(items(request.messages)):
        role = member(message, "role")
        if role in ("tool", "function"):
            own, name = clean(message.get("tool_call_id")), clean(message.get("name"))
            slot = _slot(("messages", index), message, "content")
            conversation.answered(own, name, content_text(slot.value), slot)
            continue
        older = member(message, "function_call")
        calls = [*items(member(message, "tool_calls")), *([{"function": older}] if older else [])]
        if calls:
            conversation.turn()
            _add(conversation, (of_chat(call) for call in calls))
        elif role == "user":
            _beside(conversation, member(message, "content"))


def _responses(conversation: Conversation, request: _Request) -> None:
    for index, item in enumerate(items(request.input)):
        kind = clean(member(item, "type"))
        if kind in _OUTPUTS:
            in_list = kind == "shell_call_output" and isinstance(item.get("output"), list)
            slot = _slot(("input", index), item, "output", "shell" if in_list else "input_text")
            whole = shell_text(slot.value) if in_list else content_text(slot.value)
            own = clean(item.get("call_id") or item.get("id"))
            conversation.answered(own, "", whole, slot, failed=item.get("status") == "failed")
        elif kind.endswith("_call"):
            _add(conversation, [of_responses(item)])
        elif member(item, "role") == "user":
            _beside(conversation, item.get("content"))


_OUTPUTS = frozenset(
    f"{tool}_output"
    for tool in ("function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call")
)


def _messages(conversation: Conversation, request: _Request) -> None:
    for index, message in enumerate(items(request.messages)):
        for place, block in enumerate(items(member(message, "content"))):
            if member(block, "type") == "tool_result":
                slot = _slot(("messages", index, "content", place), block, "content")
                whole, own = content_text(slot.value), clean(block.get("tool_use_id"))
                conversation.answered(own, "", whole, slot, failed=block.get("is_error") is True)
            else:
                _add(conversation, [of_messages(block)])
                _beside(conversation, [block])


def _generate(conversation: Conversation, request: _Request) -> None:
    for index, content in enumerate(items(request.contents)):
        if member(content, "role") == "model":
            conversation.turn()
        for place, part in enumerate(items(member(content, "parts"))):
            key = "functionResponse" if member(part, "functionResponse") else "function_response"
            answer = member(part, key)
            if isinstance(answer, dict):
                slot = _slot(("contents", index, "parts", place, key), answer, "response", "response")
                whole, failed = _response_text(slot.value)
                own, name = clean(answer.get("id")), clean(answer.get("name"))
                conversation.answered(own, name, whole, slot, failed=failed)
                _beside(conversation, answer.get("parts"))
            else:
                _add(conversation, [of_generate(part)])
                _beside(conversation, [part])


def response_key(response: Any) -> str | None:
    """Which member of Gemini's response object is the text; None when no single one is."""
    texts = [key for key in ("error", "output", "result") if isinstance(member(response, key), str)]
    return texts[0] if texts else None


def _response_text(response: Any) -> tuple[str, bool]:
    key = response_key(response)
    if key is None:
        return odd_text(response), bool(member(response, "error"))
    both = [clean(response[each]) for each in ("output", "error") if isinstance(response.get(each), str)]
    return "\n".join(both) or clean(response[key]), bool(response.get("error"))


def _beside(conversation: Conversation, parts: Any) -> None:
    """Where a result can hold no image, it comes behind it: a constant text says nothing of it."""
    for part in items(parts) if conversation.held else ():
        said = medium(part)
        if said is not None:
            conversation.beside(said)


def _slot(at: Path, holder: dict[str, Any], key: str, form: Form = "text") -> Slot:
    return Slot(at, key, holder.get(key, msgspec.UNSET), form)


def _add(conversation: Conversation, calls: Any) -> None:
    found: AskedFor | None
    for found in calls:
        if found is not None:
            conversation.called(found.own, found.name, found.arguments)


# With a word that stands in every request that has a tool call.
_READERS: dict[Surface, tuple[bytes, Callable[[Conversation, _Request], None]]] = {
    "chat": (b"_call", _chat),
    "responses": (b"_call", _responses),
    "messages": (b"tool_", _messages),
    "generate": (b"unction", _generate),
}
