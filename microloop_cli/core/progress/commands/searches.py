"""grep and its kin, find and ls: one spelling for one question. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from microloop_cli.core.progress.commands.options import Option, Spec, read_options, shown
from microloop_cli.core.progress.commands.part import Part
from microloop_cli.core.progress.commands.place import Place
from microloop_cli.core.progress.commands.unquote import joined
from microloop_cli.core.progress.signals import Writes

GREPS = frozenset({"grep", "egrep", "fgrep", "zgrep", "rg", "ripgrep", "ack", "ag", "pt"})
_RECURSIVE = frozenset({"rg", "ripgrep", "ack", "ag", "pt"})
_GREP_SAME = {
    "recursive": "r", "dereference-recursive": "r", "R": "r", "line-number": "n", "ignore-case": "i",
    "invert-match": "v", "files-with-matches": "l", "files-without-match": "L", "word-regexp": "w",
    "line-regexp": "x", "count": "c", "only-matching": "o", "fixed-strings": "F", "extended-regexp": "E",
    "basic-regexp": "G", "perl-regexp": "P", "after-context": "A", "before-context": "B", "context": "C",
    "regexp": "e", "file": "f", "max-count": "m", "with-filename": "H", "no-filename": "h", "glob": "g",
    "type": "t", "smart-case": "S", "column": "n", "vimgrep": "n", "colour": "color",
}  # fmt: skip
_GREP_DROPPED = frozenset(
    {
        "n", "H", "h", "color", "s", "no-messages", "I", "heading", "no-heading", "line-buffered",
        "no-ignore-case", "sort", "a", "text", "U", "Z", "b", "G", "full-name", "no-color", "nocolor",
        "no-line-number", "N",
    }
)  # fmt: skip
_GREP_VALUED = frozenset(
    {
        "e", "f", "A", "B", "C", "m", "d", "D", "include", "exclude", "exclude-dir", "g", "t", "T", "j",
        "threads", "max-depth", "sort", "type-add",
    }
)  # fmt: skip
_GREP = Spec(_GREP_VALUED, _GREP_DROPPED, _GREP_SAME)
_RG = Spec(_GREP_VALUED, _GREP_DROPPED | {"P", "j", "threads"}, {**_GREP_SAME, "R": "r"})
_LS = Spec(
    frozenset({"I", "ignore", "w", "T"}),
    frozenset("1lahFAGpotrScugNQsBmkxXvUfnCZ") | {"color", "group-directories-first", "time-style"},
    {
        "all": "a",
        "almost-all": "A",
        "recursive": "R",
        "directory": "d",
        "human-readable": "h",
        "reverse": "r",
    },
)
_SWAPPED = re.compile(r"\[\^?\]?[^\]]*\]|\\?[|()+?{}]", re.DOTALL)
_SPECIAL = re.compile(r"[\\|()+?{}\[\]^$*.]")
# These are part of the pattern or told apart elsewhere.
_IN_PATTERN = frozenset({"e", "r", "E", "F", "P"})
_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_FIND_LOOKS = frozenset({"-print", "-print0", "-ls"})


def grep(words: Sequence[str], place: Place, read: tuple[str, ...] = ()) -> Part:
    """`read`: the files another program hands it (`cat F | grep x`)."""
    name = words[0]
    options, operands = read_options(words[1:], _RG if name in _RECURSIVE else _GREP)
    patterns = [value or "" for option, value in options if option == "e"]
    if not patterns and not any(option == "f" for option, _ in options):
        patterns, operands = operands[:1], operands[1:]
    flags = {option for option, _ in options}
    recursive = name in _RECURSIVE or "r" in flags
    paths = [place.path(word) for word in operands] or list(read) or ([place.path(".")] if recursive else [])
    below = recursive and not all(_is_file(path) for path in paths)
    extended = name in ("egrep", *_RECURSIVE) or bool(flags & {"E", "P"})
    fixed = name == "fgrep" or "F" in flags
    pattern = "\n".join(one if fixed or extended else _as_extended(one) for one in patterns)
    kept = [_context(option) for option in options if option[0] not in _IN_PATTERN]
    if below:
        kept.append(("r", None))
    if fixed and _SPECIAL.search(pattern):
        kept.append(("F", None))
    return Part(joined(["grep", *shown(kept), pattern, *paths]), "search", "no", tuple(paths))


def _context(option: Option) -> Option:
    """`-5` is `-C5`."""
    name, value = option
    return ("C", name) if name.isdecimal() and value is None else option


def _is_file(path: str) -> bool:
    return "." in path.rpartition("/")[2].strip(".") and "*" not in path


def _as_extended(pattern: str) -> str:
    """A basic regular expression as an extended one: what a backslash makes special there is so by itself."""
    if not any(char in pattern for char in "|()+?{}"):
        return pattern
    return _SWAPPED.sub(_swap, pattern)


def _swap(match: re.Match[str]) -> str:
    text = match.group()
    if text[0] == "[":
        return text
    return text[1:] if text[0] == "\\" else "\\" + text


def find(words: Sequence[str], place: Place) -> Part:
    """Roots, then the tests in their order without those that change only the looks."""
    at = 1
    while at < len(words) and words[at] in ("-H", "-L", "-P"):
        at += 1
    roots = []
    while at < len(words) and words[at][:1] not in ("-", "(", "!", ")"):
        roots.append(place.path(words[at]))
        at += 1
    tests = [{"-iname": "-name", "-not": "!", "-and": "-a"}.get(word, word) for word in words[at:]]
    named = "-name" in tests
    kept: list[str] = []
    for index, word in enumerate(tests):
        is_type = (
            named
            and (word == "-type" or (index > 0 and tests[index - 1] == "-type"))
            and _value(tests, "-type") == "f"
        )
        if not is_type and word not in _FIND_LOOKS and word != "-a":
            kept.append(word)
    roots = roots or [place.path(".")]
    writes = _find_writes(tests)
    return Part(joined(["find", *roots, *kept]), "list" if writes == "no" else "edit", writes, tuple(roots))


def _value(words: Sequence[str], option: str) -> str:
    at = words.index(option) if option in words else len(words)
    return words[at + 1] if at + 1 < len(words) else ""


def _find_writes(tests: Sequence[str]) -> Writes:
    if "-delete" in tests or "-fprint" in tests:
        return "yes"
    return "no"


def find_runs(words: Sequence[str]) -> list[str]:
    """The command that find runs on what it found, if any."""
    for at, word in enumerate(words):
        if word in _RUNS:
            return [each for each in words[at + 1 :] if each not in (";", "+", "{}")]
    return []


def git_ls_files(operands: Sequence[str], place: Place) -> Part:
    """`git ls-files 'a/*.py'` asks what `find a -name '*.py'` does."""
    if len(operands) == 1 and "*" in operands[0]:
        folder, _, pattern = operands[0].rpartition("/")
        if "*" not in folder:
            return find(["find", folder or ".", "-name", pattern], place)
    paths = [place.path(word) for word in operands]
    return Part(joined(["git", "ls-files", *paths]) + place.suffix(), "list", "no", tuple(paths))


def ls(words: Sequence[str], place: Place) -> Part:
    options, operands = read_options(words[1:], _LS)
    paths = [place.path(word) for word in operands] or [place.path(".")]
    kept = [option for option in options if option[0] != "1"]
    return Part(joined(["ls", *shown(kept), *paths]), "list", "no", tuple(paths))


def rg_files(words: Sequence[str], place: Place) -> Part:
    """`rg --files DIR` lists, with `-g GLOB` by name."""
    options, operands = read_options([word for word in words[1:] if word != "--files"], _RG)
    globs = [value or "" for name, value in options if name == "g"]
    if len(globs) == 1 and not globs[0].startswith("!"):
        return find(["find", *operands, "-name", globs[0]], place)
    return Part(
        f"rg --files {joined(shown(options) + [place.path(word) for word in operands])}".strip(), "list", "no"
    )
