"""Which program an argv really runs, looking through interpreters, and whether it only starts another one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from microloop_cli.core.shells import SHELLS, basename, shell_call

INTERPRETERS = frozenset({"node", "nodejs", "bun", "deno", "ruby", "perl", "php", "tsx", "ts-node"})
MULTIPLEXERS = frozenset({"tmux", "screen", "dtach", "abduco", "zellij"})

# Programs that start the command they are given, in their place or as a child.
PREFIXES = frozenset(
    {
        "env", "nohup", "timeout", "nice", "ionice", "stdbuf", "setsid", "time", "chrt", "taskset", "setpriv",
        "tini", "dumb-init", "catatonit", "script", "unbuffer", "xvfb-run", "npx", "pnpx", "uvx", "bunx",
    }
)  # fmt: skip
# Programs that do so with one of these subcommands.
RUNNERS: dict[str, frozenset[str]] = {
    "npm": frozenset({"exec", "x", "run", "run-script", "start"}),
    "pnpm": frozenset({"dlx", "exec", "run", "start"}),
    "yarn": frozenset({"dlx", "exec", "run", "start"}),
    "bun": frozenset({"x"}),
    "uv": frozenset({"run", "tool"}),
    "pipx": frozenset({"run"}),
    "poetry": frozenset({"run"}),
    "pdm": frozenset({"run"}),
    "hatch": frozenset({"run"}),
    "conda": frozenset({"run"}),
    "mise": frozenset({"exec", "x"}),
    "direnv": frozenset({"exec"}),
    "volta": frozenset({"run"}),
}
# Options of interpreters whose value is the next word.
_VALUED = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader", "-W", "-X", "-C"})
_SCRIPT_ENDINGS = (".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".pl")
# Builtins that prepare and start nothing: `cd x && agent` is still the launch of `agent`.
_PREPARING = frozenset({"cd", "export", "set", "unset", "umask", "ulimit", ".", "source"})
_REDIRECTIONS = frozenset({"<", ">", ">>", ">&", "<&", "&>", "&>>", ">|", "<>"})
_OPTIONS_SEARCHED = 6


def program_words(argv: Sequence[str]) -> list[str]:
    """argv seen through an interpreter: `node /x/npx-cli.js a` is `npx a`, `python -m pipx` is `pipx`.

    Names lose directory, script ending and a `-cli` suffix. An interpreter that is given no script stays.
    """
    if not argv:
        return []
    name = basename(argv[0])
    if not (name in INTERPRETERS or name in SHELLS or name.startswith(("python", "pypy"))):
        return [name, *argv[1:]]
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        option = argv[at]
        if option == "-m" and at + 1 < len(argv):
            return [argv[at + 1].split(".")[0], *argv[at + 2 :]]
        if option in ("-c", "-e", "-p", "--eval", "--print", "-"):
            return [name, *argv[1:]]
        at += 2 if option in _VALUED else 1
    if at >= len(argv) or (name in RUNNERS and argv[at] in RUNNERS[name]):
        return [name, *argv[1:]]
    return [_script_name(argv[at]), *argv[at + 1 :]]


def names_of(exe: str, argv: Sequence[str]) -> frozenset[str]:
    """The names a process goes by: of its file, of argv[0], and of the script it runs."""
    return frozenset({basename(exe), *([basename(argv[0])] if argv else ()), *program_words(argv)[:1]})


def is_launcher(argv: Sequence[str]) -> bool:
    """Whether this program is there only to start another: npx, uv run, env, `sh -c "one command"`."""
    call = shell_call(argv)
    if call is not None and call.command is not None:
        return launched_by(call.command) is not None
    words = program_words(argv)
    return bool(words) and (words[0] in PREFIXES or _runs_subcommand(words))


def launched_by(command: str) -> list[str] | None:
    """The words of the one simple command a shell string starts, None when it does more than that.

    Assignments, `exec` and preparing builtins before it (`cd x && A=1 exec agent`) are passed over.
    """
    parts = _simple_commands(command)
    if not parts or any(part[0] not in _PREPARING for part in parts[:-1]):
        return None
    return parts[-1]


def _simple_commands(command: str) -> list[list[str]]:
    """Commands joined by `;` or `&&`, redirected or not; empty for any other syntax."""
    lexer = shlex.shlex(command.strip(), posix=True, punctuation_chars=True)
    lexer.commenters = ""
    parts: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in (";", "&&"):
                parts.append([])
            elif word in _REDIRECTIONS:
                continue
            elif word and set(word) <= set("();<>|&"):
                return []
            elif parts[-1] or not _is_preamble(word):
                parts[-1].append(word)
    except ValueError:
        return []
    return parts if "\n" not in command.strip() and all(parts) else []


def _is_preamble(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return word == "exec" or (bool(equals) and name.isidentifier())


def _runs_subcommand(words: list[str]) -> bool:
    subcommands = RUNNERS.get(words[0], frozenset())
    for index, word in enumerate(words[1:_OPTIONS_SEARCHED], start=1):
        if word in subcommands:
            return True
        if not word.startswith("-") and not words[index - 1].startswith("-"):
            return False
    return False


def _script_name(path: str) -> str:
    name = basename(path)
    for ending in _SCRIPT_ENDINGS:
        name = name.removesuffix(ending)
    return name.removesuffix("-cli")
