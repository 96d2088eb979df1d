"""Finds the objects of a JSON array as it arrives (Gemini streams without alt=sse)."""

from __future__ import annotations

import re

from microloop_cli.gateway.wire.sse import MAX_EVENT_BYTES

_OUTSIDE = re.compile(rb'["{}]')
_INSIDE = re.compile(rb'["\\]')


class Elements:
    """Feed it chunks cut anywhere. Holds at most one element, of at most `max_element_bytes`."""

    def __init__(self, max_element_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_element_bytes = max_element_bytes
        self._held = bytearray()
        self._size = 0  # of the element so far, also when it is too large to be held
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.unread_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The elements that this chunk completes. What is too large is only added to `unread_bytes`."""
        done: list[bytes] = []
        start = at = 0
        while (at := self._next(chunk, at)) < len(chunk):
            mark = chunk[at]
            at += 1
            if mark == ord("{"):
                start = at - 1 if self._depth == 0 else start
                self._depth += 1
            elif mark == ord("}") and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    self._hold(chunk, start, at)
                    done += self._close()
        if self._depth:
            self._hold(chunk, start, len(chunk))
        return done

    def finish(self) -> None:
        """An element that the end cut off is unread."""
        self.unread_bytes += self._size
        self._size = 0
        self._held.clear()

    def _next(self, chunk: bytes, at: int) -> int:
        """Where the next brace outside of strings is; the length of the chunk when there is none."""
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_INSIDE if self._in_string else _OUTSIDE).search(chunk, at)
            if found is None:
                break
            mark = found.group()
            if mark in b"{}":
                return found.start()
            self._escaped = mark == b"\\"
            # A string outside of all objects is none of ours, and must not hide what follows.
            self._in_string = (not self._in_string if mark == b'"' else self._in_string) and self._depth > 0
            at = found.end()
        return len(chunk)

    def _hold(self, chunk: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size <= self._max_element_bytes:
            self._held += memoryview(chunk)[start:end]
        else:
            self._held.clear()

    def _close(self) -> list[bytes]:
        size, self._size = self._size, 0
        held = bytes(self._held)
        self._held.clear()
        if size > self._max_element_bytes:
            self.unread_bytes += size
            return []
        return [held]
