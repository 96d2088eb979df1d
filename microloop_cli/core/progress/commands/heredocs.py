"""Heredoc bodies taken out of a script before it is parsed, and put back after. Pure; linear.

A body is data: a grammar that tries to read it as shell costs time and may lose the command around it.
"""

from __future__ import annotations

import re

MAX_HEREDOCS = 16
_START = re.compile(
    r"(?<!<)<<(?!<)-?[ \t]*(?:'([^'\n]{1,64})'|\"([^\"\n]{1,64})\"|\\?([A-Za-z_][\w.-]{0,63}))"
)
# Characters for private use: nothing a shell gives a meaning to.
_PLACE = re.compile("\ue000(\\d{1,2})\ue001")


def cut(text: str) -> tuple[str, list[str]]:
    """The text with each body that has an end replaced by a mark, and the bodies."""
    bodies: list[str] = []
    kept: list[str] = []
    done = 0
    line_start = -1
    for tried, match in enumerate(_START.finditer(text)):
        if tried >= MAX_HEREDOCS:
            break
        if match.start() < done and match.start() > line_start:
            continue
        line_end = text.find("\n", match.end())
        start = max(line_end + 1, done)
        found = (
            end_of(text, start, match.group(1) or match.group(2) or match.group(3)) if line_end >= 0 else None
        )
        if found is None:
            continue
        body_end, done_now = found
        kept += [text[done:start], f"\ue000{len(bodies)}\ue001\n" if body_end > start else ""]
        bodies.append(text[start:body_end].removesuffix("\n"))
        kept.append(text[body_end:done_now])
        done, line_start = done_now, line_end
    return ("".join([*kept, text[done:]]), bodies) if bodies else (text, bodies)


def end_of(text: str, start: int, delimiter: str) -> tuple[int, int] | None:
    """Where the body ends, and where the line with its delimiter does."""
    match = re.compile(rf"^\t*{re.escape(delimiter)}$", re.MULTILINE).search(text, start)
    return (match.start(), match.end()) if match is not None else None


def restored(text: str, bodies: list[str]) -> str:
    """The text with its bodies in place of their marks."""
    if not bodies or "\ue000" not in text:
        return text
    return _PLACE.sub(
        lambda match: bodies[int(match.group(1))] if int(match.group(1)) < len(bodies) else "", text
    )


def closed(text: str) -> str:
    """The text with the end of a heredoc that has none, as shells take it (and cut records have it)."""
    for match in _START.finditer(text):
        delimiter = match.group(1) or match.group(2) or match.group(3)
        if end_of(text, match.end(), delimiter) is None:
            return f"{text}\n{delimiter}\n"
    return text
