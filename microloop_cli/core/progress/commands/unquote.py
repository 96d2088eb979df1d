"""Words of a shell: the value of a quoted one, and one spelling for a value. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_ESCAPED = re.compile(r"\\(\n|.)", re.DOTALL)
_ESCAPED_IN_STRING = re.compile(r"\\([$`\"\\\n])")
_VARIABLE = re.compile(r"\$(\w+|[?$#@*!-])")
_NEEDS_QUOTES = re.compile(r"[\s'\"\\;|&<>()`#]")


def _escape(match: re.Match[str]) -> str:
    char = match.group(1)
    return "" if char == "\n" else char


def word_of(node: Node, source: bytes) -> str:
    """The value of a word node; an expansion stands as `${NAME}`, a substitution as its text."""
    text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
    kind = node.type
    if kind == "word" or kind == "number" or (kind == "command_name" and text.isidentifier()):
        return _ESCAPED.sub(_escape, text) if "\\" in text else text
    if kind == "raw_string":
        return text[1:-1]
    if kind == "string":
        return _string(node, source, text)
    if kind == "ansi_c_string":
        return text[2:-1]
    if kind in ("concatenation", "command_name"):
        return "".join(word_of(child, source) for child in node.children)
    if kind == "simple_expansion":
        return _VARIABLE.sub(r"${\1}", text)
    return text


def _string(node: Node, source: bytes, text: str) -> str:
    if "$" not in text and "`" not in text:
        return _ESCAPED_IN_STRING.sub(_escape, text[1:-1])
    parts: list[str] = []
    at = node.start_byte + 1
    for child in node.children:
        if child.type == '"':
            continue
        parts.append(_content(source[at : child.start_byte]))
        piece = source[child.start_byte : child.end_byte]
        is_expansion = child.type != "string_content"
        parts.append(word_of(child, source) if is_expansion else _content(piece))
        at = child.end_byte
    parts.append(_content(source[at : max(at, node.end_byte - 1)]))
    return "".join(parts)


def _content(piece: bytes) -> str:
    return _ESCAPED_IN_STRING.sub(_escape, piece.decode("utf-8", "replace"))


def quoted(word: str) -> str:
    """One spelling of a word's value: bare where that is clear, else in single quotes."""
    if word and not _NEEDS_QUOTES.search(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def joined(words: Sequence[str]) -> str:
    if "" not in words and not _NEEDS_QUOTES.search("".join(words)):
        return " ".join(words)
    return " ".join([quoted(word) for word in words])


def collapsed(text: str) -> str:
    """The text with each run of white space as one space."""
    return " ".join(text.split())
