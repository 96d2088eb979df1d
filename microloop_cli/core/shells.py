"""How a shell was called: a command string, a script, or commands on stdin. Pure; never raises."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

SHELLS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "mksh", "yash", "fish", "ash", "rbash", "csh", "tcsh"}
)
# Options of the common shells whose value is the next word.
_VALUED = frozenset({"--rcfile", "--init-file", "--features", "-O", "+O"})
_INFORMATION = frozenset({"--version", "--help"})


class ShellCall(msgspec.Struct, frozen=True):
    """command: the string of `-c`; script: the file to run; neither: commands come on stdin.

    arguments: the words after the command or script, `$0` of a `-c` included.
    """

    command: str | None = None
    script: str | None = None
    arguments: tuple[str, ...] = ()
    reads_stdin: bool = False


def basename(path: str) -> str:
    """The last part of a path; a login shell's leading dash (`-bash`) is dropped."""
    return path.rpartition("/")[2].removeprefix("-")


def shell_call(argv: Sequence[str]) -> ShellCall | None:
    """What a shell was asked to do; None when argv is no shell (`busybox sh` is one)."""
    words = _from_shell_name(argv)
    if words is None:
        return None
    letters, long_options, operands = _options(words)
    if "c" in letters or "--command" in long_options:
        return ShellCall(command=operands[0] if operands else "", arguments=tuple(operands[1:]))
    inline = next((name for name in long_options if name.startswith("--command=")), None)
    if inline is not None:
        return ShellCall(command=inline.partition("=")[2], arguments=tuple(operands))
    if operands and "s" not in letters:
        return ShellCall(script=operands[0], arguments=tuple(operands[1:]))
    return ShellCall(arguments=tuple(operands), reads_stdin=not long_options & _INFORMATION)


def _from_shell_name(argv: Sequence[str]) -> list[str] | None:
    """The words after the shell's name."""
    if not argv:
        return None
    if basename(argv[0]) in SHELLS:
        return list(argv[1:])
    if basename(argv[0]) == "busybox" and len(argv) > 1 and argv[1] in SHELLS:
        return list(argv[2:])
    return None


def _options(words: list[str]) -> tuple[set[str], set[str], list[str]]:
    """Single letters set with `-`, long options, and the operands (everything from the first non-option)."""
    letters: set[str] = set()
    long_options: set[str] = set()
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("--", "-"):
            return letters, long_options, words[at + 1 :]
        if len(word) < 2 or word[0] not in "-+":
            break
        if word.startswith("--"):
            long_options.add(word)
        elif word[0] == "-":
            letters.update(word[1:])
        takes_value = word in _VALUED or (not word.startswith("--") and "o" in word[1:])
        at += 2 if takes_value else 1
    return letters, long_options, words[at:]
