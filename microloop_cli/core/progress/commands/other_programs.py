"""Programs without a rule of their own: what is known of them by name, and their files. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from microloop_cli.core.progress.commands.code import code_writes
from microloop_cli.core.progress.commands.part import MAX_PATHS, Part
from microloop_cli.core.progress.commands.place import Place, looks_like_path
from microloop_cli.core.progress.commands.programs import (
    CHECKERS,
    INSTALLERS,
    LISTS,
    NOISE,
    READERS,
    TELLING,
    VIEWS,
    WRITERS,
)
from microloop_cli.core.progress.commands.python import python
from microloop_cli.core.progress.commands.redirects import is_outside
from microloop_cli.core.progress.commands.runners import is_test_call, is_test_script, plain_words
from microloop_cli.core.progress.commands.unquote import joined
from microloop_cli.core.progress.signals import CommandKind, Writes

_SCRIPTED = frozenset({"sed", "awk", "gawk", "mawk", "jq", "yq", "perl", "ruby"})
_INSTALLER_LOOKS = frozenset(
    {"-q", "-qq", "--quiet", "-v", "--verbose", "-y", "--yes", "--no-input", "--silent"}
)
_TO_FILE = re.compile(r"(?:-[A-Za-z]*[oO](-)?|--output|--remote-name|--output-document|--output=(.*))")


def edits_in_place(name: str, words: Sequence[str]) -> bool:
    if name in ("awk", "gawk"):
        return "inplace" in words
    for word in words[1:]:
        if word == "--in-place" or word.startswith("--in-place="):
            return True
        if word[:1] == "-" and word[1:2] != "-" and "i" in word[1:].partition("e")[0]:
            return True
    return False


def fetch(words: Sequence[str], place: Place) -> Part:
    """curl and wget: to the terminal, or into a file."""
    target = None if words[0] == "curl" else "."
    for at, word in enumerate(words):
        match = _TO_FILE.fullmatch(word)
        if match is not None:
            target = match.group(1) or (words[at + 1] if at + 1 < len(words) else ".")
    inside = target is not None and target != "-" and not is_outside(target)
    return Part(joined(words) + (place.suffix() if inside else ""), "other", "yes" if inside else "no")


def on_files(words: Sequence[str], place: Place, kind: CommandKind, writes: Writes) -> Part:
    """A program on files: operands that look like paths have their one name."""
    paths = []
    folded = [words[0]]
    script = _script_at(words)
    for at, word in enumerate(words[1:], 1):
        if at != script and word[:1] != "-" and (words[at - 1] != "-e" and looks_like_path(word)):
            word = place.path(word)
            paths.append(word)
        folded.append(word)
    if writes == "yes" and paths and all(is_outside(path) for path in paths):
        kind, writes = "other", "no"
    return Part(joined(folded) + ("" if paths else place.suffix()), kind, writes, tuple(paths[:MAX_PATHS]))


def _script_at(words: Sequence[str]) -> int:
    """Where the script stands for a program whose first operand is one, no file; 0 for others."""
    if words[0] not in _SCRIPTED:
        return 0
    at = 1
    while at < len(words) and words[at][:1] == "-":
        if words[at] in ("--expression", "--file") or (
            words[at][1:2] != "-" and words[at][-1:] in ("e", "f")
        ):
            return at + 1
        at += 1
    return at


def paths_in(words: Sequence[str], place: Place) -> tuple[str, ...]:
    found = [word.partition("::")[0] for word in words if word[:1] != "-"]
    return tuple([place.path(word) for word in found if looks_like_path(word)][:MAX_PATHS])


def other_program(name: str, words: Sequence[str], place: Place) -> Part:
    """A program without a rule of its own: by its name, or as one of which nothing is known."""
    rest = words[1:]
    if name.endswith(".py"):
        part = python(["python", name, *rest], None, place)
        return part if isinstance(part, Part) else Part(joined(words))
    if name.endswith((".sh", ".bash")):
        return _shell_script(name, rest, place)
    if is_test_call(name, rest) or ("/" in name and is_test_script(name)):
        run = [place.argument(name), *plain_words(name, rest)]
        return Part(joined(run) + place.suffix(), "test", "no", paths_in(run[1:], place))
    kind, writes = _effect(name, rest)
    if name in WRITERS or name in READERS:
        return _with_places(name, rest, kind, writes, place)
    if kind == "install":
        rest = [word for word in rest if word not in _INSTALLER_LOOKS]
    action = joined([place.argument(name), *[place.argument(word) for word in rest]]) + place.suffix()
    return Part(action, kind, writes, paths_in(rest, place))


def _shell_script(name: str, rest: Sequence[str], place: Place) -> Part:
    path = place.path(name)
    tests = is_test_script(path)
    action = joined(["bash", place.argument(name), *rest]) + place.suffix()
    return Part(action, "test" if tests else "run", "perhaps", (path,))


def _with_places(name: str, rest: Sequence[str], kind: CommandKind, writes: Writes, place: Place) -> Part:
    if name in ("echo", "printf", "export", "declare", "date"):
        return Part(joined([name, *rest]), kind, writes)
    part = on_files([name, *rest], place, kind, writes)
    if name in WRITERS and writes == "yes" and not part.paths:
        paths = tuple([place.path(word) for word in rest if word[:1] != "-" and len(word) < 256][:MAX_PATHS])
        return replace(part, paths=paths)
    return part


def _effect(name: str, rest: Sequence[str]) -> tuple[CommandKind, Writes]:
    first = next((word for word in rest if word[:1] != "-"), "")
    if first in INSTALLERS.get(name, ()):
        return "install", "yes"
    if name in TELLING:
        return (
            ("other", "no")
            if first in TELLING[name] or (rest[:1] and rest[0] in TELLING[name])
            else ("run", "perhaps")
        )
    if name in WRITERS:
        return "edit", "yes"
    if name in READERS or name in NOISE:
        return ("view" if name in VIEWS else "list" if name in LISTS else "other"), "no"
    if name in CHECKERS:
        fixes = {"--fix", "format", "-w", "--write", "--fix-only", "-i", "--in-place"} & set(rest)
        formats = name == "black" and "--check" not in rest and "--diff" not in rest
        return "run", "yes" if (fixes and "--check" not in rest) or formats else "no"
    if name in ("node", "ruby", "perl", "php") and len(rest) > 1 and rest[0] in ("-e", "-r", "--eval", "-p"):
        return "run", code_writes(rest[1])
    if rest and rest[-1] in ("--version", "--help", "-h", "-V"):
        return "other", "no"
    return "run", "perhaps"
