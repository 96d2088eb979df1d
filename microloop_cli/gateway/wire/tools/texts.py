"""Text and arguments of tool calls out of decoded JSON, bounded in size."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from microloop_cli.gateway.wire.reading import items, member, text

# In characters. Of a longer text the first and the last half of this are kept; of arguments the beginning.
MAX_TEXT = 256 * 1024
MAX_ARGUMENTS = 256 * 1024


def clean(value: Any) -> str:
    """The string, without what UTF-8 cannot say; "" for what is none."""
    return value if isinstance(value, str) and value.isascii() else text(value)


def json_text(value: Any) -> str:
    """Compact JSON of a decoded value; what has no JSON (too deep, too long a number) is "null"."""
    try:
        return msgspec.json.encode(value).decode()
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        pass
    try:
        return text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    except (ValueError, TypeError, RecursionError):
        return "null"


def arguments_of(value: Any) -> str:
    """Arguments as JSON text: a string is that text already; an object is written; nothing is "{}"."""
    if isinstance(value, str):
        return clean(value)[:MAX_ARGUMENTS]
    return "{}" if value is None else json_text(value)[:MAX_ARGUMENTS]


def odd_text(value: Any) -> str:
    """What stands where text should: its JSON; "" for nothing."""
    return "" if value is None or value is msgspec.UNSET else json_text(value)


def part_text(part: Any) -> str | None:
    """The text of one part of a content; None for images and the like."""
    found = part if isinstance(part, str) else member(part, "text")
    return found if isinstance(found, str) else None


def shell_text(outputs: Any) -> str:
    """The text of what the Responses API's own shell tool gave: stdout, then stderr, of each command."""
    streams = [member(each, key) for each in items(outputs) for key in ("stdout", "stderr")]
    return "\n".join(clean(each) for each in streams if isinstance(each, str) and each)


def shortened(whole: str) -> str:
    """The text, but of a long one only its beginning and end, and how much is missing between them."""
    if len(whole) <= MAX_TEXT:
        return whole
    half = MAX_TEXT // 2
    return f"{whole[:half]}\n[... {len(whole) - 2 * half} characters left out ...]\n{whole[-half:]}"


def size_bytes(whole: str) -> int:
    return len(whole) if whole.isascii() else len(whole.encode("utf-8", "replace"))
