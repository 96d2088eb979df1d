"""Reads the tool calls out of an answer while it passes."""

from __future__ import annotations

from typing import Protocol

from microloop_cli.gateway.model import Surface
from microloop_cli.gateway.wire.elements import Elements
from microloop_cli.gateway.wire.sse import Splitter
from microloop_cli.gateway.wire.tools.asked_for import AskedFor
from microloop_cli.gateway.wire.tools.call_ids import CallIds
from microloop_cli.gateway.wire.tools.chat_answers import ChatAnswer
from microloop_cli.gateway.wire.tools.other_answers import GenerateAnswer, MessagesAnswer, ResponsesAnswer
from microloop_cli.gateway.wire.tools.tool import ToolCall

MAX_BODY_BYTES = 32 * 2**20


class _Answer(Protocol):
    def event(self, data: bytes) -> list[AskedFor]:
        """Calls that are whole with this event, or all of a body that is not streamed."""

    def end(self) -> list[AskedFor]:
        """What looks whole although nobody said so."""


class CallEvents:
    """The calls of one answer, from the data of its events (or array elements, or its whole body) in order.

    For one who splits the answer anyway. Never raises; holds at most MAX_OPEN calls of MAX_ARGUMENTS.
    """

    def __init__(self, answer: _Answer, ids: CallIds) -> None:
        self._answer = answer
        self._ids = ids

    def event(self, data: bytes) -> tuple[ToolCall, ...]:
        return self._told(self._answer.event(data))

    def finish(self) -> tuple[ToolCall, ...]:
        return self._told(self._answer.end())

    def _told(self, found: list[AskedFor]) -> tuple[ToolCall, ...]:
        return tuple(self._ids.call(each.own, each.name, each.arguments) for each in found)


class CallReader:
    """The calls of one answer, from its bytes, cut anywhere. Holds at most one event, or a body, besides."""

    def __init__(self, events: CallEvents, source: _Source) -> None:
        self._events = events
        self._source = source

    def feed(self, chunk: bytes) -> tuple[ToolCall, ...]:
        """The calls that this chunk makes whole."""
        return self._read(self._source.feed(chunk))

    def finish(self) -> tuple[ToolCall, ...]:
        """The calls that the end makes whole. Calling it twice does no harm."""
        return (*self._read(self._source.finish()), *self._events.finish())

    def _read(self, found: list[bytes]) -> tuple[ToolCall, ...]:
        return tuple(call for data in found for call in self._events.event(data))


class _Source(Protocol):
    def feed(self, chunk: bytes) -> list[bytes]: ...

    def finish(self) -> list[bytes]: ...


class _Stream:
    def __init__(self) -> None:
        self._splitter = Splitter()

    def feed(self, chunk: bytes) -> list[bytes]:
        return [item.data for item in self._splitter.feed(chunk) if item.data is not None]

    def finish(self) -> list[bytes]:
        return [item.data for item in self._splitter.finish() if item.data is not None]


class _Objects:
    """A JSON array's elements one by one; a single object is one, too."""

    def __init__(self) -> None:
        self._elements = Elements()

    def feed(self, chunk: bytes) -> list[bytes]:
        return self._elements.feed(chunk)

    def finish(self) -> list[bytes]:
        self._elements.finish()
        return []


class _Body:
    def __init__(self) -> None:
        self._held = bytearray()
        self._too_large = False

    def feed(self, chunk: bytes) -> list[bytes]:
        self._too_large = self._too_large or len(self._held) + len(chunk) > MAX_BODY_BYTES
        if self._too_large:
            self._held.clear()
        else:
            self._held += chunk
        return []

    def finish(self) -> list[bytes]:
        whole = bytes(self._held)
        self._held.clear()
        return [whole] if whole else []


class _Nothing:
    def event(self, data: bytes) -> list[AskedFor]:
        return []

    def end(self) -> list[AskedFor]:
        return []


def call_events(surface: Surface, ids: CallIds | None = None) -> CallEvents:
    """ids: those of the request's history (History.ids): they make the id of a call without one the same that
    `results` gives it later."""
    return CallEvents(_answer(surface), CallIds(surface) if ids is None else ids.copy())


def call_reader(surface: Surface, stream: bool, content_type: str, ids: CallIds | None = None) -> CallReader:
    """A reader for one answer with a good status. stream: as it was asked; the content type decides, as for
    the meter. ids: see call_events. Surface "other" has no calls."""
    return CallReader(call_events(surface, ids), _source(surface, stream, content_type))


def _answer(surface: Surface) -> _Answer:
    if surface == "chat":
        return ChatAnswer()
    if surface == "responses":
        return ResponsesAnswer()
    if surface == "messages":
        return MessagesAnswer()
    return GenerateAnswer() if surface == "generate" else _Nothing()


def _source(surface: Surface, stream: bool, content_type: str) -> _Source:
    kind = content_type.partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if kind == "text/event-stream" or (stream and not is_json):
        return _Stream()
    return _Objects() if surface == "generate" else _Body()
