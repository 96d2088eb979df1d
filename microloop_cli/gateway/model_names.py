"""How one model is spelled: provider prefixes, resource paths, dates and `-latest`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_NAME_CHARS = 256
# Prefixes that routers and SDKs use and that are no provider id of the price list.
PREFIXES = {"gemini": "google", "vertex_ai": "google", "vertexai": "google", "xai": "x-ai", "bedrock": "aws"}
# What may be left out at the end: "[1m]", "@20250929", "-latest", and a Gemini's "-001".
_ENDINGS = re.compile(r"(\[\w+\]|@[\w-]+|-latest|-0\d\d)$")


def plain(model: str) -> str:
    """The name in lower case, without `models/` or a longer resource path before it; "" when too long."""
    if len(model) > MAX_NAME_CHARS:
        return ""
    name = model.strip().lower()
    return name.rpartition("models/")[2] if name.startswith(_RESOURCES) else name


def spellings(name: str) -> Iterator[str]:
    """The name, then shorter forms of it, each without one more ending."""
    yield name
    while shorter := _ENDINGS.sub("", name, count=1):
        if shorter == name:
            return
        yield shorter
        name = shorter


def prefixed(name: str) -> tuple[str, str] | None:
    """The provider a name begins with, and the rest: ("openai", "gpt-4o") of "openai/gpt-4o"."""
    head, slash, rest = name.partition("/")
    if not (slash and head and rest):
        return None
    return PREFIXES.get(head, head), rest


_RESOURCES = ("models/", "publishers/", "projects/")
