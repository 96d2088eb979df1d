"""Programs that show a file, folded to which lines of it they show. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from microloop_cli.core.progress.commands.options import Spec, read_options, shown
from microloop_cli.core.progress.commands.unquote import joined, quoted

# From its start on, this many lines count as the file: agents look at the same head with ever other numbers.
WHOLE_FROM_LINES = 100

_PRINT = re.compile(r"(\d{1,9}|\$)(?:,(\d{1,9}|\$|\+\d{1,9}))?p?")
_QUIT = re.compile(r"(\d{1,9})q")
_NR = re.compile(r"NR\s*>=?\s*(\d{1,9})\s*&&\s*NR\s*<=?\s*(\d{1,9})(?:\s*\{\s*print(?:\s+\$0)?;?\s*\})?")
_HEAD = Spec(
    frozenset({"n", "c"}), frozenset({"q"}), {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q"}
)
_CAT = Spec(
    frozenset(),
    frozenset({"n", "b", "s", "u"}),
    {"number": "n", "show-all": "A", "number-nonblank": "b", "squeeze-blank": "s"},
)
_SED = Spec(
    frozenset({"e", "f"}), frozenset({"E", "r", "u", "s"}), {"quiet": "n", "silent": "n", "expression": "e"}
)
_PAGERS = frozenset({"less", "more", "bat", "batcat", "nl", "most", "view"})
VIEWERS = frozenset({"cat", "head", "tail", "sed", "awk", "gawk", "mawk"}) | _PAGERS


class Lines(msgspec.Struct, frozen=True):
    """Which lines: from first to last (None: the end), or the last `tail`, or what `other` selects."""

    first: int = 1
    last: int | None = None
    tail: int = 0
    other: str = ""


class View(msgspec.Struct, frozen=True):
    files: tuple[str, ...]
    lines: Lines = Lines()

    def action(self) -> str:
        return f"view {joined(self.files)}{_shown_lines(self.lines)}"


WHOLE = Lines()


def _shown_lines(lines: Lines) -> str:
    if lines.other:
        return f" {quoted(lines.other)}"
    if lines.tail:
        return f" last {lines.tail}"
    if lines.first == 1 and (lines.last is None or lines.last >= WHOLE_FROM_LINES):
        return ""
    return f" {lines.first}-{'' if lines.last is None else lines.last}"


def read_view(words: Sequence[str]) -> View | None:
    """The files as named and the lines a viewer shows; None when it does something else (`sed -i`)."""
    name = words[0]
    if name == "cat":
        options, files = read_options(words[1:], _CAT)
        return View(tuple(files), Lines(other=" ".join(shown(options))))
    if name in ("head", "tail"):
        options, files = read_options(words[1:], _HEAD)
        lines = _head(options) if name == "head" else _tail(options)
        return View(tuple(files), lines) if lines is not None else None
    if name == "sed":
        return _sed(words)
    if name in _PAGERS:
        return View(tuple([word for word in words[1:] if word[:1] not in ("-", "+")]))
    return _awk(words)


def narrowed(view: View, by: Lines) -> View | None:
    """Some lines of a view; None when which they are cannot be told."""
    known = view.lines
    if by == WHOLE:
        return view
    if known == WHOLE:
        return replace(view, lines=by)
    if known.other or known.tail or by.other:
        return None
    if by.tail:
        if known.last is None:
            return replace(view, lines=Lines(tail=by.tail))
        return replace(view, lines=Lines(max(known.first, known.last - by.tail + 1), known.last))
    last = None if by.last is None else known.first + by.last - 1
    ends = [end for end in (known.last, last) if end is not None]
    return replace(view, lines=Lines(known.first + by.first - 1, min(ends) if ends else None))


def _count(options: list[tuple[str, str | None]], default: str) -> str | None:
    """The value of -n, or of `-20`; None when bytes or something else is asked for."""
    count = default
    for name, value in options:
        if name.isdecimal():
            count = name
        elif name == "n" and value:
            count = value
        else:
            return None
    return count if count.lstrip("+-").isdecimal() and len(count) < 10 else None


def _head(options: list[tuple[str, str | None]]) -> Lines | None:
    count = _count(options, "10")
    if count is None or count.startswith("-"):
        return Lines(other="head " + " ".join(shown(options)))
    return Lines(1, int(count))


def _tail(options: list[tuple[str, str | None]]) -> Lines | None:
    count = _count(options, "10")
    if count is None:
        return Lines(other="tail " + " ".join(shown(options)))
    if count.startswith("+"):
        return Lines(max(int(count), 1))
    return Lines(tail=int(count.lstrip("-")))


def _sed(words: Sequence[str]) -> View | None:
    options, operands = read_options(words[1:], _SED)
    names = [name for name, _ in options]
    if any(name not in ("n", "e") for name in names):
        return None
    scripts = [value or "" for name, value in options if name == "e"]
    if not scripts:
        scripts, operands = operands[:1], operands[1:]
    script = ";".join(scripts).strip().rstrip(";")
    if "n" not in names:
        match = _QUIT.fullmatch(script)
        return View(tuple(operands), Lines(1, int(match.group(1)))) if match else None
    if not script or re.search(r"(?:^|[;/}])\s*[wse]\b", script):
        return None
    return View(tuple(operands), _printed(script))


def _printed(script: str) -> Lines:
    plain = re.sub(r"\s|;\d{1,9}q$", "", script)
    match = _PRINT.fullmatch(plain)
    if match is None or not plain.endswith("p"):
        return Lines(other=script)
    first, last = match.groups()
    if first == "$":
        return Lines(tail=1)
    start = max(int(first), 1)
    if last == "$":
        return Lines(start)
    if last is None:
        return Lines(start, start)
    return Lines(start, start + int(last[1:]) if last[0] == "+" else max(int(last), start))


def _awk(words: Sequence[str]) -> View | None:
    match = _NR.fullmatch(words[1].strip()) if len(words) > 1 else None
    return View(tuple(words[2:]), Lines(int(match.group(1)), int(match.group(2)))) if match else None
