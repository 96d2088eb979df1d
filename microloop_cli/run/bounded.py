"""Text from agents and models, small enough for a fact, and sayable in UTF-8. Pure."""

from __future__ import annotations

from hashlib import blake2b


def bounded(text: str, most_chars: int | None = None) -> str:
    """The text, or as much of it as may be."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text if most_chars is None or len(text) <= most_chars else text[:most_chars]


def bounded_whole(text: str, most_chars: int) -> str:
    """The text; of a longer one the beginning and a digest of all, so that only equal ones are equal."""
    if len(text) <= most_chars:
        return text
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
    end = f"... <{len(text)} characters, {digest}>"
    return text[: most_chars - len(end)] + end
