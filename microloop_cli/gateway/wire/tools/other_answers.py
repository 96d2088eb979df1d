"""Tool calls in answers of Responses, Messages and Gemini's generateContent: events and whole bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from microloop_cli.gateway.wire.reading import decode, items, member
from microloop_cli.gateway.wire.tools.asked_for import AskedFor, of_generate, of_messages, of_responses
from microloop_cli.gateway.wire.tools.pending import MAX_OPEN, Pending
from microloop_cli.gateway.wire.tools.texts import clean

_MOST_TOLD = 10_000


class _Responses(msgspec.Struct):
    type: Any = None
    item: Any = None
    output: Any = None
    response: Any = None


class ResponsesAnswer:
    """A call is whole with its finished item; the finished response has them again."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def event(self, data: bytes) -> list[AskedFor]:
        if b"_call" not in data:
            return []
        event = decode(data, _Responses)
        if event is None:
            return []
        if event.type == "response.output_item.done":
            return self._new([event.item], again=False)
        if event.type in ("response.completed", "response.incomplete"):
            return self._new(items(member(event.response, "output")), again=True)
        return self._new(items(event.output), again=False)

    def end(self) -> list[AskedFor]:
        return []

    def _new(self, found: list[Any], *, again: bool) -> list[AskedFor]:
        calls = _those(of_responses(item) for item in found if member(item, "status") != "incomplete")
        new = [call for call in calls if call.own not in self._told or not (call.own or again)]
        if len(self._told) < _MOST_TOLD:
            self._told.update(call.own for call in new)
        return new


class _Messages(msgspec.Struct):
    type: Any = None
    index: Any = None
    content: Any = None
    content_block: Any = None
    delta: Any = None


class MessagesAnswer:
    """A call is whole when its block stops."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Pending, str]] = {}  # by index, with the input it began with

    def event(self, data: bytes) -> list[AskedFor]:
        if not self._open and b"tool_use" not in data:
            return []
        event = decode(data, _Messages)
        if event is None:
            return []
        if isinstance(event.content, list):
            return _those(of_messages(block) for block in items(event.content))
        if not isinstance(event.index, int):
            return []
        if event.type == "content_block_start":
            self._start(event.index, event.content_block)
        elif event.type == "content_block_delta" and event.index in self._open:
            self._open[event.index][0].add(clean(member(event.delta, "partial_json")))
        elif event.type == "content_block_stop" and event.index in self._open:
            pending, began_with = self._open.pop(event.index)
            return [pending.asked_for(began_with)]
        return []

    def end(self) -> list[AskedFor]:
        """Some servers forget to say that a block stops."""
        left, self._open = self._open, {}
        return [left[index][0].asked_for() for index in sorted(left) if left[index][0].looks_whole()]

    def _start(self, index: int, block: Any) -> None:
        began = of_messages(block)
        if began is not None and len(self._open) < MAX_OPEN:
            self._open[index] = (Pending(began.own, began.name), began.arguments)


class _Generate(msgspec.Struct):
    candidates: Any = None


class GenerateAnswer:
    """Each part is whole."""

    def event(self, data: bytes) -> list[AskedFor]:
        piece = decode(data, _Generate) if b"unction" in data else None
        contents = [member(each, "content", "parts") for each in items(piece.candidates if piece else None)]
        return _those(of_generate(part) for parts in contents for part in items(parts))

    def end(self) -> list[AskedFor]:
        return []


def _those(found: Iterable[AskedFor | None]) -> list[AskedFor]:
    return [call for call in found if call is not None]
