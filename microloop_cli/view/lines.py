"""Lines of text for a terminal: parts with styles, never markup; paragraphs; an argv. Pure."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator

from rich.text import Text

from microloop_cli.bundle.harmless import harmless
from microloop_cli.view.cells import cut, width_of

Part = tuple[str, str]
PARAGRAPH_MOST = 4000
ARGV_MOST = 4000


def line(*parts: Part) -> Text:
    """One line of (text, style) parts. The texts are harmless already; markup in them means nothing."""
    text = Text(no_wrap=True, end="")
    for part, style in parts:
        text.append(part, style or None)
    return text


def heading(title: str, note: str = "") -> Text:
    return line((title, "bold"), (f"  {note}" if note else "", "dim"))


def one_line(text: str, width: int) -> str:
    """Text of the agent on one line of at most `width` cells, harmless."""
    return cut(harmless(" ".join(text[: 8 * max(width, 1)].split())), width)


def paragraph(text: str, width: int, indent: str) -> Iterator[Text]:
    """Text of the agent wrapped at `width`, harmless; what is over PARAGRAPH_MOST characters is left out."""
    shown = text if len(text) <= PARAGRAPH_MOST else f"{text[:PARAGRAPH_MOST]} ... ({len(text):,} characters)"
    for part in harmless(shown).splitlines():
        room = max(20, width - len(indent))
        if width_of(part) > len(part):  # textwrap counts characters: a wide one takes two cells
            room //= 2
        wrapped = textwrap.wrap(part, room, break_on_hyphens=False) or [""]
        for piece in wrapped:
            yield line((indent + piece, ""))


def labelled(label: str, text: str, width: int, style: str = "") -> Iterator[Text]:
    """`  label     text`, continued below the text."""
    first = f"  {label:<{LABEL_WIDTH}}"
    indent = " " * len(first)
    for number, wrapped in enumerate(paragraph(text, width, indent)):
        start = first if number == 0 else indent
        yield line((start, "dim"), (wrapped.plain[len(indent) :], style))


LABEL_WIDTH = 11


def argv_text(argv: tuple[str, ...], most: int = ARGV_MOST) -> str:
    """An argv as a shell would be given it, cut at about `most` characters. Not harmless yet."""
    parts, length = [], 0
    for number, word in enumerate(argv):
        if length + len(word) > most:
            parts += [word[: most - length], f"... ({len(argv) - number:,} more of {len(argv):,} words cut)"]
            break
        parts.append(shlex.quote(word))
        length += len(word) + 1
    return " ".join(parts)
