"""Splits a stream of server-sent events as it arrives, losing no byte of it.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re

import msgspec

MAX_EVENT_BYTES = 16 * 2**20

# A CR that an LF follows is half of one line end. At the end of the buffer nobody knows yet: see _end.
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\n)")
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_LONGEST_END = 4
_BOM = b"\xef\xbb\xbf"


class Item(msgspec.Struct, frozen=True):
    """A piece of the stream: an event with its blank line, or a comment or blank line between events.

    The `raw` of all items, joined, is the stream. data: the event's data lines joined with LF, None when it
    has none. unread: the event, or this part of it, was too large to be read.
    """

    raw: bytes
    data: bytes | None = None
    unread: bool = False


class Splitter:
    """Feed it chunks cut anywhere: it gives the same items, but for how unread events are cut up.

    Holds at most `max_event_bytes` and one chunk.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._passing: re.Pattern[bytes] | None = None  # the end to look for while a too large item passes

    def feed(self, chunk: bytes) -> list[Item]:
        """The items that this chunk completes."""
        self._buffer += chunk
        return self._complete(last=False)

    def finish(self) -> list[Item]:
        """What is left when the stream ends; an event without its blank line is read as if it had one."""
        items = self._complete(last=True)
        if self._buffer:
            items.append(self._item(bytes(self._buffer)))
            self._buffer.clear()
        return items

    def _complete(self, *, last: bool) -> list[Item]:
        items: list[Item] = []
        start = 0
        while start < len(self._buffer):
            end = self._end(start, last)
            if end is None:
                break
            items.append(self._item(bytes(self._buffer[start:end])))
            self._passing = None
            self._scanned = start = end
        del self._buffer[:start]
        self._scanned -= start
        if len(self._buffer) > self._max_event_bytes or self._passing:
            items += self._pass_on()
        return items

    def _end(self, start: int, last: bool) -> int | None:
        found = self._pattern(start).search(self._buffer, self._scanned)
        if found is None:
            self._scanned = max(start, len(self._buffer) - _LONGEST_END + 1)
            return None
        if found.end() == len(self._buffer) and self._buffer[-1:] == b"\r" and not last:
            self._scanned = found.start()  # an LF may follow and belong to it
            return None
        return found.end()

    def _pattern(self, start: int) -> re.Pattern[bytes]:
        """Comments and blank lines between events go out line by line, so that keep-alives are not held."""
        if self._passing:
            return self._passing
        return _LINE_END if self._buffer[start] in b":\r\n" else _EVENT_END

    def _item(self, raw: bytes) -> Item:
        if self._passing or len(raw) > self._max_event_bytes:
            return Item(raw, unread=True)
        return Item(raw, _data_of(raw))

    def _pass_on(self) -> list[Item]:
        """Lets a too large event go, but for the bytes in which its end may begin."""
        if not self._buffer:
            return []
        self._passing = self._pattern(0)
        size = len(self._buffer) - _LONGEST_END + 1
        if size <= 0:
            return []
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._scanned = 0
        return [Item(raw, unread=True)]


def _data_of(raw: bytes) -> bytes | None:
    if raw[:1] == b":":
        return None
    if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return raw[6:-2]  # as most are
    lines = []
    for line in _LINE_END.split(raw.removeprefix(_BOM)):
        if line.startswith(b"data:"):
            lines.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            lines.append(b"")
    return b"\n".join(lines) if lines else None
