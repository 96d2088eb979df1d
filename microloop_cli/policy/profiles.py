"""Agent profiles: which one fits a command, and reading them from `policies/agents/` or a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from microloop_cli.core.settings import AgentProfile
from microloop_cli.errors import PolicyError
from microloop_cli.policy.agent_setup import AgentSetup, setup_value
from microloop_cli.policy.document import Located, read_document
from microloop_cli.policy.launching import program_names
from microloop_cli.policy.layers import Setting, checked_as, nearest, unknown_key
from microloop_cli.policy.load import read_file
from microloop_cli.resources import policies_dir

GENERIC = "generic"
MAX_PATTERN_CHARS = 2000
_PROFILE_FIELDS = {field.name: field.type for field in msgspec.structs.fields(AgentProfile)}
_SETUP_FIELDS = tuple(field.name for field in msgspec.structs.fields(AgentSetup))
_PATTERN_FIELDS = ("shims", "housekeeping", "wrappers")


class Agent(msgspec.Struct, frozen=True):
    """One agent: how it starts programs, and what it needs to use microloop's doors."""

    profile: AgentProfile
    setup: AgentSetup


def agent_for(argv: Sequence[str], named: str = "auto") -> Agent:
    """The agent of this NAME or FILE, or with `auto` the one that fits the command. Raises PolicyError.

    The command is seen through launchers: `npx -y @openai/codex exec` is codex.
    """
    if named != "auto":
        return load_agent(named)
    wanted = program_names(argv)
    for name in profile_names():
        agent = _shipped_agent(name, wanted)
        if agent is not None and wanted & set(agent.profile.match):
            return agent
    return load_agent(GENERIC)


def load_agent(named: str) -> Agent:
    """A shipped profile by NAME, or one from a FILE (with a slash or ending in .yaml). Raises PolicyError."""
    if "/" in named or named.endswith((".yaml", ".yml")):
        return parse_agent(read_file(Path(named), named), named)
    if named not in profile_names():
        near = nearest(named, profile_names())
        hint = (f"did you mean {near}? " if near else "") + f"known: auto, {', '.join(profile_names())}"
        raise PolicyError(f"there is no agent profile named {named[:100]!r}", hint=hint)
    agent = _shipped_agent(named)
    assert agent is not None, "read whole"
    return agent


def _shipped_agent(name: str, wanted: Collection[str] | None = None) -> Agent | None:
    """None for one that names none of the `wanted` programs: parsing takes ten times as long as looking."""
    path = policies_dir() / "agents" / f"{name}.yaml"
    data = read_file(path, str(path))
    if wanted is not None and not any(word.encode(errors="replace") in data for word in wanted):
        return None
    return parse_agent(data, f"policies/agents/{path.name}")


def load_profile(named: str) -> AgentProfile:
    """See load_agent."""
    return load_agent(named).profile


def profile_names() -> list[str]:
    """The names of the shipped profiles."""
    return sorted(path.stem for path in (policies_dir() / "agents").glob("*.yaml"))


def parse_agent(data: bytes, name: str) -> Agent:
    """A profile from YAML text; `name` stands in errors. Raises PolicyError `name:line: key: ...`."""
    document = read_document(data, name)
    for key, located in document.items():
        if key not in _PROFILE_FIELDS and key not in _SETUP_FIELDS:
            raise unknown_key(f"{name}:{located.line}", key, (*_PROFILE_FIELDS, *_SETUP_FIELDS))
    setup = {key: setup_value(key, document[key], name) for key in _SETUP_FIELDS if key in document}
    told = {key: _field(key, document[key], name) for key in _PROFILE_FIELDS if key in document}
    profile = msgspec.convert({"name": Path(name).stem, **told}, AgentProfile)
    return Agent(profile, msgspec.convert(setup, AgentSetup))


def _field(key: str, located: Located, name: str) -> object:
    where = f"{name}:{located.line}"
    if isinstance(located.value, dict):
        raise PolicyError(f"{where}: {key}: expected a value or a list, found keys below it")
    value = checked_as(_PROFILE_FIELDS[key], key, Setting(located.value, where))
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
