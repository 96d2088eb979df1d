"""The tool calls and results of a request's history, each result with the call it answers."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

import msgspec

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.tools.call_ids import CallIds, digest
from microloop_cli.gateway.wire.tools.spans import Path
from microloop_cli.gateway.wire.tools.texts import clean, shortened, size_bytes
from microloop_cli.gateway.wire.tools.tool import ToolCall, ToolResult

# How a result holds its text: a string or parts; an object of Gemini's; a list of what commands wrote.
Form = Literal["text", "input_text", "response", "shell"]
MOST_BESIDE = 32


class Slot(msgspec.Struct, frozen=True):
    """Where a result's text stands: the value of `key` in the object at `at`, UNSET when it is missing.

    form: "text" and "input_text" are also what a part of that content is called.
    """

    at: Path
    key: str
    value: Any
    form: Form


class Held(msgspec.Struct, frozen=True):
    """A result and where in the request it stands."""

    result: ToolResult
    slot: Slot


class Conversation:
    """Told of calls and results in their order. Time and memory are linear in their number."""

    def __init__(self, surface: Surface) -> None:
        self.ids = CallIds(surface)
        self.held: list[Held] = []
        self._by_own: dict[str, deque[ToolCall]] = {}  # open ones
        self._last: dict[str, ToolCall] = {}  # by own id, the one that was answered last
        self._without: deque[ToolCall] = deque()  # open ones of this turn that have no id of their own
        self._without_by_name: dict[str, deque[ToolCall]] = {}
        self._answered: set[str] = set()
        self._lone: dict[str, int] = {}
        self._beside = 0

    def turn(self) -> None:
        """The model speaks again: calls without an id that nobody answered stay so."""
        self._without.clear()
        self._without_by_name.clear()

    def called(self, own: str, name: str, arguments: str) -> None:
        self._beside = MOST_BESIDE
        call = self.ids.call(own, name, arguments)
        if own:
            self._by_own.setdefault(own, deque()).append(call)
        else:
            self._without.append(call)
            self._without_by_name.setdefault(name, deque()).append(call)

    def answered(self, own: str, name: str, whole: str, slot: Slot, *, failed: bool = False) -> None:
        """A result with its whole text. own: the call's id as the result has it; name: the tool's, or ""."""
        call = self._call_of(own, name)
        result = ToolResult(
            id=call.id if call else own or self._lone_id(name, whole),
            text=shortened(whole),
            failed=failed,
            call=call,
            size_bytes=size_bytes(whole),
        )
        self.held.append(Held(result, slot))
        self._beside = 0

    def beside(self, said: str) -> None:
        """An image behind the last result, as long as the model asked for nothing else: it belongs to it."""
        if not self.held or self._beside >= MOST_BESIDE:
            return
        self._beside += 1
        last = self.held[-1]
        text = f"{last.result.text}\n{said}" if last.result.text else said
        size = last.result.size_bytes + len(text) - len(last.result.text)
        result = msgspec.structs.replace(last.result, text=text, size_bytes=size)
        self.held[-1] = Held(result, last.slot)

    def _call_of(self, own: str, name: str) -> ToolCall | None:
        known = self._by_own.get(own) if own else None
        if known:
            self._last[own] = known.popleft()
        if own in self._last:
            return self._last[own]
        # gemini-cli gives ids of its own to results of calls that had none: there the name tells.
        waiting = self._without_by_name.get(name) if name else None if own else self._without
        while waiting:
            call = waiting.popleft()
            if call.id not in self._answered:
                self._answered.add(call.id)
                return call
        return None

    def _lone_id(self, name: str, whole: str) -> str:
        made = f"result-{clean(name)}-{digest(whole)}"
        times = self._lone[made] = self._lone.get(made, 0) + 1
        return made if times == 1 else f"{made}~{times}"
