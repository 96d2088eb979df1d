"""What an agent is given so that it comes to the doors by itself: command, variables, files in its HOME."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from microloop_cli.gateway.model import Provider
from microloop_cli.gateway.placeholders import Placeholders
from microloop_cli.gateway.upstream import ADDRESS_VARIABLES, KEY_VARIABLES
from microloop_cli.policy.agent_setup import home_files, setup_variables, with_arguments
from microloop_cli.policy.model import Policy
from microloop_cli.policy.profiles import Agent
from microloop_cli.run.agent_environment import door_variables, missing_key, template_values
from microloop_cli.run.ways_out import WaysOut


class AgentDoors(msgspec.Struct, frozen=True):
    """argv: the command. variables: those of the doors, under the user's own. home: path to content. lacks:
    what a person should know of keys, when the agent will find none. unwritten: files it may miss in a HOME
    that is the user's own."""

    argv: tuple[str, ...]
    variables: dict[str, str]
    home: dict[str, str]
    lacks: str | None = None
    unwritten: dict[str, str] = {}


def agent_doors(
    argv: tuple[str, ...],
    agent: Agent,
    policy: Policy,
    ways: WaysOut,
    placeholders: Placeholders,
    environ: Mapping[str, str],
    written: Collection[str],
    *,
    home: str | None,
    replays: bool,
) -> AgentDoors:
    """written: names of the variables to which the user gives values himself. home: the agent's own HOME
    inside; None: it is the user's, and nothing is put there. replays: answers come from a recording, and no
    key is needed.
    """
    shown: dict[Provider, str] = {
        provider: placeholders.of(provider)
        for provider in KEY_VARIABLES
        if replays or _has_key(provider, policy, environ)
    }
    values = template_values(ways.model, shown, home or environ.get("HOME", ""), contained=home is not None)
    variables = {
        **door_variables(ways.model, ways.egress, shown, environ, written),
        **setup_variables(agent.setup, values),
    }
    command = with_arguments(argv, agent.setup, agent.profile.match, values)
    files = home_files(agent.setup, values)
    if home is None:
        return AgentDoors(command, variables, {}, unwritten=files)
    lacks = missing_key(agent, shown) if ways.model else None
    return AgentDoors(command, variables, files, lacks)


def written_names(entries: Iterable[str]) -> frozenset[str]:
    """The variables that stand as NAME=VALUE among NAME and NAME=VALUE."""
    return frozenset(entry.partition("=")[0] for entry in entries if "=" in entry)


def own_variables(given: Mapping[str, str], written: Collection[str], ways: WaysOut) -> dict[str, str]:
    """What the user passes on, without addresses and keys that he only named: the gateway holds these."""
    if not ways.model:
        return dict(given)
    held = {name for names in (*ADDRESS_VARIABLES.values(), *KEY_VARIABLES.values()) for name in names}
    return {name: value for name, value in given.items() if name in written or name not in held}


def _has_key(provider: Provider, policy: Policy, environ: Mapping[str, str]) -> bool:
    """A server of the user's own may want no key, but its client does not start without one."""
    if (
        getattr(policy.model.keys, provider) is not None
        or getattr(policy.model.upstreams, provider) is not None
    ):
        return True
    return any(environ.get(name) for name in (*KEY_VARIABLES[provider], *ADDRESS_VARIABLES[provider]))
