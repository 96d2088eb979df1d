"""How many terminal cells text takes, and cutting it to a number of them. Pure."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def width_of(text: str) -> int:
    """Cells of one line of harmless text: wide and full-width characters take two, combining marks none."""
    return len(text) if text.isascii() else sum(_cells(char) for char in text)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells; what is cut off is marked by an ellipsis."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 1
    for char in text:
        used += _cells(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
