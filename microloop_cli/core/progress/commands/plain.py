"""A script's tree: plain words are read without the grammar, which takes most of the time of a command."""

from __future__ import annotations

import re

from microloop_cli.core.progress.commands.parse import parse
from microloop_cli.core.progress.commands.syntax import Command, Item, Script

# A command and words of which none means anything to the shell.
_PLAIN = re.compile(r"[A-Za-z_./][\w./:+,-]*(?: [\w./:@+,=-]+)*", re.ASCII)
_RESERVED = frozenset(
    {
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "case",
        "esac",
        "for",
        "select",
        "while",
        "until",
        "do",
        "done",
        "in",
    }
    | {"function", "time", "coproc", "declare", "typeset", "export", "readonly", "local", "unset", "unsetenv"}
)


def script_of(text: str) -> Script:
    """See `parse.parse`; a command of which no word means anything to the shell needs no grammar."""
    if _PLAIN.fullmatch(text) and (words := text.split(" "))[0] not in _RESERVED:
        return Script((Item(";", (Command(tuple(words)),)),))
    return parse(text)
