"""The agent in its own command: which program, and at which word, behind launchers and shells. Pure."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Collection, Sequence

from microloop_cli.core.programs import is_launcher, launched_by, program_words
from microloop_cli.core.shells import basename, shell_call

_LAUNCHERS_FOLLOWED = 5
# Of a shell command, which may hold a whole prompt: the program stands at its beginning.
_PLACES_TRIED = 40
_VERSION = re.compile(r"(?<=.)@[^/]*\Z")
# What stands between a launcher and its program: options, `60`, `1.5s`, NAME=VALUE, subcommands.
_NO_PROGRAM = re.compile(
    r"-.*|[0-9.]+[smhd]?|[A-Za-z_][A-Za-z0-9_]*=.*|exec|x|run|run-script|tool|dlx|start", re.S
)
# These read options behind their program as their own, unless `--` stands somewhere before them.
_OPTION_EATERS = {("npm", "exec"), ("npm", "x"), ("npm", "run"), ("npm", "run-script"), ("npm", "start")}


def program_names(argv: Sequence[str]) -> frozenset[str]:
    """The names the agent command may be known by: of its first word, and of what launchers start."""
    names: set[str] = set()
    words = list(argv)
    for _ in range(_LAUNCHERS_FOLLOWED):
        if not words:
            break
        names |= _names_at(words)
        if not is_launcher(words):
            break
        command = _shell_command(words)
        if command is not None:
            words = launched_by(command) or []
            continue
        candidates, decided = _started(words)
        names |= {name for at in candidates for name in _word_names(words[at])}
        words = words[decided:] if decided is not None else []
    return frozenset(names)


def with_words(argv: Sequence[str], names: Collection[str], words: Sequence[str]) -> tuple[str, ...] | None:
    """argv with these words right behind the agent's own program word, None when there is no such place.

    The program word is the one known by one of `names`; where none is, what the last launcher starts.
    `npx -y @openai/codex exec`, `timeout 60 codex exec` and `bash -c "cd x && codex exec"` are seen through.
    """
    head: list[str] = []
    rest, fallback = list(argv), None
    for _ in range(_LAUNCHERS_FOLLOWED):
        if not rest:
            break
        command = _shell_command(rest)
        if command is not None:
            changed = _inside(command, names, words)
            return None if changed is None else (*head, *_replaced(rest, command, changed))
        if _names_at(rest) & set(names) or not is_launcher(rest):
            program = len(rest) - len(program_words(rest))
            return _inserted([*head, *rest], len(head) + program, words)
        candidates, decided = _started(rest)
        known = [at for at in candidates if _word_names(rest[at]) & set(names)]
        if known:
            fallback = len(head) + known[-1]
        if decided is None:
            break
        head, rest = [*head, *rest[:decided]], rest[decided:]
        if fallback is not None and not program_names(rest) & set(names):
            break
    return None if fallback is None else _inserted(list(argv), fallback, words)


def _inserted(argv: list[str], at: int, words: Sequence[str]) -> tuple[str, ...]:
    before = argv[: at + 1]
    eats = any((basename(word), after) in _OPTION_EATERS for word, after in itertools.pairwise(before))
    barrier = ["--"] if eats and "--" not in before else []
    return (*before, *barrier, *words, *argv[at + 1 :])


def _inside(command: str, names: Collection[str], words: Sequence[str]) -> str | None:
    """The shell command with the words behind its program: where reading it again shows them to be there."""
    started = launched_by(command)
    wanted = None if started is None else with_words(started, names, words)
    if started is None or wanted is None:
        return None
    text = " " + shlex.join(words)
    for space in itertools.islice(re.finditer(r"(?=\s|\Z)", command), _PLACES_TRIED):
        changed = command[: space.start()] + text + command[space.start() :]
        if launched_by(changed) == list(wanted):
            return changed
    return None


def _replaced(words: list[str], old: str, new: str) -> list[str]:
    at = words.index(old)
    return [*words[:at], new, *words[at + 1 :]]


def _shell_command(words: list[str]) -> str | None:
    call = shell_call(words)
    return None if call is None else call.command


def _started(words: list[str]) -> tuple[list[int], int | None]:
    """Where in a launcher's words its program may stand, and where it does for sure.

    A word behind an option may be its value or the program.
    """
    seen = program_words(words)
    offset = len(words) - len(seen)
    candidates = []
    for index in range(1, len(seen)):
        if _NO_PROGRAM.fullmatch(seen[index]):
            continue
        candidates.append(offset + index)
        before = seen[index - 1]
        if not before.startswith("-") or before == "--" or "=" in before:
            return candidates, offset + index
    return candidates, None


def _names_at(words: list[str]) -> set[str]:
    return {_package(basename(words[0])), *program_words(words)[:1]}


def _word_names(word: str) -> set[str]:
    return {_package(word), _package(basename(word))}


def _package(word: str) -> str:
    """`@openai/codex@0.1` is `@openai/codex`, `mini-swe-agent==2` is `mini-swe-agent`."""
    return _VERSION.sub("", word.partition("==")[0])
