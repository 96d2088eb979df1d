"""Ids of tool calls: the provider's own; one made up where there is none; no id twice in a conversation."""

from __future__ import annotations

import hashlib

import msgspec

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.tool import ToolCall


class CallIds:
    """Gives the calls of one conversation their ids, in their order: the same calls have the same ids again.

    A call without an id is named after what it asks for, so that other conversations of the same run have
    other ids. Where an id came before (some servers count anew in each answer), "~2" is added, then "~3".
    """

    def __init__(self, surface: Surface = "chat") -> None:
        # Gemini's ids need not last: gemini-cli writes its own into the history in place of none.
        self._lasting = surface != "generate"
        self._uses: dict[str, int] = {}

    def call(self, own: str, name: str, arguments: str) -> ToolCall:
        made = own if own and self._lasting else f"{name}-{digest(canonical(arguments))}"
        uses = self._uses[made] = self._uses.get(made, 0) + 1
        return ToolCall(id=made if uses == 1 else f"{made}~{uses}", name=name, arguments=arguments)

    def copy(self) -> CallIds:
        """What goes on from here by itself: for an answer, which may be asked for again."""
        other = CallIds()
        other._lasting = self._lasting
        other._uses = dict(self._uses)
        return other


def canonical(arguments: str) -> str:
    """The same for the same arguments, however an agent writes them: order of keys, spaces, 1 or 1.0."""
    try:
        value = msgspec.json.Decoder(float_hook=_number).decode(arguments)
        return msgspec.json.encode(value, order="sorted").decode()
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        return arguments


def _number(written: str) -> float | int:
    value = float(written)
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def digest(written: str) -> str:
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()[:12]
