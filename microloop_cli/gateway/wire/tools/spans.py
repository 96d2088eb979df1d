"""Finds where values stand in JSON text, so that they can be changed without touching a byte around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

# Keys and indexes from the top of a document down to a value.
Path: TypeAlias = tuple["str | int", ...]
Span: TypeAlias = tuple[int, int]

_SPACE = re.compile(rb"[ \t\r\n]*")
_BRACKET_OR_STRING = re.compile(rb'["\[\]{}]')
# Whole strings without a backslash, many at a time; not endlessly many, as each takes memory meanwhile.
_STRINGS = re.compile(rb'(?:[^"\[\]{}]*"[^"\\]*"){1,64}')
_SCALAR = re.compile(rb"[^ \t\r\n,\]}]+")
# Not behind a single backslash. Behind more of them it depends on their number: see _string.
_QUOTE = re.compile(rb'"(?<!(?<!\\)\\")')
_QUOTE_MARK, _BACKSLASH = b'"'[0], b"\\"[0]
_OPEN, _CLOSED, _COMMA, _COLON = b"[{", b"]}", b","[0], b":"[0]
_BOM = b"\xef\xbb\xbf"


class _Lost(Exception):
    """The text is not the JSON it was taken for."""


class _Node:
    def __init__(self) -> None:
        self.below: dict[str | int, _Node] = {}
        self.path: Path | None = None


def spans(body: bytes, paths: Iterable[Path]) -> dict[Path, Span] | None:
    """Start and end of the values at `paths`, in time linear in the body; a key that stands twice counts the
    last time. None when one is not found, or when the body is no UTF-8 JSON. Never raises."""
    top = _Node()
    wanted = set(paths)
    for path in wanted:
        node = top
        for step in path:
            node = node.below.setdefault(step, _Node())
        node.path = path
    finder = _Finder(body)
    try:
        finder.value(3 if body.startswith(_BOM) else 0, top)
    except (_Lost, IndexError, ValueError):
        return None
    return finder.found if finder.found.keys() == wanted else None


class _Finder:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self.found: dict[Path, Span] = {}

    def value(self, at: int, node: _Node | None) -> int:
        """Where the value that begins at or after `at` ends. Goes down only where something is wanted."""
        start = self._space(at)
        if node is None or not node.below:
            end = self._skip(start)
        elif self._body[start] == _OPEN[1]:
            end = self._members(start, node)
        elif self._body[start] == _OPEN[0]:
            end = self._elements(start, node)
        else:
            end = self._skip(start)
        if node is not None and node.path is not None:
            self.found[node.path] = (start, end)
        return end

    def _members(self, at: int, node: _Node) -> int:
        at = self._space(at + 1)
        if self._body[at] == _CLOSED[1]:
            return at + 1
        while True:
            end = self._string(at)
            key = _decoded(self._body[at:end])
            colon = self._space(end)
            self._expect(colon, _COLON)
            at = self._space(self.value(colon + 1, node.below.get(key)))
            if self._body[at] == _CLOSED[1]:
                return at + 1
            self._expect(at, _COMMA)
            at = self._space(at + 1)

    def _elements(self, at: int, node: _Node) -> int:
        at = self._space(at + 1)
        if self._body[at] == _CLOSED[0]:
            return at + 1
        index = 0
        while True:
            at = self._space(self.value(at, node.below.get(index)))
            if self._body[at] == _CLOSED[0]:
                return at + 1
            self._expect(at, _COMMA)
            at += 1
            index += 1

    def _skip(self, at: int) -> int:
        mark = self._body[at]
        if mark == _QUOTE_MARK:
            return self._string(at)
        if mark not in _OPEN:
            return _end(_SCALAR.match(self._body, at))
        depth = 0
        while True:
            end = _end(_BRACKET_OR_STRING.search(self._body, at))
            mark = self._body[end - 1]
            if mark == _QUOTE_MARK:
                plain = _STRINGS.match(self._body, at)
                at = plain.end() if plain else self._string(end - 1)
                continue
            at = end
            depth += 1 if mark in _OPEN else -1
            if depth == 0:
                return at

    def _string(self, at: int) -> int:
        self._expect(at, _QUOTE_MARK)
        at += 1
        while True:
            end = _end(_QUOTE.search(self._body, at))
            if end - 1 == at or self._body[end - 2] != _BACKSLASH:
                return end
            before = self._body[at : end - 1]
            if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
                return end
            at = end

    def _space(self, at: int) -> int:
        return _end(_SPACE.match(self._body, at))

    def _expect(self, at: int, mark: int) -> None:
        if self._body[at] != mark:
            raise _Lost


def _end(found: re.Match[bytes] | None) -> int:
    if found is None:
        raise _Lost
    return found.end()


def _decoded(string: bytes) -> Any:
    return json.loads(string) if b"\\" in string else string[1:-1].decode("utf-8", "surrogatepass")
