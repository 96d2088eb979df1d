"""Agent profiles: which one fits a command, and reading them from `policies/agents/` or a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from microloop_cli.core.programs import is_launcher, launched_by, program_words
from microloop_cli.core.settings import AgentProfile
from microloop_cli.core.shells import basename, shell_call
from microloop_cli.errors import PolicyError
from microloop_cli.policy.document import Located, read_document
from microloop_cli.policy.layers import Setting, checked_as, nearest, unknown_key
from microloop_cli.policy.load import read_file
from microloop_cli.resources import policies_dir

GENERIC = "generic"
MAX_PATTERN_CHARS = 2000
_FIELDS = {field.name: field.type for field in msgspec.structs.fields(AgentProfile)}
_PATTERN_FIELDS = ("shims", "housekeeping", "wrappers")
_LAUNCHERS_FOLLOWED = 5
_VERSION = re.compile(r"(?<=.)@[^/]*\Z")
# What stands between a launcher and its program: options, `60`, `1.5s`, NAME=VALUE, subcommands.
_NO_PROGRAM = re.compile(
    r"-.*|[0-9.]+[smhd]?|[A-Za-z_][A-Za-z0-9_]*=.*|exec|x|run|run-script|tool|dlx|start", re.S
)


def profile_for(argv: Sequence[str], named: str = "auto") -> AgentProfile:
    """The profile of this NAME or FILE, or with `auto` the one that fits the command. Raises PolicyError.

    The command is seen through launchers: `npx -y @openai/codex exec` is codex.
    """
    if named != "auto":
        return load_profile(named)
    wanted = program_names(argv)
    for name in profile_names():
        profile = load_profile(name)
        if wanted & set(profile.match):
            return profile
    return load_profile(GENERIC)


def load_profile(named: str) -> AgentProfile:
    """A shipped profile by NAME, or one from a FILE (with a slash or ending in .yaml). Raises PolicyError."""
    if "/" in named or named.endswith((".yaml", ".yml")):
        return parse_profile(read_file(Path(named), named), named)
    if named not in profile_names():
        near = nearest(named, profile_names())
        hint = (f"did you mean {near}? " if near else "") + f"known: auto, {', '.join(profile_names())}"
        raise PolicyError(f"there is no agent profile named {named[:100]!r}", hint=hint)
    path = policies_dir() / "agents" / f"{named}.yaml"
    return parse_profile(read_file(path, str(path)), f"policies/agents/{path.name}")


def profile_names() -> list[str]:
    """The names of the shipped profiles."""
    return sorted(path.stem for path in (policies_dir() / "agents").glob("*.yaml"))


def parse_profile(data: bytes, name: str) -> AgentProfile:
    """A profile from YAML text; `name` stands in errors. Raises PolicyError `name:line: key: ...`."""
    values = {key: _field(key, located, name) for key, located in read_document(data, name).items()}
    return msgspec.convert({"name": Path(name).stem, **values}, AgentProfile)


def program_names(argv: Sequence[str]) -> frozenset[str]:
    """The names the agent command may be known by: of its first word, and of what launchers start."""
    names: set[str] = set()
    words = list(argv)
    for _ in range(_LAUNCHERS_FOLLOWED):
        if not words:
            break
        seen = program_words(words)
        names |= {_package(basename(words[0])), *seen[:1]}
        if not is_launcher(words):
            break
        words = _after_launcher(words, seen, names)
    return frozenset(names)


def _after_launcher(words: list[str], seen: list[str], names: set[str]) -> list[str]:
    """The words from the started program on. A word behind an option may be its value or the program: both
    readings give names."""
    call = shell_call(words)
    if call is not None and call.command is not None:
        return launched_by(call.command) or []
    for index in range(1, len(seen)):
        word = seen[index]
        if _NO_PROGRAM.fullmatch(word):
            continue
        names |= {_package(word), _package(basename(word))}
        if not seen[index - 1].startswith("-") or seen[index - 1] == "--" or "=" in seen[index - 1]:
            return seen[index:]
    return []


def _package(word: str) -> str:
    """`@openai/codex@0.1` is `@openai/codex`, `mini-swe-agent==2` is `mini-swe-agent`."""
    return _VERSION.sub("", word.partition("==")[0])


def _field(key: str, located: Located, name: str) -> object:
    where = f"{name}:{located.line}"
    if key not in _FIELDS:
        raise unknown_key(where, key, _FIELDS)
    if isinstance(located.value, dict):
        raise PolicyError(f"{where}: {key}: expected a value or a list, found keys below it")
    value = checked_as(_FIELDS[key], key, Setting(located.value, where))
    if key in _PATTERN_FIELDS:
        for pattern in value:
            _check_pattern(pattern, f"{where}: {key}", groups=key == "wrappers")
    return value


def _check_pattern(pattern: str, where: str, *, groups: bool) -> None:
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PolicyError(f"{where}: a pattern is longer than {MAX_PATTERN_CHARS} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"{where}: {pattern[:80]!r} is no regular expression: {error}") from None
    if groups and compiled.groups != 1:
        raise PolicyError(
            f"{where}: {pattern[:80]!r} has {compiled.groups} groups; one must hold the command"
        )
