"""Writing results to stdout: lines for people, JSON for programs; colour only on a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

LINES_AT_ONCE = 100
PLAIN_WIDTH = 100
"""Columns when stdout is no terminal and COLUMNS says nothing."""


def width() -> int:
    """Columns of the output, 20 at least."""
    return max(20, shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns)


def write_lines(lines: Iterable[Text]) -> None:
    """Each line as it comes: styled on a terminal (unless NO_COLOR is set), else plain text."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, width=width(), markup=False, emoji=False, highlight=False)
    if not console.is_terminal or console.no_color or console.color_system is None:
        for text in lines:
            sys.stdout.write(text.plain.rstrip() + "\n")
        return
    rest = iter(lines)
    while batch := list(islice(rest, LINES_AT_ONCE)):  # rich has a price a call
        console.print(Text("\n").join(batch), soft_wrap=True)


def write_json(data: Any) -> None:
    """One document, indented, ASCII only: nothing in it can act on a terminal."""
    import json

    import msgspec

    # json indents in Python, five times slower than this.
    compact = json.dumps(data, ensure_ascii=True).encode()
    sys.stdout.write(msgspec.json.format(compact, indent=2).decode() + "\n")
