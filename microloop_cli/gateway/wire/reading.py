"""Reading JSON that others wrote: no field is trusted to be there, or to be what it should."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# No call has more tokens; what claims more must not overflow a sum or a database column.
MAX_COUNT = 10**12
# "auto" is what the project was set to, which nobody here knows.
_STANDARD = frozenset({"auto", "default", "standard", "standard_only", "unspecified"})


def decode(data: bytes | bytearray, kind: type[T]) -> T | None:
    """`data` as a `kind`, or None when it is no such JSON. Never raises.

    What is not quite JSON (NaN, half a surrogate pair, UTF-16) is read as lenient servers read it: else such
    a request would be answered, and not counted.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _decode_leniently(data, kind)


def _decode_leniently(data: bytes | bytearray, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(json.loads(data), kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def member(value: Any, *keys: str) -> Any:
    """value[key1][key2]..., or None where one of them is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def count(value: Any, *keys: str) -> int | None:
    """The number of tokens at `keys`, at most MAX_COUNT; None when there is none or it makes no sense."""
    found = member(value, *keys)
    if isinstance(found, float) and 0 <= found <= MAX_COUNT:
        found = int(found)
    if type(found) is not int or found < 0:
        return None
    return min(found, MAX_COUNT)


def most(*counts: int | None) -> int | None:
    """The greatest of those that are known."""
    known = [each for each in counts if each is not None]
    return max(known) if known else None


def mode_of(*asked: Any) -> str:
    """The first of a request's service tiers or speeds that may have a price of its own; "" standard."""
    named = (text(each).lower().removeprefix("service_tier_") for each in asked)
    return next((name for name in named if name and name not in _STANDARD), "")


def text(value: Any) -> str:
    """The string, without what UTF-8 cannot say; "" for what is none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
