"""Meters: they read an answer while it passes. One for event streams, JSON arrays, bodies and errors each.

Call finish() before the last usage(), also when the answer was cut or the client is gone: what was not read
yet counts then. What finish() gives of a cut answer is not sent on. Calling it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable

from microloop_cli.gateway.model import Asked, Usage
from microloop_cli.gateway.wire.elements import Elements
from microloop_cli.gateway.wire.sse import Item, Splitter
from microloop_cli.gateway.wire.tally import Seen, Tally

# A body beyond this is counted by its size: no model writes so much.
MAX_BODY_BYTES = 32 * 2**20

Read = Callable[[bytes], Seen | None]


class _Counting:
    """What the meters share. Where nothing is told, a model call costs an estimate; another call nothing."""

    def __init__(self, asked: Asked, read: Read) -> None:
        self._asked = asked
        self._read = read
        self._tally = Tally()
        self._begun = False

    def usage(self) -> Usage | None:
        """None before the first byte or the end; of an "other" call also while it told none."""
        silent = not self._begun if self._is_model_call() else not self._tally.said_anything
        return None if silent else self._tally.usage(self._asked.input_estimate_tokens)

    def seen_output_tokens(self) -> int:
        return self._tally.output_tokens()

    def _is_model_call(self) -> bool:
        return self._asked.surface != "other"

    def _add(self, data: bytes) -> Seen | None:
        seen = self._read(data)
        if seen is None:
            self._tally.add_unread(len(data))
        else:
            self._tally.add(seen)
        return seen


class StreamMeter(_Counting):
    """Server-sent events. Only whole events are passed on, so that a cut falls between two."""

    def __init__(self, asked: Asked, read: Read) -> None:
        super().__init__(asked, read)
        self._splitter = Splitter()

    def feed(self, chunk: bytes) -> bytes:
        self._begun = self._begun or bool(chunk)
        return self._passed(self._splitter.feed(chunk))

    def finish(self) -> bytes:
        self._begun = True
        return self._passed(self._splitter.finish())

    def _passed(self, items: list[Item]) -> bytes:
        return b"".join([item.raw for item in items if not self._hides(item)])

    def _hides(self, item: Item) -> bool:
        if item.unread:
            self._tally.add_unread(len(item.raw))
        elif item.data is None and item.raw[:1] in (b"{", b"["):
            self._tally.add_unread(len(item.raw))  # no event at all, but an answer that says it is a stream
        if item.data is None:
            return False
        seen = self._add(item.data)
        return self._asked.adds_usage and seen is not None and seen.usage_only

    def _is_model_call(self) -> bool:
        return True  # whatever its path: nothing else streams events


class ArrayMeter(_Counting):
    """A JSON array whose elements arrive one by one."""

    def __init__(self, asked: Asked, read: Read) -> None:
        super().__init__(asked, read)
        self._elements = Elements()
        self._counted_unread = 0

    def feed(self, chunk: bytes) -> bytes:
        self._begun = self._begun or bool(chunk)
        for element in self._elements.feed(chunk):
            self._add(element)
        self._count_unread()
        return chunk

    def finish(self) -> bytes:
        self._begun = True
        self._elements.finish()
        self._count_unread()
        return b""

    def _count_unread(self) -> None:
        self._tally.add_unread(self._elements.unread_bytes - self._counted_unread)
        self._counted_unread = self._elements.unread_bytes


class BodyMeter(_Counting):
    """One JSON document: passed on at once, read at the end."""

    def __init__(self, asked: Asked, read: Read) -> None:
        super().__init__(asked, read)
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        self._begun = self._begun or bool(chunk)
        self._size += len(chunk)
        if self._size <= MAX_BODY_BYTES:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()
        return chunk

    def finish(self) -> bytes:
        self._begun = True
        chunks, self._chunks = self._chunks, []
        if self._size > MAX_BODY_BYTES:
            self._tally.add_unread(self._size)
        elif self._size:
            self._add(b"".join(chunks))
        self._size = 0
        return b""


class SilentMeter:
    """Errors, redirects, and reading what was made before: they cost nothing."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> bytes:
        return b""

    def usage(self) -> Usage | None:
        return None

    def seen_output_tokens(self) -> int:
        return 0
