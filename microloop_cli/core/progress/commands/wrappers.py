"""What stands around the command that matters: `time`, `timeout 60`, `env X=1`, `sudo`, `uv run`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from microloop_cli.core.progress.commands.programs import (
    LAUNCHERS,
    NOISE_VARIABLES,
    SAME_PROGRAM,
    TRANSPARENT,
)
from microloop_cli.core.progress.commands.syntax import Command

_VALUED = {
    "timeout": frozenset({"-k", "-s", "--kill-after", "--signal"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "env": frozenset({"-u", "-C", "--unset", "--chdir"}),
    "sudo": frozenset({"-u", "-g"}),
    "time": frozenset({"-f", "-o"}),
    "exec": frozenset({"-a"}),
}
_CONSENT = frozenset({"-y", "--yes", "--no-install", "--quiet", "-q", "--"})
_OPERANDS_FIRST = {"timeout": 1}
_ALL = TRANSPARENT | _VALUED.keys()


class Bare(msgspec.Struct, frozen=True):
    """The words that matter; the assignments that count, sorted; the launchers seen through, as words."""

    words: tuple[str, ...]
    assignments: tuple[tuple[str, str], ...] = ()
    launcher: tuple[str, ...] = ()


def bare(command: Command) -> Bare:
    """The command without what stands around it; variables that change only the looks are gone."""
    words = command.words
    if not words:
        return Bare((), command.assignments)
    name = program(words[0])
    if not command.assignments and name not in _ALL and name not in LAUNCHERS:
        return Bare(words)
    assignments = list(command.assignments)
    launcher: list[str] = []
    for _ in range(8):
        name = program(words[0]) if words else ""
        if name in _ALL and len(words) > 1:
            words = _without(name, words, assignments)
        elif name in LAUNCHERS and _launches(name, words):
            skipped = 2 if LAUNCHERS[name] else 1
            while skipped < len(words) and words[skipped][:1] == "-":
                skipped += 1
            launcher += [name, *[word for word in words[1:skipped] if word not in _CONSENT]]
            words = words[skipped:]
        else:
            break
    kept = tuple(sorted({(key, value) for key, value in assignments if key not in NOISE_VARIABLES}))
    return Bare(words, kept, tuple(launcher))


def program(word: str) -> str:
    """A program's name, without its directory when that is where programs are; one name for one program."""
    if "/" not in word:
        return SAME_PROGRAM.get(word, word)
    if not word.startswith(("./", "../")):
        folder, _, name = word.rpartition("/")
        if folder.startswith("/") or folder.endswith("bin"):
            word = (
                name
                if folder.endswith("bin")
                and folder.startswith(("/", ".venv", "venv", "node_modules", "vendor"))
                else word
            )
    if word.startswith("./") and word[2:] in SAME_PROGRAM:
        word = word[2:]
    return SAME_PROGRAM.get(word, word)


def _launches(name: str, words: Sequence[str]) -> bool:
    subcommands = LAUNCHERS[name]
    return len(words) > (2 if subcommands else 1) and (not subcommands or words[1] in subcommands)


def _without(name: str, words: tuple[str, ...], assignments: list[tuple[str, str]]) -> tuple[str, ...]:
    valued = _VALUED.get(name, frozenset())
    at = 1
    while at < len(words) and words[at][:1] == "-":
        at += 2 if words[at] in valued else 1
    at += _OPERANDS_FIRST.get(name, 0)
    while name in ("env", "sudo") and at < len(words) and "=" in words[at]:
        key, _, value = words[at].partition("=")
        assignments.append((key, value))
        at += 1
    return words[at:]
