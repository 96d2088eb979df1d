"""Writes an upper bound of the output into a request, for answers that cannot be cut. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from microloop_cli.gateway.model import Asked, Surface
from microloop_cli.gateway.wire.estimate import input_tokens
from microloop_cli.gateway.wire.failures import encoded
from microloop_cli.gateway.wire.reading import count, decode

# Makers whose newer models take no max_tokens; all others' servers take nothing else.
_TAKES_COMPLETION_TOKENS = re.compile(r"(^|/)(gpt-|chatgpt|o\d)", re.IGNORECASE)
_NAMES: dict[Surface, tuple[str, ...]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "messages": ("max_tokens",),
    "responses": ("max_output_tokens",),
    "other": ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict"),
}
_LEAST_THINKING_TOKENS = 1024
_GOOGLE_CONFIGS = ("generationConfig", "generation_config")
_GOOGLE_NAMES = ("maxOutputTokens", "max_output_tokens")


def capped(asked: Asked, cap_output_tokens: int) -> Asked:
    """The request with no more output allowed than that, over all its answers; all else byte for byte, but
    for white space between members. A request that is no JSON object, or allows less already, is as it was.

    On surface "other" only a bound that is there is lowered: nobody knows what it is called.
    """
    each = max(1, cap_output_tokens // max(1, asked.choices))
    if asked.max_output_tokens is not None and asked.max_output_tokens <= each * asked.choices:
        return asked
    members = _members(asked.body)
    if members is None:
        return asked
    changed = _in_config(members, each) if asked.surface == "generate" else _at_top(asked, members, each)
    if not changed:
        return asked
    body = encoded({**members, **changed})
    return msgspec.structs.replace(
        asked,
        body=body,
        input_estimate_tokens=input_tokens(body),
        max_output_tokens=each * asked.choices,
    )


def _at_top(asked: Asked, members: dict[str, msgspec.Raw], most: int) -> dict[str, Any]:
    named = [name for name in _NAMES[asked.surface] if _present(members.get(name))]
    if not named and asked.surface != "other":
        named = [_name_of(asked, members)]
    return _lowered(members, named, most) | _less_thinking(asked, members, most)


def _less_thinking(asked: Asked, members: dict[str, msgspec.Raw], most: int) -> dict[str, Any]:
    """Anthropic takes no budget of thinking that is not below max_tokens, and none below 1024."""
    thinking = _object(members.get("thinking")) if asked.surface == "messages" else None
    budget = _given((thinking or {}).get("budget_tokens"))
    if thinking is None or budget is None or budget < most or most < 2 * _LEAST_THINKING_TOKENS:
        return {}
    return {"thinking": {**thinking, "budget_tokens": most // 2}}


def _in_config(members: dict[str, msgspec.Raw], most: int) -> dict[str, Any]:
    """Every spelling that is there is lowered: which one counts is the server's business."""
    present = [name for name in _GOOGLE_CONFIGS if _object(members.get(name)) is not None]
    changed: dict[str, Any] = {}
    for config in present or [_GOOGLE_CONFIGS[0]]:
        inner = _object(members.get(config)) or {}
        named = [name for name in _GOOGLE_NAMES if _present(inner.get(name))]
        lowered = _lowered(inner, named or [_GOOGLE_NAMES[0]], most)
        changed[config] = {**inner, **lowered}
    return changed


def _lowered(members: dict[str, msgspec.Raw], names: list[str], most: int) -> dict[str, Any]:
    given = {name: _given(members.get(name)) for name in names}
    return {name: most if now is None else min(now, most) for name, now in given.items()}


def _name_of(asked: Asked, members: dict[str, msgspec.Raw]) -> str:
    if asked.surface != "chat":
        return _NAMES[asked.surface][0]
    is_chat = "messages" in members
    return _NAMES["chat"][0 if is_chat and _TAKES_COMPLETION_TOKENS.search(asked.model) else 1]


def _members(body: bytes) -> dict[str, msgspec.Raw] | None:
    strictly = decode(body, dict[str, msgspec.Raw])
    if strictly is not None:
        return strictly
    loosely = decode(body, dict[str, Any])  # NaN, UTF-16: written again as a lenient server reads it
    if loosely is None:
        return None
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in loosely.items()}


def _object(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw] | None:
    return None if raw is None else decode(bytes(raw), dict[str, msgspec.Raw])


def _present(raw: msgspec.Raw | None) -> bool:
    """A number in quotes is one to some servers."""
    return raw is not None and bytes(raw) != b"null"


def _given(raw: msgspec.Raw | None) -> int | None:
    value: Any = None if raw is None else decode(bytes(raw), object)
    return count(value)
