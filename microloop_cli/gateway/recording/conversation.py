"""What a request asks of a model, in lines that are equal when two runs came to the same point. Pure.

Compared is the conversation: who said what, which tools were called and what they gave. Not compared is what
differs from run to run without meaning anything: clocks, dates, ids, temporary paths, where the workspace
lies, system prompts and tool definitions (agents write the day and the state of the repository into them).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from microloop_cli.core.progress.normalise import normalise
from microloop_cli.core.progress.tools import without_marks

_CONVERSATIONS = ("messages", "input", "contents", "prompt")
_SYSTEM_ROLES = ("system", "developer")
# Ids of items, marks for caches, signatures: they carry no meaning of their own.
_UNSAID = frozenset(
    {"id", "call_id", "tool_call_id", "tool_use_id", "cache_control", "status", "signature"}
    | {"encrypted_content", "thoughtSignature"}
)
_DEEPEST = 64
SHOWN_LINES = 24
SHOWN_CHARS = 200


def lines_of(model: str, body: bytes, workspace: str) -> tuple[str, ...]:
    """One line a part of the conversation. A body without one is compared whole, as text. Never raises."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        request = None
    if not isinstance(request, dict):
        return (model, *_said(body.decode("utf-8", "replace"), workspace))
    found = next((request[name] for name in _CONVERSATIONS if request.get(name)), None)
    if found is None:
        return (model, *_parts("", request, workspace, 0))
    items = found if isinstance(found, list) else [found]
    return (model, *(line for item in items for line in _item(item, workspace)))


def difference(recorded: Sequence[str], asked: Sequence[str]) -> str:
    """A short unified diff of two conversations, from where they part."""
    same = next(
        (i for i, (one, other) in enumerate(zip(recorded, asked, strict=False)) if one != other),
        min(len(recorded), len(asked)),
    )
    start = max(0, same - 1)
    diff = difflib.unified_diff(
        [line[:4000] for line in recorded[start : start + 40]],
        [line[:4000] for line in asked[start : start + 40]],
        "recorded",
        "asked",
        lineterm="",
        n=1,
    )
    shown = [line[:SHOWN_CHARS] for line in diff]
    more = [f"... {len(shown) - SHOWN_LINES} lines more"] if len(shown) > SHOWN_LINES else []
    return "\n".join([*shown[:SHOWN_LINES], *more])


def shared_lines(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are equal from the start on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (left, right) in pairs if left != right), min(len(one), len(other)))


def _item(item: Any, workspace: str) -> Iterator[str]:
    """One message (or item of a Responses input); what a system says is left out."""
    if not isinstance(item, dict):
        yield from _parts("", item, workspace, 0)
        return
    role = item.get("role") or item.get("type") or ""
    if role not in _SYSTEM_ROLES:
        said = {key: value for key, value in item.items() if key not in ("role", "type")}
        yield from _parts(f"{role}: ", said, workspace, 0)


def _parts(before: str, value: Any, workspace: str, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield from (before + line for line in _said(value, workspace))
    elif isinstance(value, dict) and depth < _DEEPEST:
        for key in sorted(value, key=str):
            if key not in _UNSAID:
                yield from _parts(
                    before if key in ("text", "content") else f"{before}{key} ",
                    value[key],
                    workspace,
                    depth + 1,
                )
    elif isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _parts(before, item, workspace, depth + 1)
    elif value is not None:
        yield f"{before}{value}"


def _said(text: str, workspace: str) -> list[str]:
    if workspace:
        text = text.replace(workspace, "<workspace>")
    plain = without_marks(text.encode("utf-8", "surrogatepass"))
    return normalise(plain).decode("utf-8", "replace").splitlines()
